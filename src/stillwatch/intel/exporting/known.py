"""What is known of a case before its log is read: never more than an export could tell.

Nothing that people wrote is taken along, for it may name somebody; of a detection only its name,
its family, and how often it is met among honest accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stillwatch.cases import Case, Cases
from stillwatch.cases.events import Updated, Verdict
from stillwatch.cases.views import view_of
from stillwatch.errors import IntelError

__all__ = ["Known", "Scored", "known_of"]


@dataclass(frozen=True)
class Scored:
    """What one detection said; `base_rate` is None where it did not measure it."""

    family: str
    detection: str
    base_rate: float | None


@dataclass(frozen=True)
class Known:
    """A case, for an export.

    Attributes:
        accounts: those that it is about: of an upheld case those that the verdict is about.
        spared: accounts on the allow-list; they count as honest.
        aside: accounts of the case that are neither.
        people: how many people had a part in the verdict.
        response: kinds of measures in force now.
        told: digests, as the patterns of indicators, that others told of, where the case rests on
            what others told: they are not ours to tell again.
    """

    case: str
    verdict: Verdict | None
    people: int
    level: float | None
    withdrawn: bool
    first_seen: datetime
    last_seen: datetime
    exchanges: int
    tokens: int | None
    scored: tuple[Scored, ...]
    accounts: frozenset[str]
    spared: frozenset[str]
    aside: frozenset[str]
    response: tuple[str, ...]
    told: frozenset[str] = frozenset()

    @property
    def families(self) -> tuple[str, ...]:
        """Families of evidence, sorted."""
        return tuple(sorted({each.family for each in self.scored}))


def known_of(cases: Cases, case_id: str, now: datetime) -> Known:
    """What is known of a case.

    Raises:
        UnknownCaseError: there is none.
        IntelError: all its accounts were erased, or none is left that it is about.
    """
    case = cases.desk.case(case_id)
    with cases.database.reading() as (connection, _):
        view = view_of(connection, case, int(now.timestamp()))
    chosen = set(case.accounts) - set(case.allowed)
    decided = case.decisions[-1] if case.verdict == "upheld" else None
    if decided is not None and decided.proposal.accounts:
        chosen &= set(decided.proposal.accounts)
    names = {party.number: party.account for party in view.accounts}
    accounts = frozenset(name for number in chosen if (name := names.get(number)) is not None)
    if not accounts:
        raise IntelError(f"{case_id}: no account is left that could be told of")
    spared = {name for n in case.allowed if (name := names.get(n)) is not None}
    updates = [e.body for e in cases.desk.events(case_id) if isinstance(e.body, Updated)]
    last: Updated | None = updates[-1] if updates else None
    opened = case.opened
    return Known(
        case=case.id,
        verdict=case.verdict,
        people=len({decided.proposed_by, decided.approved_by}) if decided is not None else 0,
        level=case.level,
        withdrawn=case.withdrawn,
        first_seen=datetime.fromisoformat(opened.first_seen),
        last_seen=datetime.fromisoformat(last.last_seen if last else opened.last_seen),
        exchanges=last.exchanges if last else opened.exchanges,
        tokens=opened.tokens,
        scored=_scored(case),
        accounts=accounts,
        spared=frozenset(spared),
        aside=frozenset(filter(None, names.values())) - accounts - spared,
        response=tuple(
            sorted(
                {
                    each.kind
                    for each in view.measures
                    if each.undone_at is None and each.until > now.timestamp()
                }
            )
        ),
    )


def _scored(case: Case) -> tuple[Scored, ...]:
    found: dict[tuple[str, str], float | None] = {}
    for piece in case.pieces("inference"):
        item = piece.item
        if item.family and item.detection:
            key = item.family, item.detection
            rates = [rate for rate in (found.get(key), item.base_rate) if rate is not None]
            # said twice of one detection: the larger rate is the one that can be promised
            found[key] = max(rates, default=None)
    return tuple(Scored(*key, rate) for key, rate in sorted(found.items()))
