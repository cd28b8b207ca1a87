"""What the commands of an overlap share: who we are, what may be told, where things are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from stillwatch.errors import IntelError

if TYPE_CHECKING:
    from stillwatch.intel.exporting import Own
    from stillwatch.intel.exporting.indicators import Dropped
    from stillwatch.intel.policy import Policy

__all__ = ["BY", "FORMAT", "LOGS", "POLICY", "folder_of", "known_as", "own_of", "show_dropped"]

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
LOGS = click.option("--log", "logs", multiple=True, metavar="LOG", help="The raw log of the case.")
FORMAT = click.option("--format", "format_", default="auto", metavar="NAME",
                      help="Format of the log, as for scan; auto recognises it.")  # fmt: skip
POLICY = click.option("--policy", type=_FILE, metavar="FILE", help="The sharing policy (YAML).")
BY = click.option("--by", required=True, envvar="STILLWATCH_BY", show_envvar=True, metavar="NAME",
                  help="Who does this.")  # fmt: skip


def known_as(function: F) -> F:
    """The options that say who we are to others: ``settings``, ``key`` and ``name``."""
    for option in (
        click.option("--settings", type=_FILE, metavar="FILE",
                     help="YAML whose section 'intel' has name, identity, key, policy."),
        click.option("--key", type=_FILE, metavar="FILE",
                     help="Signs what leaves; without it ledger.key of the state folder."),
        click.option("--as", "name", metavar="NAME", help="What others call you."),
    ):  # fmt: skip
        function = option(function)
    return function


def folder_of(state: str, ledger: Path | None) -> Path:
    """Where the ledger is, and beside it what was answered."""
    folder = ledger or (Path(state) if "://" not in state else None)
    if folder is None:
        raise click.UsageError("say where the ledger is, with --ledger DIR")
    return folder


def own_of(
    folder: Path, settings: Path | None, name: str | None, key: Path | None, policy: Path | None
) -> tuple[Own, Policy]:
    """Who we are to others, and what may be told."""
    from stillwatch.intel.exporting import read_own
    from stillwatch.intel.policy import read_policy

    known = folder / "ledger.key"
    own = read_own(settings, name=name, key=key, policy=policy,
                   otherwise=known if known.is_file() else None)  # fmt: skip
    if own.policy is None:
        raise IntelError("nothing leaves without a policy; name one with --policy FILE")
    return own, read_policy(own.policy)


def show_dropped(dropped: tuple[Dropped, ...]) -> None:
    """What stays out, and why."""
    click.echo(f"Left out{'' if dropped else ': nothing'}")
    for each in dropped:
        click.echo(f"  {each.field}: {each.why}")
