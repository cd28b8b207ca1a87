"""`stillwatch intel revoke|sightings|seen|whoami`: take back, tell what became of it, be known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from stillwatch.cli.intel_received import received_at, stored
from stillwatch.cli.stored import JSON, print_lines, print_rows
from stillwatch.durable import write_whole
from stillwatch.errors import OutputError
from stillwatch.intel.profile.markings import Tlp, marking

if TYPE_CHECKING:
    from stillwatch.intel.exporting import Own

__all__ = ["revoke", "seen", "sightings", "whoami"]

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_OUT = click.option("--out", "-o", type=_FILE, required=True, metavar="FILE", help="The bundle.")


def _own(function: F) -> F:
    """The options that say who we are to others."""
    function = click.option(
        "--settings", type=_FILE, metavar="FILE",
        help="YAML whose section 'intel' has name, identity and key.",
    )(function)  # fmt: skip
    function = click.option(
        "--key", type=_FILE, metavar="FILE",
        help="Seals what leaves; without it ledger.key of the state folder.",
    )(function)  # fmt: skip
    return click.option("--as", "name", metavar="NAME", help="What others call you.")(function)


def _folder(state: str, ledger: Path | None) -> Path:
    folder = ledger or (Path(state) if "://" not in state else None)
    if folder is None:
        raise click.UsageError("say where the ledger is, with --ledger DIR")
    return folder


def _read_own(folder: Path, settings: Path | None, name: str | None, key: Path | None) -> Own:
    from stillwatch.intel.exporting import read_own

    known = folder / "ledger.key"
    return read_own(settings, name=name, key=key, otherwise=known if known.is_file() else None)


@click.command()
@stored
@click.argument("what", metavar="CASE|INDICATOR")
@_own
@_OUT
@click.option("--by", required=True, envvar="STILLWATCH_BY", show_envvar=True, metavar="NAME",
              help="Who does this.")  # fmt: skip
def revoke(
    state: str, ledger: Path | None, what: str, settings: Path | None, name: str | None,
    key: Path | None, out: Path, by: str,
) -> None:  # fmt: skip
    """Take back all that was exported for CASE, or one INDICATOR.

    Writes a bundle of revoked versions, which must reach everybody who received what they take
    back; at each of them it ends what the indicators caused. What is taken back stays so. Where all
    of it was taken back before, the same versions are written again: a bundle may be lost.

    \b
    Example:
      stillwatch intel revoke case-5f2a11c09d3e --as acme --state state --by ana --out back.json
    """
    from stillwatch.intel.exporting import Register, take_back
    from stillwatch.ledger import Ledger

    folder = _folder(state, ledger)
    own = _read_own(folder, settings, name or "-", key)
    _check_absent(out)
    with Ledger.open(folder, create=True) as book, Register(folder) as register:
        taken = take_back(what, register, book, own.key, by=by, now=datetime.now(UTC))
    _write(out, taken)
    click.echo(f"{out}: {len(taken):,} objects taken back")


@click.command()
@stored
@_own
@_OUT
@click.option("--tlp", type=click.Choice([str(each) for each in Tlp]), default=str(Tlp.AMBER),
              show_default=True, help="Who may be told.")  # fmt: skip
@click.option("--all", "every", is_flag=True,
              help="Those that were written before, too: a bundle may be lost.")  # fmt: skip
def sightings(
    state: str, ledger: Path | None, settings: Path | None, name: str | None, key: Path | None,
    out: Path, tlp: str, every: bool,
) -> None:  # fmt: skip
    """Tell the senders what became of their indicators here: matched, confirmed or refuted.

    Writes a bundle of the sightings that are new or whose outcome changed, each once: an outcome,
    a bucket of exchanges and two hours, and no account. Confirmed and refuted are what cases of
    ours decided; that one account alone met an indicator is told only then.

    \b
    Example:
      stillwatch intel sightings --as acme --state state --out seen.json
    """
    from stillwatch.intel.profile import Author

    folder = _folder(state, ledger)
    own = _read_own(folder, settings, name, key)
    author = Author(own.identity, own.key, Tlp(tlp))
    _check_absent(out)
    with received_at(state, ledger) as received:
        made = received.sightings(author, every=every)
    if not made:
        click.echo("nothing new to tell; --all writes again what was told", err=True)
        return
    now = datetime.now(UTC)
    _write(out, [marking(author.tlp), author.described(own.name, now), *made])
    click.echo(f"{out}: {len(made):,} sightings")


@click.command()
@stored
@JSON
def seen(state: str, ledger: Path | None, as_json: bool) -> None:
    """Show what members say became of indicators, those of ours among them.

    \b
    Example:
      stillwatch intel seen --state state
    """
    with received_at(state, ledger) as received:
        found = received.seen()
    if as_json:
        print_lines(found)
        return
    print_rows(
        ("INDICATOR", "MEMBER", "OUTCOME", "EXCHANGES", "LAST SEEN"),
        ((each.indicator, each.member, each.outcome, each.count, each.last_seen) for each in found),
    )


@click.command()
@stored
@_own
def whoami(
    state: str, ledger: Path | None, settings: Path | None, name: str | None, key: Path | None
) -> None:
    """Print our STIX id and the public key that seals what we tell: what members pin.

    \b
    Example:
      stillwatch intel whoami --as acme --state state
    """
    own = _read_own(_folder(state, ledger), settings, name or "-", key)
    click.echo(f"{own.identity} {own.key.public}")


def _check_absent(path: Path) -> None:
    if path.exists():
        raise OutputError("there is a file already; name another one", path=path)


def _write(path: Path, objects: Sequence[dict[str, Any]]) -> None:
    from stillwatch.intel.profile import bundle

    text = json.dumps(bundle(objects), ensure_ascii=False, indent=1) + "\n"
    write_whole(path, text.encode())
