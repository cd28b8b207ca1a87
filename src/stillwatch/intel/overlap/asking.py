"""The first message: what of ours does another hold, too?

It tells how many points there are, to a power of two, of which fields, and why it is asked. Its
points say nothing of the identifiers to whoever cannot solve Diffie-Hellman over P-256.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from stillwatch.errors import LowEntropyError, OutputError, OverlapError, PolicyError
from stillwatch.intel.exporting.own import Own
from stillwatch.intel.overlap.blinding import Blinding
from stillwatch.intel.overlap.gathering import Gathered
from stillwatch.intel.overlap.message import Header, Message, fault, make_message
from stillwatch.intel.overlap.secret import Secret, write_secret
from stillwatch.intel.overlap.texts import filled
from stillwatch.intel.policy import Policy
from stillwatch.intel.policy.policy import Asks
from stillwatch.intel.profile.times import to_the_second, written
from stillwatch.intel.received.members import Member
from stillwatch.ledger import Entry, Ledger

__all__ = ["Question", "ask", "new_exchange", "send"]


@dataclass(frozen=True)
class Question:
    """A request, what is kept to open its answer, and under which policy it leaves."""

    request: Message
    secret: Secret
    member: Member
    policy: Policy


def new_exchange() -> str:
    """The number of a new exchange: 256 random bits, 64 hexadecimal digits."""
    return secrets.token_hex(32)


def ask(
    gathered: Gathered, exchange: str, *, asks: Asks, fields: frozenset[str], own: Own,
    member: Member, policy: Policy, days: int, now: datetime,
) -> Question:  # fmt: skip
    """A question to `member`, which nobody was sent yet.

    Args:
        gathered: under the key of `exchange`.
        asks: which of them the other holds, or only how many.
        fields: that the question is about.
        days: in which it may be answered, 31 at most.

    Raises:
        PolicyError: the policy does not name the member as a recipient.
        LowEntropyError: nothing is left to ask about.
        OverlapError: there is too much, the policy's purpose is no line that can be shown, or the
            library is not installed.
    """
    if not names(policy, member):
        raise PolicyError(
            f"the policy '{policy.name}' names no recipient {member.name}: "
            f"{', '.join(policy.recipients)}"
        )
    if not gathered.items:
        raise LowEntropyError(
            "nothing is left to ask about: "
            + ("; ".join(f"{each.field}: {each.why}" for each in gathered.dropped) or "no value")
        )
    texts = filled(gathered.items)
    blinding = Blinding(asks == "how-many")
    header = Header(
        kind="request",
        exchange=exchange,
        sender=own.identity,
        recipient=member.identity,
        asks=asks,
        fields=tuple(sorted(fields)),
        points=0,
        held=0,
        request="",
        purpose=policy.purpose,
        legal_basis=policy.legal_basis,
        tlp=policy.tlp,
        made=to_the_second(now),
        until=to_the_second(now + timedelta(days=days)),
        body="",
        key="",
    )
    request = make_message(header, own.key, blinding.points(texts))
    if (wrong := fault(request.header)) is not None:
        raise OverlapError(f"nobody would take this request: {wrong}")
    secret = Secret(
        exchange=exchange,
        request=request.digest,
        member=member.identity,
        asks=asks,
        fields=header.fields,
        key=blinding.key.hex(),
        items=tuple(gathered.items.get(text) for text in texts),
    )
    return Question(request, secret, member, policy)


def names(policy: Policy, member: Member) -> bool:
    """Whether a policy names a member, by its name or its id, as one of its recipients."""
    return member.name in policy.recipients or member.identity in policy.recipients


def send(
    question: Question, ledger: Ledger, out: Path, secret: Path, *, by: str, now: datetime
) -> None:
    """Write the secret, record the question in the ledger, and write the request.

    Raises:
        OutputError: there is a file already, or one cannot be written.
    """
    if out.exists():
        raise OutputError("there is a file already; name another one", path=out)
    write_secret(question.secret, secret)
    header, policy = question.request.header, question.policy
    ledger.append(
        [
            Entry(
                kind="export",
                at=written(now),
                by=by,
                body={
                    "overlap": "asked",
                    "exchange": header.exchange,
                    "message": question.request.digest,
                    "recipients": [question.member.name],
                    "asks": header.asks,
                    "fields": list(header.fields),
                    "points": header.points,
                    "policy": {"name": policy.name, "digest": policy.digest},
                    "tlp": str(header.tlp),
                    "purpose": header.purpose,
                    "legal_basis": header.legal_basis,
                    "valid_until": header.until,
                },
            )
        ]
    )
    question.request.write(out)
