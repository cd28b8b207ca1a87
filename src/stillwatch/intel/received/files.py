"""Indicators in a file that somebody vouches for: looked for, and never kept or acted on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stillwatch.errors import IndicatorError, InputError, IntelError
from stillwatch.intel.matching.indicators import Indicator, indicators_of
from stillwatch.intel.profile import check_seal, extension_of, validate
from stillwatch.intel.received.bundles import read_objects

__all__ = ["indicators_in_file"]


def indicators_in_file(path: Path) -> list[Indicator]:
    """The indicators of a bundle whose seals hold, whoever made them; the newest version of each.

    Raises:
        InputError: the file cannot be read.
        IndicatorError: it is no bundle, or holds no indicator that could be looked for.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    newest: dict[tuple[object, object], dict[str, Any]] = {}
    for thing in read_objects(data):
        if not isinstance(thing, dict) or not _holds(thing):
            continue
        name = (thing.get("created_by_ref"), thing["id"])
        known = newest.get(name)
        if known is None or _rank(thing) > _rank(known):
            newest[name] = thing
    found = indicators_of(newest.values())
    if not found:
        raise IndicatorError(
            f"{path}: it holds no sealed indicator of the profile; give a bundle of "
            "`stillwatch intel export`"
        )
    return found


def _holds(thing: dict[str, Any]) -> bool:
    seal = extension_of(thing).get("seal")
    try:
        validate(thing)
        check_seal(thing, str(seal.get("key")) if isinstance(seal, dict) else "")
    except IntelError:
        return False
    return True


def _rank(thing: dict[str, Any]) -> tuple[bool, str]:
    """What was taken back stays so; else the last version counts."""
    return thing.get("revoked") is True, str(thing.get("modified", ""))
