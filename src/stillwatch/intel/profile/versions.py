"""Later versions of an object: the same id, created and creator, and a later ``modified``.

What is not sealed is not believed: a new version is bare, and its sender seals it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from stillwatch.errors import IndicatorError
from stillwatch.intel.profile.names import DISTILLATION, extension_of
from stillwatch.intel.profile.times import moment, written

__all__ = ["new_version", "revoked"]

#: what never changes between versions (STIX 2.1, 3.6)
_FIXED: Final = ("type", "id", "created", "created_by_ref")


def new_version(
    thing: Mapping[str, Any], changes: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """A version of `thing` with `changes`, bare of a seal; None takes a property away.

    ``modified`` is `now`, or a millisecond after the last version where clocks went backwards.

    Raises:
        IndicatorError: it is revoked already, has no versions, or what never changes would.
    """
    if thing.get("revoked"):
        raise IndicatorError(f"{thing.get('id')}: it is revoked, and stays so")
    if "modified" not in thing:
        raise IndicatorError(f"{thing.get('id')}: objects without 'modified' have no versions")
    fixed = [name for name in _FIXED if name in changes and changes[name] != thing.get(name)]
    if fixed:
        raise IndicatorError(f"{thing.get('id')}: {', '.join(fixed)} never changes")
    last = moment(thing["modified"])
    modified = max(now, last + timedelta(milliseconds=1))
    made = {**thing, **changes, "modified": written(modified)}
    made = {name: value for name, value in made.items() if value is not None}
    if "seal" in (own := extension_of(made)):
        bare = {name: value for name, value in own.items() if name != "seal"}
        made["extensions"] = {**made["extensions"], DISTILLATION: bare}
    return made


def revoked(thing: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The version of `thing` that takes it back, bare of a seal.

    Raises:
        IndicatorError: it is revoked already, or has no versions.
    """
    return new_version(thing, {"revoked": True}, now)
