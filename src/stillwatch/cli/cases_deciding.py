"""`stillwatch cases propose|approve|refuse|undo|emergency|statement`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from stillwatch.cases import Draft
from stillwatch.cases.events import Verdict
from stillwatch.cases.reasons import REASONS
from stillwatch.cases.statement import statement as statement_of
from stillwatch.cases.tokens import APPROVES
from stillwatch.cli.cases_measures import all_measures, measures_of
from stillwatch.cli.cases_stored import BY, acting, cases_at, said, stored
from stillwatch.cli.clock import DURATION, spoken
from stillwatch.cli.stored import print_lines

__all__ = ["approve", "emergency", "propose", "refuse", "statement", "undo"]


@click.command()
@stored
@click.argument("case")
@click.option("--upheld", "verdict", flag_value="upheld", help="The terms were broken.")
@click.option("--dismissed", "verdict", flag_value="dismissed", help="They were not.")
@click.option("--undetermined", "verdict", flag_value="undetermined", help="It cannot be shown.")
@click.option(
    "--reason", required=True, type=click.Choice(list(REASONS)), help="What the owner is told."
)
@click.option("--summary", required=True, help="Why it is so; the owner does not see it.")
@click.option("--message", default="", help="For the owner; the reason's own sentence without it.")
@click.option("--clause", help="Of the terms that the accounts accepted.")
@click.option("--without-terms", default="", metavar="WHY", help="Why it stands without any.")
@click.option("--account", "accounts", multiple=True, help="Only this one; may be given again.")
@click.option("--org", "orgs", multiple=True, help="Measures on this org; takes two people.")
@click.option("--key", "keys", multiple=True, metavar="ID", help="Measures on this key alone.")
@click.option("--second", is_flag=True, help="Let a second person approve in any case.")
@all_measures
@BY
def propose(
    state: str, ledger: Path | None, case: str, verdict: str | None, reason: str, summary: str,
    message: str, clause: str | None, without_terms: str, accounts: tuple[str, ...],
    orgs: tuple[str, ...], keys: tuple[str, ...], second: bool, lasting: int | None,
    verify: int | None, slow: float | None, narrow: tuple[str, ...], mark: bool, suspend: bool,
    by: str | None,
) -> None:  # fmt: skip
    """Propose a verdict, with measures. It holds at once, unless it takes two people.

    With --org or --key measures are put there, and on no account but those named with --account.

    \b
    Example:
      stillwatch cases propose case-5f2a11c09d3e --upheld --reason coordinated-extraction \\
        --summary "one template, one card" --clause 4.2 --suspend --for 14d \\
        --state state --by ana
    """
    if verdict is None:
        raise click.UsageError("name one of --upheld, --dismissed, --undetermined")
    draft = Draft(
        verdict=cast(Verdict, verdict),
        reason=reason,
        summary=summary,
        message=message,
        measures=measures_of(
            lasting, verify=verify, slow=slow, narrow=narrow, mark=mark, suspend=suspend
        ),
        accounts=accounts,
        orgs=orgs,
        keys=keys,
        clause=clause,
        without_terms=without_terms,
        second=second,
    )
    with cases_at(state, ledger) as cases:
        said(cases.bench.propose(case, acting(cases, by), draft))


@click.command()
@stored
@click.argument("case")
@click.option(
    "--proposal",
    metavar="ID",
    help="Which is approved, as `cases show` says; needed where "
    "something else was proposed before.",
)
@click.option(
    "--reaches",
    type=click.IntRange(0),
    metavar="ACCOUNTS",
    help="How many accounts the orgs have that it is for, as `cases show` says; needed for those.",
)
@BY
def approve(
    state: str, ledger: Path | None, case: str, proposal: str | None, reaches: int | None,
    by: str | None,
) -> None:  # fmt: skip
    """Approve what another person proposed. Its measures are in force when this ends.

    \b
    Examples:
      stillwatch cases approve case-5f2a11c09d3e --state state --by bo
      stillwatch cases approve case-5f2a11c09d3e --reaches 412 --state state --by bo
    """
    with cases_at(state, ledger) as cases:
        who = acting(cases, by, roles=APPROVES)
        said(cases.bench.approve(case, who, reaches, proposal))


@click.command()
@stored
@click.argument("case")
@click.option("--why", required=True, help="What is missing or wrong.")
@BY
def refuse(state: str, ledger: Path | None, case: str, why: str, by: str | None) -> None:
    """Send a proposal back; its author may take it back so.

    \b
    Example:
      stillwatch cases refuse case-5f2a11c09d3e --why "ask sales first" --state state --by bo
    """
    with cases_at(state, ledger) as cases:
        said(cases.bench.refuse(case, acting(cases, by), why))


@click.command()
@stored
@click.argument("case")
@click.argument("actions", nargs=-1)
@click.option("--why", required=True, help="Why they end before their time.")
@BY
def undo(
    state: str, ledger: Path | None, case: str, actions: tuple[str, ...], why: str, by: str | None
) -> None:
    """End measures of a case now: those named, or all. One person suffices; the verdict stays.

    \b
    Example:
      stillwatch cases undo case-5f2a11c09d3e --why "they verified" --state state --by ana
    """
    with cases_at(state, ledger) as cases:
        said(cases.bench.undo(case, acting(cases, by), why, actions))


@click.command()
@stored
@click.argument("accounts", nargs=-1, required=True, metavar="ACCOUNT...")
@click.option("--for", "lasting", type=DURATION, required=True, metavar="12h", help="24h at most.")
@click.option("--reason", required=True, type=click.Choice(list(REASONS)), help="For the owners.")
@click.option("--why", required=True, help="What was seen; the owners do not see it.")
@click.option("--source", required=True, help="Where that can be looked up.")
@click.option("--message", default="", help="For the owners; the reason's own sentence without it.")
@BY
def emergency(
    state: str, ledger: Path | None, accounts: tuple[str, ...], lasting: int, reason: str, why: str,
    source: str, message: str, by: str | None,
) -> None:  # fmt: skip
    """Suspend accounts now, alone, for a day at most. The id of the case is printed.

    It ends by itself. What is to last longer others decide on that case, which stands first in the
    list; upholding it takes a second person. An account is not suspended so twice within 30 days.

    \b
    Example:
      stillwatch cases emergency acme --for 12h --reason identity-unclear \\
        --why "its key is in a public repository" --source "ticket 4711" --state state --by ana
    """
    with cases_at(state, ledger, create=True) as cases:
        who = acting(cases, by)
        case = cases.emergencies.suspend(
            accounts, lasting, who, reason=reason, why=why, source=source, message=message
        )
    assert case.emergency is not None
    click.echo(
        f"suspended until {spoken(case.emergency.until)} UTC, unless two people decide otherwise "
        "on this case:",
        err=True,
    )
    click.echo(case.id)


@click.command()
@stored
@click.argument("case")
@click.argument("account")
def statement(state: str, ledger: Path | None, case: str, account: str) -> None:
    """Print what the owner of ACCOUNT may be told, as JSON: what holds, why, until when, how to
    appeal; and nothing of how it was noticed.

    \b
    Example:
      stillwatch cases statement case-5f2a11c09d3e acme --state state
    """
    with cases_at(state, ledger) as cases:
        found = cases.desk.case(case)
        with cases.database.reading() as (connection, _):
            print_lines([statement_of(connection, found, account)])
