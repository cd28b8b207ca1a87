"""`stillwatch actions put|undo|list|import`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click

from stillwatch.access.actions import LONGEST_DAYS, Action, ActionKind, SubjectKind
from stillwatch.access.database import open_database
from stillwatch.access.enforcement import ActionStore
from stillwatch.cli.cases_measures import surface_of
from stillwatch.cli.clock import DURATION, spoken
from stillwatch.cli.stored import JSON, STATE, print_lines, print_rows

__all__ = ["command"]


@click.group()
def command() -> None:
    """Verify, slow, narrow or mark an account, a cluster, a key or an org, and undo it.

    Each action has a reason, an end, and the name of who decided. Every gateway that uses the same
    store follows within two seconds. A suspension takes two people: `stillwatch cases`.
    """


@command.command()
@STATE
@click.option("--account", help="The account that it is on.")
@click.option("--cluster", help="… or the group of linked accounts,")
@click.option("--key", help="… or the id of the key,")
@click.option("--org", help="… or the contract.")
@click.option(
    "--verify",
    type=DURATION,
    metavar="GRACE",
    help="Ask the owner to verify, and refuse everything after so long (24h or more); needs "
    "--person.",
)
@click.option("--slow", type=float, metavar="SECONDS", help="Wait before each request (up to 60).")
@click.option(
    "--narrow",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Reduce the surface, such as logprobs=0. May be given several times.",
)
@click.option("--mark", is_flag=True, help="Strengthen the mark.")
@click.option("--suspend", is_flag=True, hidden=True)  # is told where to go
@click.option(
    "--for",
    "lasting",
    type=DURATION,
    required=True,
    metavar="7d",
    help=f"It ends after so long, {LONGEST_DAYS}d at most.",
)
@click.option("--reason", required=True, metavar="CODE", help="For case files, such as case-17.")
@click.option("--message", required=True, help="What the owner of the account is told.")
@click.option("--by", required=True, metavar="NAME", help="Who decided: a person or a program.")
@click.option("--person", is_flag=True, help="NAME is a person, and has decided this.")
def put(
    state: str,
    verify: int | None,
    slow: float | None,
    narrow: tuple[str, ...],
    mark: bool,
    suspend: bool,
    lasting: int,
    reason: str,
    message: str,
    by: str,
    person: bool,
    **subjects: str | None,
) -> None:
    """Put an action in force; its id, alone on standard output, is what undoes it.

    Name one subject and one thing to do. What is narrowed is called as in the openness levels.

    \b
    Examples:
      stillwatch actions put --state state --account acme --slow 2 --for 7d \\
        --reason case-17 --by ana --person --message "Please verify your identity."
      stillwatch actions put --state state --cluster ring-3 --narrow logprobs=0 \\
        --narrow reasoning=none --for 24h --reason scan-c4 --by scan \\
        --message "Log probabilities are off for your account until tomorrow."
    """
    chosen = {kind: name for kind, name in subjects.items() if name is not None}
    kinds = {
        "verify": verify is not None,
        "slow": slow is not None,
        "narrow": bool(narrow),
        "mark": mark,
        "suspend": suspend,
    }
    asked = [kind for kind, given in kinds.items() if given]
    if len(chosen) != 1:
        raise click.UsageError("name one of --account, --cluster, --key, --org")
    if len(asked) != 1:
        raise click.UsageError("name one of --verify, --slow, --narrow, --mark")
    [(subject_kind, subject)] = chosen.items()
    with _actions(state, create=True) as actions:
        action = actions.put(
            Action(
                subject_kind=cast(SubjectKind, subject_kind),
                subject=subject,
                kind=cast(ActionKind, asked[0]),
                seconds=verify if verify is not None else slow,
                surface=surface_of(narrow) if narrow else None,
                reason=reason,
                message=message,
                by=by,
                person=person,
                expires_at=int(time.time()) + lasting,
            )
        )
    click.echo(
        f"{_what(action)} on {subject_kind} {subject} until {spoken(action.expires_at)} UTC;"
        f" `stillwatch actions undo` ends it earlier:",
        err=True,
    )
    click.echo(action.id)


@command.command()
@STATE
@click.argument("action_id")
@click.option("--by", required=True, metavar="NAME", help="Who decided to undo it.")
def undo(state: str, action_id: str, by: str) -> None:
    """End an action now. It stays in the history.

    \b
    Example:
      stillwatch actions undo act-91b5c1f0a2d34e77 --state state --by ana
    """
    with _actions(state) as actions:
        action = actions.undo(action_id, by)
    click.echo(
        f"{action_id}: {_what(action)} on {action.subject_kind} {action.subject} undone", err=True
    )


@command.command("list")
@STATE
@click.option("--all", "ended", is_flag=True, help="Show those too that ended or were undone.")
@JSON
def list_(state: str, ended: bool, as_json: bool) -> None:
    """Show the actions in force, oldest first.

    \b
    Examples:
      stillwatch actions list --state state
      stillwatch actions list --state state --all --json
    """
    now = time.time()
    with _actions(state) as actions:
        found = actions.history() if ended else iter(actions.in_force())
        if as_json:
            print_lines(found)
            return
        print_rows(
            ("ACTION", "ON", "WHAT", "REASON", "BY", "MADE", "ENDS", "STATE"),
            (_row(action, now) for action in found),
        )


@command.command("import")
@STATE
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
def import_(state: str, path: Path) -> None:
    """Put a list of actions in force, all or none.

    FILE holds a JSON object a line, with the fields that `actions list --json` shows; id and
    created_at may be left out. A line whose id and content are known is passed over, so a list
    with ids may be imported twice. A suspension is refused: it takes two people.

    \b
    Example:
      stillwatch actions import verdicts.jsonl --state state
    """
    with _actions(state, create=True) as actions:
        fresh = actions.import_file(path)
    click.echo(f"{len(fresh):,} actions put in force from {path}", err=True)


@contextmanager
def _actions(state: str, *, create: bool = False) -> Iterator[ActionStore]:
    database = open_database(state, create=create)
    try:
        yield ActionStore(database)
    finally:
        database.close()


def _what(action: Action) -> str:
    if action.kind == "verify":
        return f"verify within {action.seconds or 0:g} s"
    if action.seconds is not None:
        return f"slow {action.seconds:g} s"
    if action.surface is not None:
        return "narrow " + ", ".join(f"{name}={value}" for name, value in action.surface.items())
    return action.kind


def _row(action: Action, now: float) -> tuple[str, ...]:
    ended = action.expires_at <= now
    return (
        action.id,
        f"{action.subject_kind} {action.subject}",
        _what(action),
        action.reason,
        action.by if action.person else f"{action.by} (no person)",
        spoken(action.created_at),
        spoken(action.expires_at),
        f"undone by {action.undone_by}" if action.undone_at is not None
        else "ended" if ended else "in force",
    )  # fmt: skip
