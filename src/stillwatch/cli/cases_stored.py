"""What all of `stillwatch cases` shares: where the cases are, who acts, how a case is printed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from stillwatch.cases import Case, Cases, Role, Who, open_cases
from stillwatch.cases.tokens import WORKS, Token
from stillwatch.cases.views import CaseView, view_of
from stillwatch.cli.clock import spoken
from stillwatch.errors import StillwatchError
from stillwatch.key_files import read_key_file
from stillwatch.ledger import Ledger

__all__ = [
    "BY",
    "PROGRAM",
    "TOKEN",
    "acting",
    "cases_at",
    "maker",
    "print_case",
    "said",
    "secret",
    "stored",
    "viewed",
]

F = TypeVar("F", bound=Callable[..., Any])

_META = "stillwatch.cases.token_file"
TOKEN = click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    expose_value=False,
    callback=lambda context, _, path: context.meta.update({_META: path}),
    help="Holds the token of whoever does this; without it STILLWATCH_TOKEN is read.",
)
_NAME = click.option(
    "--by",
    envvar="STILLWATCH_BY",
    show_envvar=True,
    metavar="NAME",
    help="Who does this; believed only where no token was ever made.",
)


def BY(function: F) -> F:  # noqa: N802
    """The options that say who acts: ``by`` of the function, for :func:`acting`."""
    return _NAME(TOKEN(function))


PROGRAM = click.option("--program", is_flag=True, help="NAME is a program, and no person.")


def stored(function: F) -> F:
    """The options that say where cases are: ``state`` and ``ledger`` of the function."""
    function = click.option(
        "--ledger",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Folder of the ledger that decisions are recorded in; without it the state folder.",
    )(function)
    function = click.option(
        "--store",
        metavar="URL",
        expose_value=False,
        callback=_same,
        help="… or the address of its PostgreSQL database (postgresql://host/name).",
    )(function)
    return click.option(
        "--state",
        envvar="STILLWATCH_STATE",
        show_envvar=True,
        metavar="DIR",
        is_eager=True,
        help="State folder of the gateway, which follows what is decided,",
    )(function)


def _same(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.params["state"] = value
    elif not context.params.get("state"):
        raise click.UsageError("say where the cases are, with --state DIR or --store URL")


@contextmanager
def cases_at(state: str, ledger: Path | None = None, *, create: bool = False) -> Iterator[Cases]:
    """The cases; what was decided within the block is in the ledger when it ends.

    Where the ledger fails, the decision holds, waits in the store, and is told with the next one.
    """
    with open_cases(state, create=create) as cases:
        yield cases
        folder = ledger or (Path(state) if "://" not in state else None)
        waits = cases.unrecorded()
        if not waits:
            return
        if folder is None:
            click.echo(f"{waits:,} entries wait for a ledger; name one with --ledger", err=True)
            return
        try:
            with Ledger.open(folder, create=True) as book:
                cases.deliver(book)
        except StillwatchError as error:
            click.echo(f"decided, but not yet in the ledger: {error} [{error.code}]", err=True)


def viewed(cases: Cases, case: Case) -> CaseView:
    """A case with names."""
    with cases.database.reading() as (connection, _):
        return view_of(connection, case, int(cases.clock()))


def said(case: Case) -> None:
    """What became of a case, for whoever did something to it."""
    what = f"{case.id} is {case.state}"
    if case.verdict is not None:
        what += f": {case.verdict}"
    if case.claimed_by is not None:
        what += f", with {case.claimed_by}"
    if case.pending is not None:
        what += f"; {case.pending.proposal} waits for a second person"
    click.echo(what, err=True)


def secret() -> str | None:
    """The token that was given.

    Raises:
        KeyFileError: its file cannot be read, or everybody can read it.
    """
    path: Path | None = click.get_current_context().meta.get(_META)
    if path is None:
        return os.environ.get("STILLWATCH_TOKEN") or None
    return read_key_file(path, "the token").decode("ascii", errors="replace").strip()


def maker(cases: Cases) -> Token | None:
    """Whose token was given, if one was."""
    given = secret()
    return None if given is None else cases.tokens.bearer(given)


def acting(cases: Cases, by: str | None, *, roles: Set[Role] = WORKS, program: bool = False) -> Who:
    """Who acts: whom the token speaks for, or who `by` says, where no token was ever made."""
    return cases.tokens.acting(secret(), by, roles=roles, person=not program)


def print_case(view: CaseView) -> None:
    """A case for people: facts, inference and what speaks against it apart from each other."""
    verdict = f", {view.verdict}" if view.verdict else ""
    click.echo(f"{view.id}  {view.state}{verdict}  campaign {view.campaign}  score {view.score:g}")
    families = ", ".join(view.families) or "-"
    click.echo(
        f"opened {spoken(view.opened_at)}  segment {view.segment}  families {families}  "
        f"with {view.claimed_by or 'nobody'}"
    )
    if view.emergency_until is not None:
        click.echo(
            f"an emergency: suspended until {spoken(view.emergency_until)} UTC by one person"
        )
    if view.withdrawn:
        click.echo("a later look withdrew the finding")
    for each in view.held_back:
        click.echo(f"no rule acted: {each}")
    click.echo(f"\nAccounts ({len(view.accounts)})")
    for party in view.accounts:
        standing = party.standing
        terms = "terms unknown" if standing is None else f"terms {standing.terms or 'unknown'}"
        allowed = "  on the allow-list or registered" if party.allowed else ""
        click.echo(f"  {party.number}  {party.account or '(erased)'}  {terms}{allowed}")
    for head, pieces in (
        ("Facts", view.facts),
        ("Inference", view.inference),
        ("Counter-evidence", view.counter_evidence),
    ):
        click.echo(f"\n{head}{'' if pieces else ': none'}")
        for piece in pieces:
            rate = "unknown" if piece.base_rate is None else f"{piece.base_rate:g}"
            scored = "" if piece.value is None else f" = {piece.value:g}"
            shown = f"  (base rate {rate})" if head == "Inference" else ""
            source = f"  [{piece.source}]" if piece.source else ""
            click.echo(f"  {piece.text}{scored}{shown}{source}")
    if view.question:
        click.echo(f"\nAsked of {view.question_of}: {view.question}")
    if view.pending is not None:
        pending = view.pending
        kinds = ", ".join(measure.kind for measure in pending.measures) or "no measure"
        click.echo(f"\nProposed by {pending.proposed_by}: {pending.verdict}, {kinds}; approve "
                   f"{pending.proposal} before {spoken(pending.expires_at)} UTC")  # fmt: skip
        click.echo(f"  {pending.summary}")
        for reach in pending.reaches:
            click.echo(
                f"  reaches {reach.kind} {reach.subject or '(erased)'}: {reach.accounts:,} accounts"
                f", {reach.others:,} of them not of this case, {reach.listed:,} allow-listed or "
                "registered for a purpose"
            )
    for decision in view.decisions:
        click.echo(f"\nDecided {spoken(decision.at)}: {decision.decided.verdict} "
                   f"({decision.decided.reason}) by {decision.decided.proposed_by} "
                   f"and {decision.approved_by}")  # fmt: skip
    if view.measures:
        click.echo("\nMeasures")
    for measure in view.measures:
        end = "undone" if measure.undone_at is not None else f"until {spoken(measure.until)} UTC"
        click.echo(f"  {measure.id}  {measure.kind} on {measure.of} {measure.subject}  {end}")
