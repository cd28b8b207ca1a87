"""What may be done about the accounts of a case, from mild to hard, and who may decide it.

Each measure becomes actions of `access`, one a subject: with an end, an undo, a reason code and a
message for the owner. Automation stops at slowing and narrowing; what shuts out needs two people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from stillwatch.access.actions import (
    LONGEST_DAYS,
    MOST_SECONDS,
    Action,
    ActionKind,
    SubjectKind,
    shuts_out,
)
from stillwatch.access.narrowing import narrowing
from stillwatch.errors import CaseError, InputError

__all__ = [
    "AUTOMATIC",
    "LONGEST_MESSAGE",
    "Measure",
    "Undone",
    "action_of",
    "check_measures",
    "four_eyes",
]

#: what a rule may do by itself (design, law 8)
AUTOMATIC: frozenset[str] = frozenset({"slow", "narrow"})
_DAY = 86_400
#: characters of what the owner is told; the reference is added to it
LONGEST_MESSAGE = 1_500

Undone = Literal["appeal", "decision", "person"]


class Measure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to do, to each of some subjects, for `lasting` seconds.

    `seconds` is the delay of ``slow`` and the grace of ``verify``; `surface` are the fields of
    ``narrow``, as :func:`~stillwatch.access.narrowing.narrowing` reads them.
    """

    kind: ActionKind
    lasting: int
    seconds: float | None = None
    surface: dict[str, Any] | None = None


def check_measures(measures: Sequence[Measure], *, automatic: bool = False) -> None:
    """Refuse measures that no action could be made of.

    Raises:
        CaseError: a kind twice, an end that is none, a missing or a needless field; with
            `automatic` also what no rule may do.
    """
    kinds = [each.kind for each in measures]
    if len(set(kinds)) < len(kinds):
        raise CaseError("measures: each kind may be given once")
    for each in measures:
        if automatic and each.kind not in AUTOMATIC:
            raise CaseError(
                f"{each.kind}: automation stops at slowing and narrowing; let a person decide"
            )
        if not 0 < each.lasting <= LONGEST_DAYS * _DAY:
            raise CaseError(f"{each.kind}: it must end, within {LONGEST_DAYS} days")
        if (each.seconds is not None) != (each.kind in ("slow", "verify")):
            raise CaseError("seconds: needed to slow and to verify, and for nothing else")
        if each.kind == "slow" and not 0 < (each.seconds or 0.0) <= MOST_SECONDS:
            raise CaseError(f"slow: {each.seconds} is not above 0 and at most {MOST_SECONDS:g}")
        if each.kind == "verify" and not 0 <= (each.seconds or 0.0) < each.lasting:
            raise CaseError("verify: the grace must end before the measure does")
        if (each.surface is not None) != (each.kind == "narrow"):
            raise CaseError("surface: needed to narrow, and for nothing else")
        if each.surface is not None:
            try:
                narrowing(each.surface)
            except InputError as error:
                raise CaseError(str(error)) from error


def four_eyes(measures: Sequence[Measure]) -> bool:
    """Whether two people must stand behind them: they shut out before anybody can object."""
    return any(shuts_out(each.kind, each.seconds) for each in measures)


def action_of(
    measure: Measure, *, id: str, subject: str, reason: str, message: str, by: str,  # noqa: A002
    person: bool, now: int, of: SubjectKind = "account",
) -> Action:  # fmt: skip
    """The action on one subject, in force from `now` on."""
    return Action(
        id=id,
        subject_kind=of,
        subject=subject,
        kind=measure.kind,
        reason=reason,
        message=message,
        by=by,
        person=person,
        created_at=now,
        expires_at=now + measure.lasting,
        seconds=measure.seconds,
        surface=measure.surface,
    )
