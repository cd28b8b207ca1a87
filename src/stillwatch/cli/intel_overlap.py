"""`stillwatch intel overlap`: what of ours another holds too, before anything is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from stillwatch.cli.intel_overlap_answer import answer
from stillwatch.cli.intel_overlap_options import (
    BY,
    FORMAT,
    LOGS,
    POLICY,
    folder_of,
    known_as,
    own_of,
    show_dropped,
)
from stillwatch.cli.intel_received import stored
from stillwatch.errors import IntelError
from stillwatch.intel.identifiers import FIELDS

if TYPE_CHECKING:
    from stillwatch.intel.overlap import Found
    from stillwatch.intel.received import Member

__all__ = ["overlap"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def overlap() -> None:
    """Learn which of your identifiers another holds too, or how many, and show neither the rest.

    One asks, the other answers as its policy allows, the first opens the answer. Only the asker
    learns a result; the answerer learns how large the question was, to a power of two. Needs
    `pip install 'stillwatch[psi]'`.
    """


@overlap.command()
@stored
@click.argument("member", metavar="MEMBER")
@click.option("--case", metavar="CASE", help="Ask about what the accounts of this case used,")
@LOGS
@FORMAT
@click.option("--values", type=_FILE, metavar="FILE",
              help='or about a file: {"field": …, "value": …} a line.')  # fmt: skip
@click.option("--field", "chosen", multiple=True, type=click.Choice(list(FIELDS)),
              help="Only this kind of identifiers; may be repeated.")  # fmt: skip
@click.option("--how-many", is_flag=True, help="Ask how many are held, not which.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 31),
              help="How long the question holds.")  # fmt: skip
@known_as
@POLICY
@click.option("--out", "-o", type=_FILE, required=True, metavar="FILE", help="The request.")
@click.option("--secret", type=_FILE, required=True, metavar="FILE",
              help="What opens the answer; stays with you.")  # fmt: skip
@BY
def ask(
    state: str, ledger: Path | None, member: str, case: str | None, logs: tuple[str, ...],
    format_: str, values: Path | None, chosen: tuple[str, ...], how_many: bool, days: int,
    settings: Path | None, key: Path | None, name: str | None, policy: Path | None, out: Path,
    secret: Path, by: str,
) -> None:  # fmt: skip
    """Make a request to MEMBER, whose key is pinned (`stillwatch intel members`).

    \b
    Example:
      stillwatch intel overlap ask provider-b --case case-1 --log log.jsonl.gz --state state \\
          --as provider-a --policy sharing.yaml --by ana --out to-b.overlap --secret to-b.secret
    """
    # heavy, and the whole group is imported for each of its commands
    from stillwatch.intel.overlap import ask as ask_
    from stillwatch.intel.overlap import of_case, of_file, send
    from stillwatch.intel.overlap.asking import new_exchange
    from stillwatch.intel.overlap.texts import exchange_key
    from stillwatch.ledger import Ledger

    if (case is None) == (values is None):
        raise click.UsageError("say either --case CASE or --values FILE")
    if bool(logs) != (case is not None):
        raise click.UsageError("--log goes with --case: the log that the case was found in")
    folder, now, exchange = folder_of(state, ledger), datetime.now(UTC), new_exchange()
    own, rules = own_of(folder, settings, name, key, policy)
    asked = _member(state, member)
    fields = frozenset(FIELDS) & rules.fields & (frozenset(chosen) or frozenset(FIELDS))
    within = exchange_key(exchange)
    if case is not None:
        found = of_case(state, case, logs, fields, within, now, format=format_)
    else:
        assert values is not None
        found = of_file(values, fields, within)
    question = ask_(
        found, exchange, asks="how-many" if how_many else "which", fields=fields, own=own,
        member=asked, policy=rules, days=days, now=now,
    )  # fmt: skip
    with Ledger.open(folder, create=True) as book:
        send(question, book, out, secret, by=by, now=now)
    show_dropped(found.dropped)
    counted = ", ".join(f"{field} {number:,}" for field, number in found.counted().items())
    header = question.request.header
    click.echo(
        f"{out}: asks {asked.name} {'how many' if how_many else 'which'} of {len(found.items):,} "
        f"identifiers it holds ({counted}), among {header.points:,} points; to be answered before "
        f"{header.until}"
    )
    click.echo(f"{secret}: keep it until the answer is opened, then delete it")


@overlap.command("open")
@stored
@click.argument("file", type=_FILE, metavar="ANSWER")
@click.option("--secret", type=_FILE, required=True, metavar="FILE",
              help="What `overlap ask` left with you.")  # fmt: skip
@known_as
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@BY
def open_(
    state: str, ledger: Path | None, file: Path, secret: Path, settings: Path | None,
    key: Path | None, name: str | None, as_json: bool, by: str,
) -> None:  # fmt: skip
    """Open ANSWER: which of the identifiers that were asked about are held, or how many.

    \b
    Example:
      stillwatch intel overlap open to-a.overlap --secret to-b.secret --state state --by ana
    """
    from stillwatch.intel.exporting import read_own
    from stillwatch.intel.overlap import open_answer, read_message
    from stillwatch.intel.overlap.opening import record_opening
    from stillwatch.intel.overlap.secret import read_secret
    from stillwatch.intel.received import open_received
    from stillwatch.ledger import Ledger

    folder, now = folder_of(state, ledger), datetime.now(UTC)
    known = folder / "ledger.key"
    own = read_own(settings, name=name or "-", key=key,
                   otherwise=known if known.is_file() else None)  # fmt: skip
    told = read_message(file)
    with open_received(state) as received:
        members = received.members()
    found = open_answer(told, read_secret(secret), own=own.identity, members=members, now=now)
    with Ledger.open(folder, create=True) as book:
        record_opening(told, book, by=by, now=now)
    _show_json(found) if as_json else _show_found(found)


def _member(state: str, name: str) -> Member:
    from stillwatch.intel.received import open_received

    with open_received(state) as received:
        found = [m for m in received.members()
                 if m.removed_at is None and name in (m.name, m.identity)]  # fmt: skip
    if len(found) > 1:
        raise IntelError(f"{name}: {len(found)} members are called so; give the id of one")
    if not found:
        raise IntelError(f"{name}: no such member; `stillwatch intel members add` pins its key")
    return found[0]


def _show_found(found: Found) -> None:
    click.echo(
        f"{found.member.name} holds {found.size:,} of the {found.asked:,} identifiers that were "
        f"asked about ({', '.join(found.fields)})"
    )
    for item in found.items or ():
        click.echo(f"  {item.field}: {', '.join(item.of)}")


def _show_json(found: Found) -> None:
    told = {
        "member": found.member.name,
        "fields": found.fields,
        "asked": found.asked,
        "size": found.size,
        "items": found.items,
    }
    click.echo(msgspec.json.encode(told))


overlap.add_command(answer)
