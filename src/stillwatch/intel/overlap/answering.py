"""The second message: what the policy lets be answered, under a secret that nothing else uses.

The answerer learns how large the question was, and nothing of its identifiers or of the result. So
no floor on a result can be held here; what is held stands before it: who may ask, what for, how
often, how much at once, and of which cases and values an answer is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from stillwatch.errors import IntelError, OutputError, OverlapError, PolicyError, ReplayedError
from stillwatch.intel.exporting.own import Own
from stillwatch.intel.identifiers import FIELDS
from stillwatch.intel.overlap.asking import names
from stillwatch.intel.overlap.blinding import answered
from stillwatch.intel.overlap.gathering import Gathered, of_cases
from stillwatch.intel.overlap.message import LASTING_DAYS, Message, check, fault, make_message
from stillwatch.intel.overlap.questions import KEPT_DAYS, Questions
from stillwatch.intel.overlap.texts import exchange_key, filled
from stillwatch.intel.policy import Overlap, Policy
from stillwatch.intel.profile.times import to_the_second, written
from stillwatch.intel.received.members import Member
from stillwatch.ledger import Entry, Ledger

__all__ = ["Reply", "consider", "give"]


@dataclass(frozen=True)
class Reply:
    """What would be answered.

    Attributes:
        fields: that the answer would be of.
        held: the identifiers that it would be made of.
        texts: the same, filled up.
        answered: questions of this member that were answered within the policy's days.
        refused: why nothing is answered; empty where it is.
    """

    request: Message
    member: Member
    own: Own
    policy: Policy
    fields: tuple[str, ...]
    held: Gathered
    texts: tuple[str, ...]
    answered: int
    refused: tuple[str, ...]


def consider(
    request: Message, *, own: Own, members: Sequence[Member], policy: Policy, state: str,
    logs: Sequence[str], questions: Questions, now: datetime, cases: Sequence[str] = (),
    format: str = "auto",  # noqa: A002
) -> Reply:  # fmt: skip
    """What would be answered to a request; nothing is changed by it.

    Args:
        members: who is pinned here.
        state: where the cases are, a folder or an address.
        cases: that the answer may be made of; all where none is named.

    Raises:
        SealError, WrongMessageError, WrongRecipientError, LateMessageError: of the request.
        ReplayedError: it was answered before.
        InputError: the log cannot be read.
    """
    member = check(request, "request", own.identity, members, now)
    header, rules = request.header, policy.overlap
    if rules is not None:
        for why in questions.why_not(request, rules, now):
            if isinstance(why, ReplayedError):
                raise why
    fields = frozenset(header.fields) & policy.fields & FIELDS.keys()
    refused = list(_forbidden(request, member, policy))
    held = Gathered({})
    if not refused:
        key = exchange_key(header.exchange)
        held = of_cases(state, cases, logs, policy, fields, key, now, format=format)
    texts = tuple(filled(held.items))
    if rules is not None:
        refused += _too_much(request, rules, len(texts))
        refused += [str(why) for why in questions.why_not(request, rules, now)]
    since = now - timedelta(days=rules.days if rules is not None else 0)
    number = questions.answered(header.sender, since)
    return Reply(
        request, member, own, policy, tuple(sorted(fields)), held, texts, number, tuple(refused)
    )


def give(
    reply: Reply, questions: Questions, ledger: Ledger, out: Path, *, by: str, now: datetime,
    even_empty: bool = False,
) -> Message:  # fmt: skip
    """Answer: count the question, record it in the ledger, and write the answer to `out`.

    Args:
        even_empty: whether to answer where nothing is held. The asker cannot tell such an answer
            from one of other identifiers.

    Raises:
        PolicyError: the policy refuses it. Nothing was counted.
        ReplayedError: it was answered before.
        IntelError: nothing is held.
        OverlapError: the request holds what is no point of the curve, or the policy's legal basis
            is no line that can be shown.
        OutputError: there is a file already, or it cannot be written.
    """
    policy, rules = reply.policy, reply.policy.overlap
    if reply.refused or rules is None:
        raise PolicyError(f"the policy '{policy.name}' refuses this: " + "; ".join(reply.refused))
    if not reply.held.items and not even_empty:
        raise IntelError(
            "no identifier would be in the answer (the preview says why); with --even-empty it is "
            "given all the same, and looks like any other"
        )
    if out.exists():
        raise OutputError("there is a file already; name another one", path=out)
    asked = reply.request.header
    held, response = answered(reply.request.points, reply.texts, how_many=asked.asks == "how-many")
    header = msgspec.structs.replace(
        asked,
        kind="answer",
        sender=reply.own.identity,
        recipient=asked.sender,
        fields=reply.fields,
        request=reply.request.digest,
        purpose=asked.purpose,
        legal_basis=policy.legal_basis,
        tlp=policy.tlp,
        made=to_the_second(now),
        until=to_the_second(now + timedelta(days=min(policy.valid_days, LASTING_DAYS))),
    )
    answer = make_message(header, reply.own.key, response, held)
    if (wrong := fault(answer.header)) is not None:
        raise OverlapError(f"nobody would take this answer: {wrong}")
    questions.tidy(now - timedelta(days=KEPT_DAYS))
    questions.record(reply.request, answer.digest, rules, now)
    ledger.append([Entry(kind="export", at=written(now), by=by, body=_said(reply, answer))])
    answer.write(out)
    return answer


def _forbidden(request: Message, member: Member, policy: Policy) -> Iterator[str]:
    """What the policy says of a question, whatever is held: every reason."""
    header, rules = request.header, policy.overlap
    if not names(policy, member):
        yield f"recipients: the policy does not name {member.name}"
    if rules is None:
        yield "overlap: the policy does not say that questions are answered"
        return
    if header.asks not in rules.asks:
        yield f"asks: '{header.asks}' is not answered; {', '.join(rules.asks)} is"
    if header.purpose not in (policy.purpose, *rules.purposes):
        yield f"purpose: '{header.purpose}' is none that the policy names"
    if not set(header.fields) & policy.fields:
        yield f"fields: the policy allows none of {', '.join(header.fields)}"


def _too_much(request: Message, rules: Overlap, held: int) -> Iterator[str]:
    """Whether a question is too large: who asks about everybody asks about nobody."""
    points = request.header.points
    if points > rules.most:
        yield f"most: it is about up to {points:,} identifiers; {rules.most:,} are allowed"
    if points > rules.times * held:
        yield (
            f"times: it is about up to {points:,} identifiers, and the answer is of up to "
            f"{held:,}; {rules.times} times as many are allowed"
        )


def _said(reply: Reply, answer: Message) -> dict[str, object]:
    header, policy = answer.header, reply.policy
    return {
        "overlap": "answered",
        "exchange": header.exchange,
        "request": header.request,
        "message": answer.digest,
        "recipients": [reply.member.name],
        "asks": header.asks,
        "fields": list(header.fields),
        "points": header.points,
        "held": header.held,
        "cases": list(reply.held.cases),
        "policy": {"name": policy.name, "digest": policy.digest},
        "tlp": str(header.tlp),
        "purpose": header.purpose,
        "legal_basis": header.legal_basis,
        "valid_until": header.until,
    }
