"""Objects of the profile → indicators: what to look for, who told it, how far, until when."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from stillwatch.errors import IndicatorError
from stillwatch.intel.matching.patterns import Pattern, read_pattern
from stillwatch.intel.profile.buckets import bucket_edges
from stillwatch.intel.profile.names import extension_of

__all__ = ["WORDING", "Indicator", "indicator_of", "indicators_of", "seconds_of"]

#: the kind of a hit by its text; the others are the fields of identifiers
WORDING = "wording"
#: of accounts; nobody has more, and columns hold no larger number
_MOST = 10**12
_ID = re.compile(r"([a-z0-9-]{3,250})--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator that somebody told. Times are seconds since the epoch, UTC.

    Attributes:
        campaign: the id of the campaign that it indicates, by its sender; the same name of two
            senders are two campaigns.
        accounts: the most accounts that it stands for, by its sender; None where nothing is said.
        rate: the share of innocent accounts that its sender measured to meet it, None likewise.
    """

    id: str
    sender: str
    pattern: Pattern
    valid_from: int
    valid_until: int
    campaign: str | None = None
    accounts: int | None = None
    rate: float | None = None
    revoked: bool = False

    def is_live(self, at: float) -> bool:
        """Whether it may be acted on at a time."""
        return not self.revoked and self.valid_from <= at < self.valid_until


def indicator_of(told: Mapping[str, Any], campaign: str | None = None) -> Indicator:
    """Read an ``indicator`` of the profile.

    Raises:
        IndicatorError: it is none that could be looked for; says which property is wrong.
    """
    extension = extension_of(dict(told))
    part = "digest" if "digest" in extension else "template"
    of = _mapping(extension.get(part), f"extensions.{part}")
    pattern = read_pattern(_text(told, "pattern_type"), _text(told, "pattern"), _text(of, "scheme"))
    claimed = extension.get("accounts", of.get("accounts"))
    return Indicator(
        id=stix_id(told.get("id"), "id", "indicator"),
        sender=stix_id(told.get("created_by_ref"), "created_by_ref", "identity"),
        pattern=pattern,
        valid_from=seconds_of(told.get("valid_from"), "valid_from"),
        valid_until=seconds_of(told.get("valid_until"), "valid_until"),
        campaign=campaign,
        accounts=_most(claimed),
        rate=_rate(extension.get("detector")),
        revoked=told.get("revoked") is True,
    )


def indicators_of(objects: Iterable[Mapping[str, Any]]) -> list[Indicator]:
    """The indicators among objects that were checked, each with the campaign that it indicates.

    What is no indicator that could be looked for is left out; it was told at the import.
    """
    every = list(objects)
    indicates = {
        (each.get("created_by_ref"), each.get("source_ref")): each.get("target_ref")
        for each in every
        if each.get("type") == "relationship"
        and each.get("relationship_type") == "indicates"
        and each.get("revoked") is not True
    }
    found = []
    for each in every:
        if each.get("type") != "indicator":
            continue
        target = indicates.get((each.get("created_by_ref"), each.get("id")))
        try:
            found.append(indicator_of(each, target if isinstance(target, str) else None))
        except IndicatorError:
            continue
    return found


def seconds_of(value: object, where: str) -> int:
    """A time of STIX (RFC 3339 in UTC) in whole seconds since the epoch.

    Raises:
        IndicatorError: it is none.
    """
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return int(datetime.fromisoformat(value[:19]).replace(tzinfo=UTC).timestamp())
        except ValueError:
            pass
    raise IndicatorError(f"{where}: a time such as 2026-09-01T00:00:00.000Z is needed")


def stix_id(value: object, where: str, kind: str = "") -> str:
    """An id of STIX, of that kind if one is given.

    Raises:
        IndicatorError: it is none.
    """
    found = _ID.fullmatch(value) if isinstance(value, str) else None
    if found is None or (kind and found[1] != kind):
        raise IndicatorError(f"{where}: an id such as {kind or 'indicator'}--UUID is needed")
    return found[0]


def _text(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    if not isinstance(value, str):
        raise IndicatorError(f"{name}: a text is needed")
    return value


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise IndicatorError(f"{where}: missing; the profile needs it")
    return value


def _most(bucket: object) -> int | None:
    """The upper edge of a bucket such as ``10-99``."""
    if bucket is None:
        return None
    try:
        return min(bucket_edges(str(bucket))[1], _MOST)
    except ValueError as error:
        raise IndicatorError(f"accounts: {error}") from error


def _rate(detector: object) -> float | None:
    if not isinstance(detector, dict):
        return None
    rate = detector.get("false_positive_rate")
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not math.isfinite(rate):
        raise IndicatorError("detector.false_positive_rate: a share is needed")
    if not 0 <= rate <= 1:
        raise IndicatorError("detector.false_positive_rate: a share is 0 to 1")
    return float(rate)
