"""A plan on the ledger: put there before the release or the first question, proven afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from stillwatch.errors import PlanError
from stillwatch.ledger import Entry, Head, InclusionProof, Ledger
from stillwatch.ledger.timestamps import stamp
from stillwatch.provenance.registration import Registration

__all__ = ["KIND", "Commitment", "commit_plan", "find_commitment", "record_seal"]

KIND: Final = "test_plan"


class Commitment(NamedTuple):
    """Where a plan stands on a ledger: the entry's canonical bytes, a head over it, the proof."""

    entry: bytes
    head: Head
    proof: InclusionProof


def commit_plan(
    registration: Registration, state: Path, *, by: str, authority: str | None = None
) -> Commitment:
    """Record the digest of a plan, and sign a head over it; the ledger is made if need be.

    Args:
        authority: an address (http or https) whose RFC 3161 time stamp the head shall carry.

    Raises:
        PlanError: this plan stands there already.
        TimestampError: the authority gave none; plan and head stand there all the same.
        StorageError: the ledger cannot be written.
    """
    plan, digest = registration.plan, registration.digest()
    with Ledger.open(state, create=True) as ledger:
        if _numbers(ledger, digest):
            raise PlanError(f"the plan {digest[:16]}… stands on this ledger already")
        body = {
            "registration": digest,
            "statistic": plan.statistic,
            "alpha": plan.alpha,
            "looks": plan.looks,
            "suspects": plan.suspects,
            "code": plan.code,
            "key_commitments": [mark.commitment for mark in registration.marks],
        }
        [number] = ledger.append([Entry(kind=KIND, at=_now(), by=by, body=body)])
        head = ledger.head()
        if authority is not None:
            head = stamp(head, authority)
            ledger.keep_stamped(head)
        return Commitment(ledger.raw(number), head, ledger.prove(number, head))


def find_commitment(registration: Registration, state: Path) -> Commitment:
    """Where a plan stands, under the first head with a time stamp over it, or else the first.

    Raises:
        PlanError: it does not stand there, or no head covers it.
        StoreFormatError: there is no ledger.
    """
    digest = registration.digest()
    with Ledger.open(state, read_only=True) as ledger:
        numbers = _numbers(ledger, digest)
        if not numbers:
            raise PlanError(
                f"the plan {digest[:16]}… is not on this ledger: it was not committed to here"
            )
        number = numbers[0]
        covering = [head for head in ledger.heads() if head.size > number]
        if not covering:
            raise PlanError(f"no head covers the plan {digest[:16]}…; sign one: ledger head")
        head = next((each for each in covering if each.timestamp is not None), covering[0])
        return Commitment(ledger.raw(number), head, ledger.prove(number, head))


def record_seal(digest: str, registration: Registration, state: Path, *, by: str) -> int:
    """Record that a bundle was sealed; gives the number of the entry.

    Args:
        digest: SHA-256 of its signed statement.

    Raises:
        StorageError: the ledger cannot be written.
    """
    body = {"statement": digest, "registration": registration.digest()}
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
