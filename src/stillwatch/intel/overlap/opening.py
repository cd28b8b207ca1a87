"""The third step, without a message: what the answer says to whoever asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stillwatch.errors import OverlapError, WrongMessageError
from stillwatch.intel.overlap.blinding import Blinding
from stillwatch.intel.overlap.gathering import Item
from stillwatch.intel.overlap.message import Message, check
from stillwatch.intel.overlap.secret import Secret
from stillwatch.intel.profile.times import written
from stillwatch.intel.received.members import Member
from stillwatch.ledger import Entry, Ledger

__all__ = ["Found", "open_answer", "record_opening"]


@dataclass(frozen=True)
class Found:
    """What the other holds too.

    Attributes:
        fields: that the answer is of; of others of the question nothing was said.
        asked: identifiers of these fields in the question.
        size: how many of them the other holds.
        items: which; None where only the size was asked for.
    """

    member: Member
    fields: tuple[str, ...]
    asked: int
    size: int
    items: tuple[Item, ...] | None


def open_answer(
    answer: Message, secret: Secret, *, own: str, members: Sequence[Member], now: datetime
) -> Found:
    """Open an answer.

    Args:
        own: the id that others know us by.
        members: who is pinned here.

    Raises:
        SealError, WrongRecipientError, LateMessageError: of the answer.
        WrongMessageError: it is no answer, or the answer to another question.
        OverlapError: it says something else than was asked, or holds what is no point.
    """
    member = check(answer, "answer", own, members, now)
    header = answer.header
    if (header.exchange, header.request) != (secret.exchange, secret.request):
        raise WrongMessageError("it is the answer to another question: give the secret of that one")
    if header.sender != secret.member:
        raise WrongMessageError(f"{member.name} answers, and {secret.member} was asked")
    if (
        header.asks != secret.asks
        or header.points != len(secret.items)
        or not set(header.fields) <= set(secret.fields)
    ):
        raise OverlapError("the answer says something else than was asked")
    blinding = Blinding(secret.asks == "how-many", bytes.fromhex(secret.key))
    asked = sum(item is not None and item.field in header.fields for item in secret.items)
    if secret.asks == "how-many":
        size = blinding.size(answer.held, answer.points)
        if size > asked:
            raise OverlapError("the answer holds more of our identifiers than we asked about")
        return Found(member, header.fields, asked, size, None)
    items = [secret.items[place] for place in blinding.matches(answer.held, answer.points)]
    known = tuple(item for item in items if item is not None and item.field in header.fields)
    if len(known) < len(items):
        raise OverlapError("the answer claims what nobody can hold: it was not made honestly")
    return Found(member, header.fields, asked, len(known), known)


def record_opening(answer: Message, ledger: Ledger, *, by: str, now: datetime) -> None:
    """Record in the ledger that an answer was opened, and not what it says."""
    header = answer.header
    ledger.append(
        [
            Entry(
                kind="indicator",
                at=written(now),
                by=by,
                body={
                    "overlap": "opened",
                    "exchange": header.exchange,
                    "message": answer.digest,
                    "member": header.sender,
                    "asks": header.asks,
                    "tlp": str(header.tlp),
                    "valid_until": header.until,
                },
            )
        ]
    )
