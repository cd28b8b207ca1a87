"""A plan on the ledger: put there before the release or the first question, proven afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from stillwatch.errors import CommitmentError, LatePlanError, PlanError
from stillwatch.ledger import Entry, Head, InclusionProof, Ledger
from stillwatch.ledger.timestamps import claimed_at, stamp

__all__ = [
    "KIND",
    "Commitment",
    "Plannable",
    "check_entry",
    "check_order",
    "commit_plan",
    "find_commitment",
    "record_seal",
]  # fmt: skip

KIND: Final = "test_plan"


class Plannable(Protocol):
    """What can be committed to: the registration of a test, or a measurement."""

    def digest(self) -> str:
        """What is published."""
        ...

    def told(self) -> dict[str, Any]:
        """What an entry says of it beside its digest."""
        ...


class Commitment(NamedTuple):
    """Where a plan stands on a ledger: the entry's canonical bytes, a head over it, the proof."""

    entry: bytes
    head: Head
    proof: InclusionProof


def commit_plan(
    registration: Plannable, state: Path, *, by: str, authority: str | None = None
) -> Commitment:
    """Record the digest of a plan, and sign a head over it; the ledger is made if need be.

    Args:
        authority: an address (http or https) whose RFC 3161 time stamp the head shall carry.

    Raises:
        PlanError: this plan stands there already.
        TimestampError: the authority gave none; plan and head stand there all the same.
        StorageError: the ledger cannot be written.
    """
    digest = registration.digest()
    with Ledger.open(state, create=True) as ledger:
        if _numbers(ledger, digest):
            raise PlanError(f"the plan {digest[:16]}… stands on this ledger already")
        body = {"registration": digest, **registration.told()}
        [number] = ledger.append([Entry(kind=KIND, at=_now(), by=by, body=body)])
        head = ledger.head()
        if authority is not None:
            head = stamp(head, authority)
            ledger.keep_stamped(head)
        return Commitment(ledger.raw(number), head, ledger.prove(number, head))


def find_commitment(registration: Plannable, state: Path) -> Commitment:
    """Where a plan stands, under the head that shows best how early it did.

    That is, of the heads over it, the one whose time stamp is the earliest: if any stamp is older
    than the first answer, this one is. A head without one is dated by the signer's word alone, as
    is the entry under any head, so that no head is better for being signed earlier; without a time
    stamp it is the first. Where the plan stands there twice, its first entry counts.

    Raises:
        PlanError: it does not stand there, or no head covers it.
        CommitmentError: what stands there is not what the plan says.
        StoreFormatError: there is no ledger.
    """
    digest = registration.digest()
    with Ledger.open(state, read_only=True) as ledger:
        numbers = _numbers(ledger, digest)
        if not numbers:
            raise PlanError(
                f"the plan {digest[:16]}… is not on this ledger: it was not committed to here"
            )
        for each in numbers:
            check_entry(ledger.entry(each), registration)
        number = numbers[0]
        covering = [head for head in ledger.heads() if head.size > number]
        if not covering:
            raise PlanError(f"no head covers the plan {digest[:16]}…; sign one: ledger head")
        stamped = [(at, i) for i, each in enumerate(covering) if (at := claimed_at(each))]
        head = covering[min(stamped)[1] if stamped else 0]
        return Commitment(ledger.raw(number), head, ledger.prove(number, head))


def check_entry(entry: Entry, registration: Plannable) -> None:
    """That an entry of a ledger is about this plan, and says of it what it says.

    Raises:
        CommitmentError: it does not.
    """
    digest = registration.digest()
    if entry.kind != KIND or entry.body.get("registration") != digest:
        raise CommitmentError(f"the entry is not about the plan {digest[:16]}…")
    for name, value in registration.told().items():
        # an entry of an earlier release may say less; what it says must be so
        if name in entry.body and entry.body[name] != value:
            raise CommitmentError(
                f"the entry about the plan {digest[:16]}… contradicts it: its {name} is another"
            )


def check_order(entry: Entry, first_at: datetime | None) -> None:
    """That a plan was on the ledger when the first answer came, as far as both say when.

    Raises:
        LatePlanError: it was not.
    """
    if first_at is not None and datetime.fromisoformat(entry.at) > first_at:
        came = first_at.astimezone(UTC).isoformat(timespec="milliseconds")
        raise LatePlanError(
            f"the plan was put on the ledger at {entry.at}, after the first answer, which came at "
            f"{came}: nothing was fixed beforehand"
        )


def record_seal(digest: str, registrations: Sequence[str], state: Path, *, by: str) -> int:
    """Record that a bundle was sealed; gives the number of the entry.

    Args:
        digest: SHA-256 of its signed statement.
        registrations: digests of the plans in it.

    Raises:
        StorageError: the ledger cannot be written.
    """
    body = {"statement": digest, "registrations": list(registrations)}
    with Ledger.open(state) as ledger:
        [number] = ledger.append([Entry(kind="evidence", at=_now(), by=by, body=body)])
    return number


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _numbers(ledger: Ledger, digest: str) -> list[int]:
    return [
        number for number in ledger.numbers_with(digest)
        if (entry := ledger.entry(number)).kind == KIND and entry.body.get("registration") == digest
    ]  # fmt: skip
