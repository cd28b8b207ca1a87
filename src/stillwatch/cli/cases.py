"""`stillwatch cases`: open, list, show and work on cases. What decides is in `cases_deciding`,
rules and lists are in `cases_rules`, what is read off all cases in `cases_reading`."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.cases import Item, State, read_findings
from stillwatch.cases.evidence import ItemKind
from stillwatch.cases.findings import OF_EMERGENCIES
from stillwatch.cases.working import Row
from stillwatch.cli.cases_deciding import approve, emergency, propose, refuse, statement, undo
from stillwatch.cli.cases_printed import print_case
from stillwatch.cli.cases_reading import pool, precision, record, serve, token
from stillwatch.cli.cases_rules import allow, rule, terms
from stillwatch.cli.cases_stored import (
    BY,
    PROGRAM,
    acting,
    cases_at,
    said,
    stored,
    viewed,
)
from stillwatch.cli.clock import spoken
from stillwatch.cli.stored import JSON, print_lines, print_rows

__all__ = ["command"]


@click.group()
def command() -> None:
    """Between a finding and an action: cases that people claim, weigh and decide.

    Every decision needs counter-evidence that somebody looked for, and a reason code that the
    owner of an account can be shown. A suspension, and a rule that acts by itself, take two
    people. Measures end by themselves, can be undone, and reach every gateway that uses the same
    store within two seconds. The page docs/cases.md walks through a day.
    """


for each in (propose, approve, refuse, undo, emergency, statement, precision, pool, record, serve,
             token, allow, rule, terms):  # fmt: skip
    command.add_command(each)


@command.command("open")
@stored
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@BY
@PROGRAM
@click.option("--review", is_flag=True, help="Also the groups that the scan put under review.")
@click.option("--segment", metavar="NAME", help="In place of the tier that most accounts have.")
def open_(
    state: str, ledger: Path | None, path: Path, by: str | None, program: bool, review: bool,
    segment: str | None,
) -> None:  # fmt: skip
    """Open a case for each campaign of FILE: campaigns.json of a scan, findings.jsonl of a watch.

    A campaign that has a case is added to it; the same file again changes nothing. Approved rules
    act on cases that nobody has claimed. The ids of new cases are printed, one a line.

    \b
    Example:
      stillwatch cases open found/campaigns.json --state state --by scan --program
    """
    findings = read_findings(path, review=review)
    with cases_at(state, ledger, create=True) as cases:
        taken = cases.intake.open(findings, acting(cases, by, program=program), segment=segment)
    click.echo(
        f"{len(taken.opened):,} opened, {len(taken.updated):,} updated, "
        f"{len(taken.automated):,} acted on by a rule",
        err=True,
    )
    for case in taken.opened:
        click.echo(case)


@command.command("list")
@stored
@click.option("--in", "within", type=click.Choice([str(s) for s in State]), help="Of one state.")
@click.option("--claimed-by", metavar="NAME", help="Of one analyst.")
@JSON
def list_(
    state: str, ledger: Path | None, within: str | None, claimed_by: str | None, as_json: bool
) -> None:
    """Show the cases, highest score first.

    \b
    Examples:
      stillwatch cases list --state state --in open
      stillwatch cases list --state state --claimed-by ana --json
    """
    with cases_at(state, ledger) as cases:
        rows = cases.desk.queue(State(within) if within else None, claimed_by=claimed_by)
        if as_json:
            print_lines(rows)
            return
        print_rows(
            ("CASE", "STATE", "VERDICT", "SCORE", "ACCOUNTS", "SEGMENT", "WITH", "WAITS", "OPENED"),
            (
                (
                    row.id, row.state, row.verdict or "-", _score(row),
                    f"{row.accounts}{' (allow-listed)' if row.allowed else ''}", row.segment,
                    row.claimed_by or "-", _waits_for(row),
                    spoken(row.opened_at),
                )
                for row in rows
            ),
        )  # fmt: skip


def _score(row: Row) -> str:
    return "-" if row.campaign.startswith(OF_EMERGENCIES) else f"{row.score:.1f}"


def _waits_for(row: Row) -> str:
    if row.pending:
        return "approval"
    decided = row.state in (State.DECIDED, State.CLOSED)
    return "-" if decided or not row.campaign.startswith(OF_EMERGENCIES) else "second person"


@command.command()
@stored
@click.argument("case")
@JSON
def show(state: str, ledger: Path | None, case: str, as_json: bool) -> None:
    """Show a case: facts, inference with base rates, counter-evidence, decisions, measures.

    \b
    Example:
      stillwatch cases show case-5f2a11c09d3e --state state
    """
    with cases_at(state, ledger) as cases:
        view = viewed(cases, cases.desk.case(case))
        if as_json:
            print_lines([view])
        else:
            print_case(view)


@command.command()
@stored
@click.argument("case")
@BY
def claim(state: str, ledger: Path | None, case: str, by: str | None) -> None:
    """Take a case. Of two who do so at once one gets it.

    \b
    Example:
      stillwatch cases claim case-5f2a11c09d3e --state state --by ana
    """
    with cases_at(state, ledger) as cases:
        said(cases.desk.claim(case, acting(cases, by)))


@command.command()
@stored
@click.argument("case")
@BY
def release(state: str, ledger: Path | None, case: str, by: str | None) -> None:
    """Give a case back to the queue, with what was proposed on it."""
    with cases_at(state, ledger) as cases:
        said(cases.desk.release(case, acting(cases, by)))


@command.command()
@stored
@click.argument("case")
@click.argument("question")
@click.option("--of", default="operator", show_default=True, help="Who shall answer.")
@BY
def ask(state: str, ledger: Path | None, case: str, question: str, of: str, by: str | None) -> None:
    """Ask for evidence. The case waits until something is added with --answer.

    \b
    Example:
      stillwatch cases ask case-5f2a11c09d3e "Who pays for these?" --of sales \\
        --state state --by ana
    """
    with cases_at(state, ledger) as cases:
        said(cases.desk.ask(case, acting(cases, by), question, of))


@command.command()
@stored
@click.argument("case")
@click.argument("text")
@click.option("--fact", "kind", flag_value="fact", help="It was observed; needs --source.")
@click.option("--inference", "kind", flag_value="inference", help="It was concluded or scored; "
              "needs --base-rate.")  # fmt: skip
@click.option("--counter", "kind", flag_value="counter", help="It speaks for the accounts.")
@click.option("--source", default="", help="Where it can be looked up.")
@click.option("--base-rate", type=float, help="Its share among honest accounts, 0 to 1.")
@click.option("--value", type=float, help="What was measured, in the unit that TEXT names.")
@click.option("--answer", is_flag=True, help="It answers what was asked.")
@BY
@PROGRAM
def add(
    state: str, ledger: Path | None, case: str, text: str, kind: ItemKind | None, source: str,
    base_rate: float | None, value: float | None, answer: bool, by: str | None, program: bool,
) -> None:  # fmt: skip
    """Add a fact, an inference or counter-evidence to a case.

    Before a decision a person must have added counter-evidence: what speaks for the accounts, or
    where one looked and found nothing.

    \b
    Example:
      stillwatch cases add case-5f2a11c09d3e "asked sales: no contract" --counter \\
        --state state --by ana
    """
    if kind is None:
        raise click.UsageError("name one of --fact, --inference, --counter")
    item = Item(kind=kind, text=text, source=source, base_rate=base_rate, value=value)
    with cases_at(state, ledger) as cases:
        said(cases.desk.add(case, acting(cases, by, program=program), item, answer=answer))


@command.command()
@stored
@click.argument("case")
@click.argument("text")
@click.option("--through", default="mail", show_default=True, help="How it was received.")
@BY
@PROGRAM
def appeal(
    state: str,
    ledger: Path | None,
    case: str,
    text: str,
    through: str,
    by: str | None,
    program: bool,
) -> None:
    """Write down what the owner says against a verdict. Other people than before decide on it.

    \b
    Example:
      stillwatch cases appeal case-5f2a11c09d3e "this is our evaluation suite" \\
        --state state --by support --program
    """
    with cases_at(state, ledger) as cases:
        said(cases.desk.appeal(case, acting(cases, by, program=program), text, through))


@command.command()
@stored
@click.argument("case")
@click.option("--why", required=True, help="Why it rests.")
@BY
def close(state: str, ledger: Path | None, case: str, why: str, by: str | None) -> None:
    """Lay a decided case to rest. Measures last as long as they would have; appeals still open it.

    \b
    Example:
      stillwatch cases close case-5f2a11c09d3e --why "measures ended" --state state --by ana
    """
    with cases_at(state, ledger) as cases:
        said(cases.desk.close(case, acting(cases, by), why))
