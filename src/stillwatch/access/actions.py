"""Actions: what an operator, a verdict or a rule does about an account, cluster, key or org.

Each asks to verify, slows, narrows the surface, strengthens the mark or suspends; has a reason, an
end and an undo; and says who stands behind it. Automation stops at slowing and narrowing (law 8):
what refuses everything, now or after a period of grace, is not written without a person behind it.
"""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import msgspec

from stillwatch.access.narrowing import narrowing
from stillwatch.access.registration import check_name, check_time
from stillwatch.access.surface import Surface
from stillwatch.errors import InputError

__all__ = [
    "LONGEST_DAYS",
    "MOST_SECONDS",
    "SHORTEST_GRACE",
    "Action",
    "ActionKind",
    "SubjectKind",
    "check_action",
    "shuts_out",
]

SubjectKind = Literal["account", "cluster", "key", "org"]
ActionKind = Literal["verify", "slow", "narrow", "mark", "suspend"]

#: an action ends after so many days at the latest; whoever wants it longer decides again
LONGEST_DAYS = 90
#: of delay; clients give up on what takes much longer, and send it again
MOST_SECONDS = 60.0
#: seconds of grace in which an owner can verify; with less, to verify is to suspend
SHORTEST_GRACE = 86_400
_LONGEST_MESSAGE = 2_000  # characters
_CODE = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,99}")
_AHEAD = 300  # seconds that another machine's clock may be ahead of ours


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One action on one subject. Times are seconds since the epoch, UTC.

    `seconds` is the delay of ``slow``, and of ``verify`` the grace: until then answers carry a
    notice, afterwards everything is refused. `surface` are the fields of ``narrow``, as data (see
    :func:`~stillwatch.access.narrowing.narrowing`); the other kinds have neither. `reason` is a
    code for machines and case files, `message` is for the owner of the account. `by` is who
    decided, and `person` says that this is a human being.
    """

    subject_kind: SubjectKind
    subject: str
    kind: ActionKind
    reason: str
    message: str
    by: str
    person: bool = False
    expires_at: int
    seconds: float | None = None
    surface: dict[str, Any] | None = None
    id: str = ""
    created_at: int = 0
    undone_at: int | None = None
    undone_by: str | None = None

    def in_force(self, at: float) -> bool:
        """Whether it is in force at a time, now or in the past."""
        return (
            self.created_at <= at < self.expires_at
            and (self.undone_at is None or at < self.undone_at)
        )  # fmt: skip

    def refuses(self, at: float) -> bool:
        """Whether nothing is served at a time, it being in force."""
        if self.kind == "verify":
            return at >= self.created_at + (self.seconds or 0.0)
        return self.kind == "suspend"

    def bound(self) -> Surface:
        """The surface that ``narrow`` leaves, to be combined with others by ``&``."""
        return narrowing(self.surface or {})


def shuts_out(kind: ActionKind, seconds: float | None) -> bool:
    """Whether an action refuses everything before its owner can do anything about it: a suspension,
    or one to verify with too short a grace. Two people stand behind such a one; see `cases`."""
    soon = seconds is not None and seconds < SHORTEST_GRACE
    return kind == "suspend" or (kind == "verify" and soon)


def check_action(action: Action, now: int) -> None:
    """Refuse an action that must not be written at a time `now`.

    Raises:
        InputError: a field cannot stand as it is, the end is missing, past or too far, or a
            suspension has no person behind it.
    """
    check_name("id", action.id)
    check_name("subject", action.subject)
    check_name("by", action.by)
    if not _CODE.fullmatch(action.reason):
        raise InputError(
            f"reason: {action.reason!r} is no code such as case-17; "
            "small letters, digits and - _ . : (1 to 100)"
        )
    if not 0 < len(action.message.strip()) <= _LONGEST_MESSAGE:
        raise InputError(
            f"message: tell the owner what happens and what to do, in 1 to {_LONGEST_MESSAGE} "
            "characters"
        )
    if action.kind in ("suspend", "verify") and not action.person:
        raise InputError(
            "a suspension needs a person; let one decide and be named, or slow or narrow instead"
            if action.kind == "suspend"
            else "who does not verify is refused, so that this needs a person who is named"
        )
    if action.undone_at is not None or action.undone_by is not None:
        raise InputError("undone_at: an action is undone by undoing it, not by writing it undone")
    _check_times(action, now)
    _check_measure(action)


def _check_times(action: Action, now: int) -> None:
    check_time("created_at", action.created_at)
    check_time("expires_at", action.expires_at)
    if action.created_at > now + _AHEAD:
        raise InputError(f"created_at: {action.created_at} lies in the future; leave it out")
    if action.expires_at <= max(now, action.created_at):
        raise InputError(f"expires_at: {action.expires_at} is in the past; give a later time")
    if action.expires_at > max(now, action.created_at) + LONGEST_DAYS * 86_400:
        raise InputError(
            f"expires_at: {action.expires_at} is more than {LONGEST_DAYS} days away; "
            "decide again when it ends"
        )


def _check_measure(action: Action) -> None:
    if (action.seconds is not None) != (action.kind in ("slow", "verify")):
        raise InputError("seconds: needed to slow and to verify, and for nothing else")
    if (action.surface is not None) != (action.kind == "narrow"):
        raise InputError("surface: needed to narrow, and for nothing else")
    seconds = action.seconds
    if seconds is not None and not math.isfinite(seconds):
        raise InputError(f"seconds: {seconds} is no number of seconds")
    if action.kind == "slow" and not 0 < (seconds or 0.0) <= MOST_SECONDS:
        raise InputError(f"seconds: {seconds} is not above 0 and at most {MOST_SECONDS:g}")
    if action.kind == "verify" and not (
        0 <= (seconds or 0.0) < action.expires_at - action.created_at
    ):
        raise InputError("seconds: the grace to verify must end before the action does")
    if action.surface is not None:
        narrowing(action.surface)
