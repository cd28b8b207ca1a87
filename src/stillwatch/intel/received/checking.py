"""One object that somebody sent: is it whole, from a member, sealed by it, and of our time?"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from stillwatch.errors import IndicatorError, SealError
from stillwatch.intel.matching.indicators import indicator_of, seconds_of, stix_id
from stillwatch.intel.profile import (
    TECHNIQUES,
    Tlp,
    attack_pattern,
    check_seal,
    definition,
    extension_of,
    marking,
    profile_identity,
    validate,
)
from stillwatch.intel.received.members import Member
from stillwatch.ledger import canonical

__all__ = ["AHEAD", "LONGEST", "Checked", "KeptApart", "check_object"]

#: seconds that another clock may be ahead of ours; what is later would hide every true version
AHEAD: Final = 86_400
#: seconds that an indicator may last from its last change on, whatever its sender writes
LONGEST: Final = 366 * 86_400
#: an indicator without one of these is another's, kept and not looked for
_OURS: Final = ("digest", "template")
_TYPE = re.compile(r"[a-z0-9-]{3,250}")


class Checked(NamedTuple):
    """An object that may be kept. Times are seconds since the epoch, None where it has none."""

    sender: str
    id: str
    modified: str
    type: str
    digest: str
    body: str
    revoked: bool
    pattern: str | None
    valid_from: int | None
    valid_until: int | None
    retain_until: int | None


class KeptApart(NamedTuple):
    """An object whose sender is no member: kept, and used for nothing."""

    sender: str
    id: str
    digest: str
    body: str
    reason: str


@functools.cache
def _standard() -> dict[str, str]:
    """Objects that everybody sends along, the same ones: id → digest."""
    everybody = [
        profile_identity(), definition(), *map(marking, Tlp), *map(attack_pattern, TECHNIQUES),
    ]  # fmt: skip
    return {each["id"]: _written(each)[0] for each in everybody}


def check_object(
    thing: dict[str, Any], members: Mapping[str, Member], now: float
) -> Checked | KeptApart | None:
    """Read an object that a member sent; None for one that everybody sends, such as a marking.

    Raises:
        IndicatorError: it is no object of STIX 2.1, not as the profile wants it, or of a time that
            cannot be.
        SealError: its sender did not seal it so.
    """
    kind = thing.get("type")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise IndicatorError("type: a name in small letters is needed")
    name = stix_id(thing.get("id"), "id", kind)
    if thing.get("spec_version") != "2.1":
        raise IndicatorError("spec_version: only 2.1 is read")
    digest, body = _written(thing)
    if _standard().get(name) == digest:
        return None
    sender = thing.get("created_by_ref", name if kind == "identity" else None)
    if sender is None:
        return KeptApart("", name, digest, body, "it does not say who made it")
    sender = stix_id(sender, "created_by_ref", "identity")
    member = members.get(sender)
    if member is None:
        return KeptApart(sender, name, digest, body, "its sender is no member")
    if member.removed_at is not None:
        return KeptApart(sender, name, digest, body, f"the member {member.name} was removed")
    check_seal(thing, member.key)
    validate(thing)
    modified = thing.get("modified", thing.get("created"))
    if seconds_of(modified, "modified") > now + AHEAD:
        raise IndicatorError(f"modified: {modified} lies in the future, by more than a day")
    if seconds_of(thing.get("created", modified), "created") > seconds_of(modified, "modified"):
        raise IndicatorError("modified: it is before created")
    retain_until = _retained(thing)
    if retain_until is not None and retain_until < now:
        raise IndicatorError("retain_until: its sender wanted it deleted by now")
    pattern = valid_from = valid_until = None
    if kind == "indicator" and not extension_of(thing).keys().isdisjoint(_OURS):
        told = indicator_of(thing)
        pattern, valid_from = told.pattern.name, told.valid_from
        valid_until = min(told.valid_until, seconds_of(modified, "modified") + LONGEST)
    return Checked(
        sender=sender,
        id=name,
        modified=_sortable(str(modified)),
        type=kind,
        digest=digest,
        body=body,
        revoked=thing.get("revoked") is True,
        pattern=pattern,
        valid_from=valid_from,
        valid_until=valid_until,
        retain_until=retain_until,
    )


def _retained(thing: dict[str, Any]) -> int | None:
    told = extension_of(thing).get("retain_until")
    return None if told is None else seconds_of(told, "retain_until")


def _written(thing: dict[str, Any]) -> tuple[str, str]:
    try:
        data = canonical(thing)
    except ValueError as error:
        raise SealError(f"it has no canonical form: {error}") from error
    return hashlib.sha256(data).hexdigest(), data.decode()


def _sortable(time: str) -> str:
    """A time of STIX in nine digits after the point, so that texts sort as times do."""
    whole, _, fraction = time.rstrip("Z").partition(".")
    return f"{whole}.{fraction.ljust(9, '0')}Z"
