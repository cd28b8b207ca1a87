"""`stillwatch privacy export|erase|expire`."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click
import msgspec

from stillwatch.cases import Cases, find_cases
from stillwatch.cases.erasure import erase_account
from stillwatch.cases.erasure import held as held_by_cases
from stillwatch.cases.keeping import expire as run
from stillwatch.cases.keeping import stores_of
from stillwatch.cases.periods import Periods, read_periods
from stillwatch.cli.clock import spoken
from stillwatch.cli.stored import JSON, print_lines, print_rows
from stillwatch.errors import StoreFormatError
from stillwatch.gateway.privacy import erase as erase_all
from stillwatch.gateway.privacy import held
from stillwatch.intel.keeping import kept_of
from stillwatch.intel.received.erasure import erase_account as erase_hits
from stillwatch.intel.received.erasure import held as held_by_intel

__all__ = ["command"]

_STATE = click.option(
    "--state",
    required=True,
    envvar="STILLWATCH_STATE",
    show_envvar=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The state folder of the gateway.",
)
_KEYS = click.option(
    "--keys", metavar="ADDRESS", help="Where keys are kept, if not there: postgresql://host/name."
)


@click.group()
def command() -> None:
    """What is held about an account: show it, erase it; and what is over everywhere: expire it.

    Reaches the keys, links and actions of the account, every exchange of it, the cases about it,
    the indicators of others that it met, and the salt of its commitment in the ledger, in the
    gateway's state folder. A watch that follows the folder erases its copy at its next look.
    """


@command.command()
@click.argument("account")
@_STATE
@_KEYS
def export(account: str, state: Path, keys: str | None) -> None:
    """Print everything that is held about ACCOUNT, one JSON object a line.

    \b
    Example:
      stillwatch privacy export acme --state /var/lib/stillwatch > acme.jsonl
    """
    found = 0
    for kind, fields in held(state, account, keys):
        click.echo(msgspec.json.encode({"kind": kind, "held": fields}))
        found += 1
    with _cases(state, keys) as cases:
        for kind, fields in held_by_cases(cases.database, account) if cases is not None else ():
            click.echo(msgspec.json.encode({"kind": kind, "held": fields}))
            found += 1
        for kind, fields in held_by_intel(cases.database, account) if cases is not None else ():
            click.echo(msgspec.json.encode({"kind": kind, "held": fields}))
            found += 1
    click.echo(f"{found:,} records about {account}", err=True)


@command.command()
@click.argument("account")
@_STATE
@_KEYS
def erase(account: str, state: Path, keys: str | None) -> None:
    """Erase everything that is held about ACCOUNT. It cannot be brought back.

    Its keys end first; a stream that still runs is recorded when it ends, so run this again then.

    \b
    Example:
      stillwatch privacy erase acme --state /var/lib/stillwatch
    """
    gone = erase_all(state, account, keys)
    with _cases(state, keys) as cases:
        rows = 0 if cases is None else erase_account(cases.database, account)
        hits = 0 if cases is None else erase_hits(cases.database, account)
    click.echo(
        f"erased {gone.access:,} keys, links and actions, {gone.exchanges:,} exchanges,"
        f" {rows:,} rows of cases, {hits:,} of indicators, and {gone.salts} salts of the ledger"
    )


@command.command()
@_STATE
@_KEYS
@click.option(
    "--ledger",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of the ledger that the run is recorded in; without it the state folder.",
)
@click.option(
    "--settings",
    "-c",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="stillwatch.yaml with a section `retention`: days by store.",
)
@click.option("--apply", is_flag=True, help="Delete it; without this it is only counted.")
@JSON
def expire(
    state: Path, keys: str | None, ledger: Path | None, settings: Path | None, apply: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Delete what every store has kept for longer than its period.

    Without --apply nothing is touched, and what would go is counted. Stores that are not in the
    folder are named and left out. It may run while gateways do,
    twice, and again after it was killed; each run with --apply is an entry of the ledger, with
    counts and no names.

    \b
    Examples:
      stillwatch privacy expire --state state
      stillwatch privacy expire --state state -c stillwatch.yaml --apply
    """
    periods, address = read_periods(settings)
    with (
        stores_of(state, periods, keys or address, ledger) as (stores, lingering),
        kept_of(state, periods, keys or address, ledger) as shared,
    ):
        every = [*shared, *stores]
        if not every:
            raise StoreFormatError("nothing is kept here; name a state folder", path=state)
        ran = run(every, ledger or state, apply=apply)
        left = lingering(int(time.time()) - periods.cases * 86_400) if lingering else 0
    if as_json:
        print_lines(ran)
    else:
        print_rows(
            ("STORE", "DAYS", "BEFORE", "DELETED" if apply else "OVER"),
            ((r.name, str(r.days), spoken(r.before), f"{r.found:,}") for r in ran),
        )
    here = {each.name for each in ran}
    if missing := [name for name in (*Periods.__struct_fields__, "exports") if name not in here]:
        click.echo(f"not kept here: {', '.join(missing)}", err=True)
    if left:
        click.echo(
            f"{left:,} cases wait, untouched for {periods.cases:,} days: close them, so that "
            "their names can go",
            err=True,
        )


def _cases(state: Path, keys: str | None) -> AbstractContextManager[Cases | None]:
    """The cases, which stand where the keys do, if anybody ever opened one."""
    cases = find_cases(keys or state)
    return nullcontext() if cases is None else cases
