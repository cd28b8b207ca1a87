"""Who went on after a ban: accounts of the same effort that were first seen after others fell.

Campaigns of later reports are the same effort as a case where they carry its id, or where they
share more than half of the accounts of the smaller, as a watch has it. An account counts as seen
from the first report on that names it, not from its first request: reports name no times of single
accounts. A link is not a verdict: what is found here is shown, and nothing is done about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from stillwatch.access.database import Database
from stillwatch.cases.case import Case
from stillwatch.cases.findings import Finding
from stillwatch.cases.reach import parties_of
from stillwatch.cases.schema import ACCOUNTS
from stillwatch.cases.transaction import names_of, read_case
from stillwatch.errors import CaseError

__all__ = ["Pool", "PoolAccount", "pool_of"]

_SHARE = 0.5


class PoolAccount(msgspec.Struct, frozen=True, kw_only=True):
    """`seen_at` is the time of the first report that names it (seconds, UTC), `seen_in` the id of
    the campaign there; `fell_at` is when it was first suspended for the case; `after` is the
    seconds from the last suspension before it was seen, for a successor."""

    account: str
    seen_at: int
    seen_in: str
    fell_at: int | None
    successor: bool
    after: int | None


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts of an effort, in the order in which they were seen."""

    case: str
    campaigns: tuple[str, ...]
    suspensions: int
    successors: int
    accounts: tuple[PoolAccount, ...]


def pool_of(database: Database, case_id: str, later: Iterable[Finding] = ()) -> Pool:
    """The pool of a case, from its own findings and those of later reports.

    Raises:
        UnknownCaseError: there is no such case.
        CaseError: a report says at no time that can be read when it was made.
    """
    with database.reading() as (connection, _):
        case = read_case(connection, case_id)
        known = _known(connection, case)
        fell = _fell(connection, case)
    campaigns = {case.campaign: None}
    for at, finding in sorted(((_at(each), each) for each in later), key=lambda pair: pair[0]):
        shared = len(known.keys() & set(finding.accounts))
        smaller = min(len(known), len(finding.accounts))
        if finding.event == "withdrawn" or (
            finding.id not in campaigns and shared <= _SHARE * smaller
        ):
            continue
        campaigns[finding.id] = None
        for account in finding.accounts:
            if account not in known or at < known[account][0]:
                known[account] = (at, finding.id)
    accounts = [
        _account(name, at, campaign, fell)
        for name, (at, campaign) in sorted(known.items(), key=lambda item: (item[1][0], item[0]))
    ]
    return Pool(
        case=case_id,
        campaigns=tuple(campaigns),
        suspensions=len(fell),
        successors=sum(each.successor for each in accounts),
        accounts=tuple(accounts),
    )


def _account(name: str, at: int, campaign: str, fell: dict[str, int]) -> PoolAccount:
    before = [when for other, when in fell.items() if other != name and when < at]
    return PoolAccount(
        account=name,
        seen_at=at,
        seen_in=campaign,
        fell_at=fell.get(name),
        successor=bool(before),
        after=at - max(before) if before else None,
    )


def _known(connection: Connection, case: Case) -> dict[str, tuple[int, str]]:
    """The accounts of the case: first seen when, and in which campaign."""
    wanted = select(ACCOUNTS.c.account, ACCOUNTS.c.seen_at).where(
        ACCOUNTS.c.case_id == case.id, ACCOUNTS.c.account.is_not(None)
    )
    return {row.account: (row.seen_at, case.campaign) for row in connection.execute(wanted)}


def _fell(connection: Connection, case: Case) -> dict[str, int]:
    """When each account was first suspended for the case, also where that was undone since."""
    names = names_of(connection, case.id)
    org_of = {number: known.org for number, known in parties_of(connection, case.id).values()}
    fell: dict[str, int] = {}
    for decided in case.decisions:
        if any(measure.kind == "suspend" for measure in decided.proposal.measures):
            orgs = {target.account for target in decided.proposal.wider if target.key is None}
            named = {org_of.get(number) for number in orgs} - {None}
            for number, name in names.items():
                hit = number in decided.proposal.accounts or org_of.get(number) in named
                if hit and name is not None:
                    fell.setdefault(name, decided.at)
    return fell


def _at(finding: Finding) -> int:
    try:
        return int(datetime.fromisoformat(finding.at or finding.last_seen).timestamp())
    except ValueError as error:
        raise CaseError(f"{finding.id}: {finding.at!r} is no time of RFC 3339") from error
