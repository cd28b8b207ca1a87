"""What all of `stillwatch cases` shares: where the cases are, and who acts."""

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
from stillwatch.cli.telling import tell
from stillwatch.key_files import read_key_file

__all__ = [
    "BY",
    "PROGRAM",
    "TOKEN",
    "acting",
    "cases_at",
    "maker",
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
        tell(cases, state, ledger, done="decided")


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
