"""The door to the mark: what the engine is told, and what it says it did.

We name the mark, and the cluster of the caller by its keyed digest; the engine's hook looks the key
up, so that no key travels. The hook answers in the header of the same name: ``NAME;epoch=EPOCH``,
or ``none;REASON`` for an answer without it. :mod:`stillwatch.gateway.mark_fields` has what engines
read that show no headers to their hooks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from stillwatch.access import Asked, Caller, Decision
from stillwatch.sketches import SketchKey

if TYPE_CHECKING:
    from stillwatch.watermark.hooks import Marks

__all__ = [
    "CLUSTER",
    "HEADER",
    "Marked",
    "asked_of",
    "cluster_of",
    "marked_by",
    "to_be_marked",
    "written_by_us",
]

HEADER = "x-stillwatch-mark"
CLUSTER = "x-stillwatch-cluster"
#: Greedy decoding leaves nothing to choose, so that no mark can be in it.
GREEDY = "greedy"
_64_BITS = 2**64 - 1
_CONFIRMED = re.compile(r"([\w.-]{1,64});epoch=([\w.-]{1,64})")
_REASON = re.compile(r"none;([\w .:-]{1,64})")


class Marked(msgspec.Struct, frozen=True):
    """The mark of one answer, as its exchange has it: `epoch` where the engine confirms it,
    `unmarked` why it is not there. Neither: the engine said nothing."""

    name: str | None = None
    epoch: str | None = None
    unmarked: str | None = None


def cluster_of(caller: Caller, links: SketchKey) -> str:
    """The caller's cluster under the key of the exchanges, 16 hexadecimal digits: the digest that
    their column `account` has of an account that is linked to nobody, and of a cluster's name."""
    digest = links.digest("account", caller.cluster or caller.account)
    return f"{digest & _64_BITS:016x}"


def asked_of(decision: Decision, cluster: str, marks: Marks | None = None) -> dict[str, str]:
    """The headers for the engine; none where no mark is due, or one that we write ourselves."""
    if decision.mark is None or written_by_us(decision, marks):
        return {}
    return {HEADER: f"{decision.mark};{decision.mark_strength}", CLUSTER: cluster}


def written_by_us(decision: Decision, marks: Marks | None) -> bool:
    """Whether the mark that is due is none of the engine's, but of choices in the text."""
    if decision.mark is None or marks is None:
        return False
    return marks.chooses(decision.mark, decision.mark_strength)


def to_be_marked(decision: Decision, granted: Asked) -> Marked:
    """What is known before the engine has answered."""
    if decision.mark is None:
        return Marked()
    return Marked(decision.mark, unmarked=GREEDY if granted.temperature == 0 else None)


def marked_by(due: Marked, headers: Mapping[str, str]) -> Marked:
    """What the engine's response says about the mark that was `due`. Another mark is none."""
    told = headers.get(HEADER)
    if due.name is None or told is None:
        return due
    if (confirmed := _CONFIRMED.fullmatch(told)) and confirmed[1] == due.name:
        return Marked(due.name, epoch=confirmed[2])
    reason = _REASON.fullmatch(told)
    return Marked(due.name, unmarked=reason[1] if reason else "another mark")
