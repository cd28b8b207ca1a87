"""`stillwatch cases precision|pool|record|token|serve`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from stillwatch.cases import Role, read_findings
from stillwatch.cases.pool import pool_of
from stillwatch.cases.precision import measure, write
from stillwatch.cli.cases_stored import TOKEN, cases_at, maker, stored
from stillwatch.cli.clock import DURATION, spoken
from stillwatch.cli.stored import JSON, print_lines, print_rows

__all__ = ["pool", "precision", "record", "serve", "token"]


@click.command()
@stored
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it there; without this to precision.json in the state folder.",
)
@JSON
def precision(state: str, ledger: Path | None, out: Path | None, as_json: bool) -> None:
    """How often each detection was right, of the cases that people decided, by segment.

    \b
    Example:
      stillwatch cases precision --state state
    """
    with cases_at(state, ledger) as cases:
        found = measure(cases.database, time.time())
    if out is None and "://" not in state:
        out = Path(state) / "precision.json"
    if out is not None:
        write(found, out)
    if as_json:
        print_lines([found])
        return
    print_rows(
        ("DETECTION", "SEGMENT", "UPHELD", "DISMISSED", "UNDETERMINED", "PRECISION", "95 %"),
        (
            (
                each.detection, each.segment, str(each.upheld), str(each.dismissed),
                str(each.undetermined),
                "-" if each.precision is None else f"{each.precision:.2f}",
                f"{each.least:.2f} to {each.most:.2f}",
            )
            for each in found.rows
        ),
    )  # fmt: skip


@click.command()
@stored
@click.argument("case")
@click.argument("later", nargs=-1, type=click.Path(path_type=Path), metavar="[REPORT]...")
@JSON
def pool(
    state: str, ledger: Path | None, case: str, later: tuple[Path, ...], as_json: bool
) -> None:
    """Which accounts took over after others of the same effort were suspended.

    Each REPORT is a later campaigns.json or findings.jsonl. An account counts as seen from the
    first report that names it.

    \b
    Example:
      stillwatch cases pool case-5f2a11c09d3e week-38/campaigns.json --state state
    """
    findings = [each for path in later for each in read_findings(path, review=True)]
    with cases_at(state, ledger) as cases:
        found = pool_of(cases.database, case, findings)
    if as_json:
        print_lines([found])
        return
    print_rows(
        ("ACCOUNT", "FIRST REPORTED", "SUSPENDED", "TOOK OVER AFTER"),
        (
            (
                each.account, spoken(each.seen_at), spoken(each.fell_at),
                "-" if each.after is None else f"{each.after / 86_400:.1f} days",
            )
            for each in found.accounts
        ),
    )  # fmt: skip


@click.command()
@stored
def record(state: str, ledger: Path | None) -> None:
    """Tell the ledger what waits for it: decisions through the API, or while it was away.

    \b
    Example:
      stillwatch cases record --store postgresql://host/name --ledger /var/lib/stillwatch
    """
    with cases_at(state, ledger) as cases:
        waits = cases.unrecorded()
    click.echo(f"{waits:,} entries waited", err=True)


@click.group()
def token() -> None:
    """Tokens of the JSON API and of these commands: for whom, in which role, until when."""


@token.command("create")
@stored
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([str(role) for role in Role]))
@click.option("--expires", type=DURATION, default="90d", show_default=True, help="It ends.")
@click.option("--program", is_flag=True, help="NAME is a program, which decides nothing.")
@TOKEN
def token_create(
    state: str, ledger: Path | None, name: str, role: str, expires: int, program: bool
) -> None:
    """Make a token. Its secret, alone on standard output, is shown once and stored nowhere.

    From the first one on, names are not believed any more (--by): whoever acts has a token. Once
    somebody may approve, their token makes and revokes others.

    \b
    Example:
      stillwatch cases token create ana --role analyst --state state
    """
    with cases_at(state, ledger, create=True) as cases:
        secret, made = cases.tokens.create(
            name, Role(role), expires, person=not program, by=maker(cases)
        )
    click.echo(f"{made.id} for {name}, {role}, until {spoken(made.expires_at)} UTC", err=True)
    click.echo(secret)


@token.command("revoke")
@stored
@click.argument("token_id", metavar="TOKEN")
@TOKEN
def token_revoke(state: str, ledger: Path | None, token_id: str) -> None:
    """End a token now, by its id."""
    with cases_at(state, ledger) as cases:
        found = cases.tokens.revoke(token_id, maker(cases))
    click.echo(f"{token_id} of {found.name} is revoked", err=True)


@token.command("list")
@stored
@JSON
def token_list(state: str, ledger: Path | None, as_json: bool) -> None:
    """Show the tokens, without their secrets."""
    now = time.time()
    with cases_at(state, ledger) as cases:
        found = cases.tokens.all()
    if as_json:
        print_lines(found)
        return
    print_rows(
        ("TOKEN", "NAME", "ROLE", "ENDS", "STATE"),
        (
            (each.id, each.name if each.person else f"{each.name} (no person)", each.role,
             spoken(each.expires_at),
             "revoked" if each.revoked_at is not None
             else "expired" if each.expires_at <= now else "valid")
            for each in found
        ),
    )  # fmt: skip


@click.command()
@stored
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8081, show_default=True,
              help="Port to listen on; 0 for any that is free.")  # fmt: skip
def serve(state: str, ledger: Path | None, host: str, port: int) -> None:
    """Serve the JSON API of cases until told to end; docs/cases-api.md has its routes.

    \b
    Example:
      stillwatch cases serve --state state --port 8081
    """
    from stillwatch.cases.serving import serve_api

    folder = ledger or (Path(state) if "://" not in state else None)

    def started(bound: int) -> None:
        click.echo(f"cases at http://{host}:{bound}/v1/cases", err=True)

    with cases_at(state, ledger) as cases:
        serve_api(cases, host=host, port=port, ledger=folder, started=started)
