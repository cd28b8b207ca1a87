"""What a replay found, as data: what the table, the JSON and the files are made of."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from stillwatch.gateway.replaying.comparing import CHANGES, OUTCOMES
from stillwatch.gateway.replaying.judging import Judge, does
from stillwatch.gateway.replaying.tallies import Tallies

__all__ = ["FORMAT", "AccountLine", "KindLine", "LogRead", "Replay", "RuleLine", "account_lines"]

FORMAT = "stillwatch.replay/1"
#: accounts that the table and the JSON name
MOST_ACCOUNTS = 20


class LogRead(msgspec.Struct, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """What was read. `refused_then` are requests that were answered with 4xx at the time."""

    files: tuple[str, ...]
    format: str
    rows: int
    rejected: int
    accounts: int
    first: str | None
    last: str | None
    refused_then: int


class RuleLine(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, level, limit or action. `counts` are requests: ``matched``, ``acted`` and
    ``unjudged``, or by change; `needs` are the facts that the log does not have."""

    id: str
    does: str
    counts: dict[str, int]
    accounts: int
    share: float
    first: str | None
    last: str | None
    needs: tuple[str, ...]


class KindLine(msgspec.Struct, frozen=True, kw_only=True):
    """Customers of one kind, as the log calls it (`kind` is ``None`` where it does not)."""

    kind: str | None
    accounts: int
    affected: int
    requests: int
    outcomes: dict[str, int]


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account: its requests by outcome, the rules that met it, and those of which nobody can
    tell whether they did."""

    account: str
    kind: str | None
    org: str | None
    requests: int
    affected: int
    outcomes: dict[str, int]
    rules: tuple[str, ...]
    perhaps: tuple[str, ...]
    first: str | None
    last: str | None


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a replay found. Times are RFC 3339, UTC. `against` is ``None`` for one set of
    rules alone; `effects` counts what changes of changed requests; `absent` are facts that rules
    could read and the log never has; `notes` say what else was assumed."""

    format: str = FORMAT
    rules_file: str
    against: str | None
    log: LogRead
    outcomes: dict[str, int]
    effects: dict[str, int]
    rules: tuple[RuleLine, ...]
    kinds: tuple[KindLine, ...]
    accounts: tuple[AccountLine, ...]
    affected_accounts: int
    absent: tuple[str, ...]
    notes: tuple[str, ...]


def rule_lines(tallies: Tallies, judges: tuple[Judge, ...], rows: int) -> tuple[RuleLine, ...]:
    """A line for each rule of the first judge in its order, then for what else was met."""
    accounts = tallies.accounts_met()
    effects: dict[str, str] = {}
    for judge in reversed(judges):
        effects.update((name, does(rule)) for name, rule in judge.rules.items())
    order = list(dict.fromkeys([*judges[0].rules, *tallies.rules]))
    return tuple(
        RuleLine(
            id=name,
            does=effects.get(name, "-"),
            counts=dict(tally.counts),
            accounts=accounts[name],
            share=_share(
                tally.counts.total() if len(judges) > 1 else tally.counts["matched"], rows
            ),
            first=_time(tally.first),
            last=_time(tally.last),
            needs=tuple(sorted(tally.needs)),
        )
        for name in order
        if (tally := tallies.rules.get(name)) is not None
    )


def kind_lines(tallies: Tallies) -> tuple[KindLine, ...]:
    """A line for each kind of customer, by its share of affected accounts."""
    lines = [
        KindLine(
            kind=kind, accounts=accounts, affected=affected, requests=sum(counts),
            outcomes=dict(zip(tallies.outcomes, counts, strict=True)),
        )
        for kind, (accounts, affected, counts) in tallies.kinds().items()
    ]  # fmt: skip
    return tuple(sorted(lines, key=lambda e: (-e.affected / e.accounts, e.kind or "")))


def account_lines(
    tallies: Tallies, names: dict[str, str], number: int | None = MOST_ACCOUNTS
) -> tuple[AccountLine, ...]:
    """The accounts that are affected most; all that are affected without a `number`."""
    return tuple(
        AccountLine(
            account=names.get(account, account),
            kind=tally.kind,
            org=tally.org,
            requests=sum(tally.counts),
            affected=tallies.affected(tally),
            outcomes=dict(zip(tallies.outcomes, tally.counts, strict=True)),
            rules=tuple(tallies.among(tally.met)),
            perhaps=tuple(tallies.among(tally.perhaps & ~tally.met)),
            first=_time(tally.first),
            last=_time(tally.last),
        )
        for account, tally in tallies.most_affected(number)
    )


def outcomes(tallies: Tallies, *, compared: bool) -> dict[str, int]:
    return {name: tallies.totals[name] for name in (CHANGES if compared else OUTCOMES)}


def log_read(
    files: tuple[str, ...], format: str, rows: int, rejected: int, accounts: int,  # noqa: A002
    span: tuple[int | None, int | None], refused_then: int,
) -> LogRead:  # fmt: skip
    return LogRead(
        files=files, format=format, rows=rows, rejected=rejected, accounts=accounts,
        first=_time(span[0]), last=_time(span[1]), refused_then=refused_then,
    )  # fmt: skip


def _share(part: int, of: int) -> float:
    return round(part / of, 6) if of else 0.0


def _time(at: int | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="seconds")[:19] + "Z"
