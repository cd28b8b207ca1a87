"""`stillwatch intel overlap answer`: what another asks, as the policy allows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

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

if TYPE_CHECKING:
    from stillwatch.intel.overlap import Reply

__all__: list[str] = []

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@stored
@click.argument("request", type=_FILE, metavar="REQUEST")
@click.option("--case", "cases", multiple=True, metavar="CASE",
              help="Answer of this case; may be repeated. Without it of every one.")  # fmt: skip
@LOGS
@FORMAT
@known_as
@POLICY
@click.option("--preview", is_flag=True, help="Show what would be answered, and change nothing.")
@click.option("--even-empty", is_flag=True, help="Answer although nothing is held.")
@click.option("--out", "-o", type=_FILE, metavar="FILE", help="The answer.")
@BY
def answer(
    state: str, ledger: Path | None, request: Path, cases: tuple[str, ...], logs: tuple[str, ...],
    format_: str, settings: Path | None, key: Path | None, name: str | None, policy: Path | None,
    preview: bool, even_empty: bool, out: Path | None, by: str,
) -> None:  # fmt: skip
    """Answer REQUEST as the sharing policy allows, of cases that reach its minimum.

    Look at the preview first: who asks and what for, what the answer would be made of, what stays
    out and why, how often this member has asked.

    \b
    Examples:
      stillwatch intel overlap answer to-b.overlap --log log.jsonl.gz --state state \\
          --as provider-b --policy sharing.yaml --by bo --preview
      stillwatch intel overlap answer to-b.overlap --log log.jsonl.gz --state state \\
          --as provider-b --policy sharing.yaml --by bo --out to-a.overlap
    """
    from stillwatch.intel.overlap import Questions, consider, give, read_message
    from stillwatch.intel.received import open_received
    from stillwatch.ledger import Ledger

    if preview == (out is not None):
        raise click.UsageError("say either --preview or --out FILE")
    if not logs:
        raise click.UsageError("--log LOG is needed: identifiers are counted there")
    folder, now = folder_of(state, ledger), datetime.now(UTC)
    own, rules = own_of(folder, settings, name, key, policy)
    asked = read_message(request)
    with open_received(state) as received:
        members = received.members()
    with Questions(folder, create=out is not None) as questions:
        reply = consider(
            asked, own=own, members=members, policy=rules, state=state, logs=logs,
            questions=questions, now=now, cases=cases, format=format_,
        )  # fmt: skip
        if out is None:
            _show_reply(reply)
            return
        with Ledger.open(folder, create=True) as book:
            told = give(reply, questions, book, out, by=by, now=now, even_empty=even_empty)
    click.echo(
        f"{out}: for {reply.member.name} (TLP:{rules.tlp.upper()}), of {told.header.held:,} "
        f"points; to be opened before {told.header.until}"
    )


def _show_reply(reply: Reply) -> None:
    header, policy = reply.request.header, reply.policy
    many = "how many of them are held" if header.asks == "how-many" else "which of them are held"
    click.echo(
        f"{reply.member.name} ({reply.member.identity}) asks for {', '.join(header.fields)}: "
        f"{many}, up to {header.points:,} identifiers (TLP:{header.tlp.upper()})"
    )
    click.echo(f"for {header.purpose}; on the basis of {header.legal_basis}")
    click.echo(f"The answer would be of {', '.join(reply.fields) or 'nothing'}, "
               f"{len(reply.texts):,} points")  # fmt: skip
    for field, number in reply.held.counted().items():
        click.echo(f"  {field}: {number:,}")
    for case in reply.held.cases:
        click.echo(f"  of {case}")
    show_dropped(reply.held.dropped)
    rules = policy.overlap
    if rules is not None:
        click.echo(f"{reply.answered} of {rules.questions} questions of this member were answered "
                   f"within {rules.days} days")  # fmt: skip
    if reply.refused:
        click.echo("Refused: nothing would be answered")
        for why in reply.refused:
            click.echo(f"  {why}")
