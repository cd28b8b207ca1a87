"""`stillwatch access`: check rules, test them against cases, replay a log, list what they ask."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.access.casebook import read_cases, run, unmatched
from stillwatch.access.facts import FACTS
from stillwatch.access.reading import read_access_file
from stillwatch.access.trying import trial_view
from stillwatch.cli import replay
from stillwatch.cli.columns import columns
from stillwatch.errors import ExitStatus

__all__ = ["command"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def command() -> None:
    """Who may ask what: rules, checked and tested before they are in force."""


@command.command()
@click.argument("rules", type=_FILE)
@click.argument("cases", type=_FILE)
def test(rules: Path, cases: Path) -> int:
    """Decide the requests in CASES as the gateway would with the file RULES.

    Levels, tiers and backends count where the file defines them.

    Ends with 0 when every case is as expected, with 2 when one is not or a file cannot be read.
    """
    access = read_access_file(rules)
    read, view = access.rules, trial_view(access)
    outcomes = run(read_cases(cases, read, view), read, view)
    table = [("", "case", "decision", "rules")]
    for each in outcomes:
        shadow = tuple(f"({rule})" for rule in each.shadow)
        verdict = "DIFFERS" if each.differences else "ok"
        matched = " ".join((*each.matched, *shadow)) or "-"
        refused = each.refused not in ("none", "denied")
        decision = f"deny: {each.refused}" if refused else each.decision
        table.append((verdict, each.case.name, decision, matched))
    click.echo(columns(table))
    different = [each for each in outcomes if each.differences]
    for each in different:
        click.echo(f"{each.case.name}: {'; '.join(each.differences)}")
    for each in outcomes:
        if each.failed:
            click.echo(f"{each.case.name}: could not be evaluated: {', '.join(each.failed)}")
    if unseen := unmatched(outcomes, read):
        click.echo(f"no case makes these rules match: {', '.join(unseen)}")
    click.echo(f"{len(outcomes) - len(different)} of {len(outcomes)} cases are as expected")
    return ExitStatus.UNREADABLE if different else ExitStatus.NOTHING_FOUND


@command.command()
@click.argument("rules", type=_FILE)
def check(rules: Path) -> None:
    """Check the file RULES: names, types, rules that no request can reach."""
    read = read_access_file(rules)
    shadow = sum(rule.shadow for rule in read.rules.rules)
    click.echo(
        f"{len(read.rules.rules)} rules ({shadow} in shadow mode), {len(read.levels)} levels,"
        f" {len(read.tiers)} tiers, {len(read.backends)} backends: nothing is wrong with them"
    )


@command.command()
def names() -> None:
    """List the names that conditions may use, with their types."""
    click.echo(columns([(fact.name, fact.type, fact.holds) for fact in FACTS.values()]))


command.add_command(replay.command)
