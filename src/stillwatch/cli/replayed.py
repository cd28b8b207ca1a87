"""What `stillwatch access replay` prints: totals, rules, customers, accounts, what was assumed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import click

from stillwatch.cli.columns import columns
from stillwatch.gateway.replaying import AccountLine, KindLine, Replay, RuleLine

__all__ = ["print_replay"]

_MEANS = {
    "served": "served as they were asked",
    "changed": "served, but less, slower, elsewhere or on another tier",
    "refused": "refused",
    "limited": "refused by a limit",
    "unjudged": "not to tell: a rule reads what the log does not say",
}
_CHANGES = {
    "same": "come out as before",
    "changed": "come out otherwise: less or more, slower or faster, refused in other words",
    "newly_refused": "newly refused",
    "newly_allowed": "newly allowed",
    "unjudged": "not to tell: a rule reads what the log does not say",
}
_HEADS = {"newly_refused": "refused now", "newly_allowed": "allowed now", "unjudged": "not told"}


def print_replay(report: Replay, out: Path | None) -> None:
    """The report for a person, on standard output."""
    log = report.log
    click.echo(
        f"{log.rows:,} requests of {log.accounts:,} accounts, {log.first or '-'} to"
        f" {log.last or '-'}; {log.rejected:,} rows rejected,"
        f" {log.refused_then:,} answered with 4xx when they were made"
    )
    compared = report.against is not None
    means = _CHANGES if compared else _MEANS
    click.echo()
    _table([("requests", "share", "")] + [
        (f"{count:,}", _percent(count, log.rows), means[name])
        for name, count in report.outcomes.items()
    ], right=2)  # fmt: skip
    if report.effects:
        listed = ", ".join(f"{name} {count:,}" for name, count in report.effects.items())
        click.echo(f"what changes: {listed}")
    kinds = list(means)[1:]
    _rules(report.rules, kinds if compared else ["matched", "acted", "unjudged"])
    _kinds(report.kinds, kinds)
    shadow = frozenset(rule.id for rule in report.rules if rule.does.startswith("("))
    _accounts(report.accounts, kinds, report.affected_accounts, shadow)
    click.echo()
    for rule in report.rules:
        if rule.needs:
            click.echo(f"{rule.id} could not be judged: {', '.join(rule.needs)} not in the log")
    for note in report.notes:
        click.echo(f"note: {note}")
    if out is not None:
        click.echo(f"report: {out / 'replay.json'}")


def _rules(rules: Sequence[RuleLine], kinds: Sequence[str]) -> None:
    if not rules:
        return
    heads = (
        "rule",
        "does",
        *(_HEADS.get(k, k) for k in kinds),
        "accounts",
        "share",
        "first",
        "last",
    )
    click.echo()
    _table([heads] + [
        (
            rule.id, rule.does, *_counts(rule.counts, kinds), f"{rule.accounts:,}",
            f"{rule.share:.2%}", _minute(rule.first), _minute(rule.last),
        )
        for rule in rules
    ], left=2, right=len(kinds) + 2)  # fmt: skip


def _kinds(kinds: Sequence[KindLine], outcomes: Sequence[str]) -> None:
    """Only where the log says what accounts are for."""
    if all(line.kind is None for line in kinds):
        return
    click.echo()
    heads = ("customers", "accounts", "affected", "requests", *(_HEADS.get(o, o) for o in outcomes))
    _table([heads] + [
        (
            line.kind or "(not said)", f"{line.accounts:,}", f"{line.affected:,}",
            f"{line.requests:,}", *_counts(line.outcomes, outcomes),
        )
        for line in kinds
    ], left=1, right=3 + len(outcomes))  # fmt: skip


def _accounts(
    accounts: Sequence[AccountLine], outcomes: Sequence[str], affected: int, shadow: Collection[str]
) -> None:
    if not accounts:
        return
    click.echo()
    click.echo(f"{affected:,} accounts are affected; those with most such requests:")
    heads = ("account", "customer", "requests", *(_HEADS.get(o, o) for o in outcomes), "rules")
    _table([heads] + [
        (
            line.account, line.kind or "-", f"{line.requests:,}",
            *_counts(line.outcomes, outcomes),
            _named(line, shadow),
        )
        for line in accounts
    ], left=2, right=1 + len(outcomes))  # fmt: skip


def _named(line: AccountLine, shadow: Collection[str]) -> str:
    """The rules that met an account, in parentheses those in shadow mode; then those that may."""
    met = (f"({rule})" if rule in shadow else rule for rule in line.rules)
    perhaps = (f"{rule}?" for rule in line.perhaps if rule not in shadow)
    return " ".join((*met, *perhaps)) or "-"


def _counts(counts: Mapping[str, int], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{counts.get(name, 0):,}" for name in names)


def _percent(part: int, of: int) -> str:
    return f"{part / of:.2%}" if of else "-"


def _minute(time: str | None) -> str:
    return "-" if time is None else time[:16].replace("T", " ")


def _table(rows: Sequence[tuple[str, ...]], *, left: int = 0, right: int) -> None:
    """Rows as columns, those after the first `left` aligned to the right, `right` of them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = range(left, left + right)
    click.echo(columns([
        tuple(cell.rjust(widths[i]) if i in numbers else cell for i, cell in enumerate(row))
        for row in rows
    ]))  # fmt: skip
