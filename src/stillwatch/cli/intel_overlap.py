"""`stillwatch intel overlap`: what of ours another holds too, before anything is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from stillwatch.cli.intel_received import stored
from stillwatch.errors import IntelError
from stillwatch.intel.identifiers import FIELDS

if TYPE_CHECKING:
    from stillwatch.intel.exporting import Own
    from stillwatch.intel.exporting.indicators import Dropped
    from stillwatch.intel.overlap import Found, Reply
    from stillwatch.intel.policy import Policy
    from stillwatch.intel.received import Member

__all__ = ["overlap"]

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_LOGS = click.option("--log", "logs", multiple=True, metavar="LOG", help="The raw log of the case.")
_FORMAT = click.option("--format", "format_", default="auto", metavar="NAME",
                       help="Format of the log, as for scan; auto recognises it.")  # fmt: skip
_BY = click.option("--by", required=True, envvar="STILLWATCH_BY", show_envvar=True, metavar="NAME",
                   help="Who does this.")  # fmt: skip


def _own(function: F) -> F:
    """The options that say who we are to others, and what may be told."""
    for option in (
        click.option("--settings", type=_FILE, metavar="FILE",
                     help="YAML whose section 'intel' has name, identity, key, policy."),
        click.option("--key", type=_FILE, metavar="FILE",
                     help="Signs what leaves; without it ledger.key of the state folder."),
        click.option("--as", "name", metavar="NAME", help="What others call you."),
    ):  # fmt: skip
        function = option(function)
    return function


_POLICY = click.option("--policy", type=_FILE, metavar="FILE", help="The sharing policy (YAML).")


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
@_LOGS
@_FORMAT
@click.option("--values", type=_FILE, metavar="FILE",
              help='or about a file: {"field": …, "value": …} a line.')  # fmt: skip
@click.option("--field", "chosen", multiple=True, type=click.Choice(list(FIELDS)),
              help="Only this kind of identifiers; may be repeated.")  # fmt: skip
@click.option("--how-many", is_flag=True, help="Ask how many are held, not which.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 31),
              help="How long the question holds.")  # fmt: skip
@_own
@_POLICY
@click.option("--out", "-o", type=_FILE, required=True, metavar="FILE", help="The request.")
@click.option("--secret", type=_FILE, required=True, metavar="FILE",
              help="What opens the answer; stays with you.")  # fmt: skip
@_BY
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
    folder, now, exchange = _folder(state, ledger), datetime.now(UTC), new_exchange()
    own, rules = _own_of(folder, settings, name, key, policy)
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
    _show_dropped(found.dropped)
    counted = ", ".join(f"{number:,} {field}" for field, number in found.counted().items())
    header = question.request.header
    click.echo(
        f"{out}: asks {asked.name} {'how many' if how_many else 'which'} of {counted} it holds, "
        f"among {header.points:,} points; to be answered before {header.until}"
    )
    click.echo(f"{secret}: keep it until the answer is opened, then delete it")


@overlap.command()
@stored
@click.argument("request", type=_FILE, metavar="REQUEST")
@click.option("--case", "cases", multiple=True, metavar="CASE",
              help="Answer of this case; may be repeated. Without it of every one.")  # fmt: skip
@_LOGS
@_FORMAT
@_own
@_POLICY
@click.option("--preview", is_flag=True, help="Show what would be answered, and change nothing.")
@click.option("--even-empty", is_flag=True, help="Answer although nothing is held.")
@click.option("--out", "-o", type=_FILE, metavar="FILE", help="The answer.")
@_BY
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
    folder, now = _folder(state, ledger), datetime.now(UTC)
    own, rules = _own_of(folder, settings, name, key, policy)
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
        f"{out}: for {reply.member.name} (TLP:{rules.tlp.upper()}), of {told.header.held:,} points; "
        f"to be opened before {told.header.until}"
    )


@overlap.command("open")
@stored
@click.argument("answer", type=_FILE, metavar="ANSWER")
@click.option("--secret", type=_FILE, required=True, metavar="FILE",
              help="What `overlap ask` left with you.")  # fmt: skip
@_own
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@_BY
def open_(
    state: str, ledger: Path | None, answer: Path, secret: Path, settings: Path | None,
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

    folder, now = _folder(state, ledger), datetime.now(UTC)
    known = folder / "ledger.key"
    own = read_own(settings, name=name or "-", key=key,
                   otherwise=known if known.is_file() else None)  # fmt: skip
    told = read_message(answer)
    with open_received(state) as received:
        members = received.members()
    found = open_answer(told, read_secret(secret), own=own.identity, members=members, now=now)
    with Ledger.open(folder, create=True) as book:
        record_opening(told, book, by=by, now=now)
    _show_json(found) if as_json else _show_found(found)


def _folder(state: str, ledger: Path | None) -> Path:
    folder = ledger or (Path(state) if "://" not in state else None)
    if folder is None:
        raise click.UsageError("say where the ledger is, with --ledger DIR")
    return folder


def _own_of(
    folder: Path, settings: Path | None, name: str | None, key: Path | None, policy: Path | None
) -> tuple[Own, Policy]:
    from stillwatch.intel.exporting import read_own
    from stillwatch.intel.policy import read_policy

    known = folder / "ledger.key"
    own = read_own(settings, name=name, key=key, policy=policy,
                   otherwise=known if known.is_file() else None)  # fmt: skip
    if own.policy is None:
        raise IntelError("nothing leaves without a policy; name one with --policy FILE")
    return own, read_policy(own.policy)


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


def _show_dropped(dropped: tuple[Dropped, ...]) -> None:
    click.echo(f"Left out{'' if dropped else ': nothing'}")
    for each in dropped:
        click.echo(f"  {each.field}: {each.why}")


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
    _show_dropped(reply.held.dropped)
    rules = policy.overlap
    if rules is not None:
        click.echo(f"{reply.answered} of {rules.questions} questions of this member were answered "
                   f"within {rules.days} days")  # fmt: skip
    if reply.refused:
        click.echo("Refused: nothing would be answered")
        for why in reply.refused:
            click.echo(f"  {why}")


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
