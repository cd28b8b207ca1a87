"""What cannot wait for a second person: one suspends accounts at once, for a day at most.

It is bounded on every side. It needs a reason, a fact and where that can be looked up; it ends by
itself; it opens a case, which stands first in the queue until it is decided; upholding it takes a
second person; and an account that was suspended so is not again for a month, so that nobody
stretches a day into a ban alone. The ledger is told.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from stillwatch.access.database import Database
from stillwatch.access.registration import check_name
from stillwatch.cases.case import Case, replay
from stillwatch.cases.events import Emergency, Event, Opened
from stillwatch.cases.evidence import Item, check_item, check_text
from stillwatch.cases.findings import OF_EMERGENCIES
from stillwatch.cases.many import among
from stillwatch.cases.measures import LONGEST_MESSAGE, Measure, action_of
from stillwatch.cases.opening import Fresh, listed, new_case_id, write_cases
from stillwatch.cases.people import Who
from stillwatch.cases.reasons import accusation
from stillwatch.cases.schema import ACCOUNTS, CASES
from stillwatch.cases.standing import segment_of, standings
from stillwatch.cases.transaction import Transaction, transaction
from stillwatch.errors import CaseError, ConflictError, InputError

__all__ = ["AGAIN", "LONGEST", "MOST_ACCOUNTS", "SCORE", "Emergencies"]

#: seconds that it lasts at most, for a second person to be found
LONGEST = 86_400
#: seconds until an account may be suspended so again
AGAIN = 30 * 86_400
#: accounts at once
MOST_ACCOUNTS = 50
#: of its case, so that it stands before every finding
SCORE = 1e9


class Emergencies:
    """Suspends without waiting. `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def suspend(
        self, accounts: Sequence[str], lasting: int, who: Who, *, reason: str, why: str,
        source: str, message: str = "",
    ) -> Case:  # fmt: skip
        """Suspend accounts for `lasting` seconds from now; the case in which others decide on it.

        `why` is what was seen and `source` where that can be looked up; `message` is for the
        owners, who read the sentence of the `reason` without it.

        Raises:
            CaseError: it lasts too long, there are too many accounts or none, or a text is missing.
            FourEyesError: `who` is a program.
            ConflictError: an account was suspended so within the last month.
        """
        who.checked().needs_person("a suspension")
        names = _names(accounts)
        if not 0 < lasting <= LONGEST:
            raise CaseError(
                f"an emergency lasts {LONGEST // 3_600} hours at most; longer takes two people: "
                "propose it on the case"
            )
        usual = accusation(reason)
        told = message.strip() or usual
        if len(told) > LONGEST_MESSAGE:
            raise CaseError(f"message: {LONGEST_MESSAGE:,} characters at most")
        fact = Item(kind="fact", text=check_text("why", why), source=source.strip())
        check_item(fact)
        with transaction(self._database, self._clock()) as change:
            _check_first(change, names)
            case = _opened(change, names, who, fact)
            parties = list(enumerate(names, 1))
            until = change.now + lasting
            put = [
                change.put(
                    action_of(
                        Measure(kind="suspend", lasting=lasting),
                        id=f"{case.id}.{case.events + 1}.suspend.{number}",
                        subject=name,
                        reason=reason,
                        message=f"{told} (case {case.id})",
                        by=who.name,
                        person=True,
                        now=change.now,
                    )
                ).id
                for number, name in parties
            ]
            body = Emergency(reason=reason, message=told, actions=tuple(put), until=until)
            case, event = change.append(case, who, body)
            said = {"emergency": True, "reason": reason, "until": until}
            names_hidden = change.commitments(case.id, case.accounts)
            change.record(case.id, event, "action", said, accounts=names_hidden)
            return case


def _names(accounts: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(accounts))
    if not 0 < len(names) <= MOST_ACCOUNTS:
        raise CaseError(
            f"accounts: give 1 to {MOST_ACCOUNTS}, not {len(names):,}; more people than that are "
            "no emergency that one decides (slow them, or propose)"
        )
    for name in names:
        try:
            check_name("account", name)
        except InputError as error:
            raise CaseError(str(error)) from error
    return names


def _check_first(change: Transaction, names: Sequence[str]) -> None:
    """Refuse who was suspended so not long ago, whatever became of it."""
    before = (
        select(ACCOUNTS.c.account, CASES.c.id)
        .join(CASES, CASES.c.id == ACCOUNTS.c.case_id)
        .where(
            CASES.c.campaign.startswith(OF_EMERGENCIES, autoescape=True),
            CASES.c.opened_at > change.now - AGAIN,
            among(change.connection, ACCOUNTS.c.account, names),
        )
    )
    found = change.connection.execute(before.order_by(CASES.c.opened_at.desc())).first()
    if found is not None:
        raise ConflictError(
            f"{found.account} was suspended as an emergency within the last {AGAIN // 86_400} days "
            f"({found.id}); two people decide now, on that case or on another"
        )


def _opened(change: Transaction, names: Sequence[str], who: Who, fact: Item) -> Case:
    campaign = f"{OF_EMERGENCIES}{secrets.token_hex(6)}"
    known = standings(change.connection, names, change.now)
    parties = [(name, known[name]) for name in names]
    at = datetime.fromtimestamp(change.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = Opened(
        campaign=campaign,
        segment=segment_of([standing for _, standing in parties]),
        score=SCORE,
        level=None,
        log10_e=None,
        first_seen=at,
        last_seen=at,
        exchanges=0,
        tokens=None,
        families=(),
        promised=False,
        withheld=(),
        digest=hashlib.sha256(campaign.encode()).hexdigest(),
        seen=at,
        accounts=tuple(range(1, len(parties) + 1)),
        items=(fact,),
        allowed=listed(enumerate(parties, 1)),
    )
    event = Event(number=1, at=change.now, by=who.name, person=who.person, body=body)
    fresh = Fresh(replay(new_case_id(), [event]), event, parties)
    write_cases(change, [fresh])
    return fresh.case
