"""What the commands of received indicators share: where the store is, keys, how rows look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from stillwatch.intel.compared import ComparedKey
    from stillwatch.intel.matching import Indicator, IndicatorMeeting, IndicatorSet
    from stillwatch.intel.received import Received

__all__ = ["COMMUNITY", "keys_of", "meeting_of", "meetings_of", "received_at", "sets_of", "stored"]

F = TypeVar("F", bound=Callable[..., Any])

COMMUNITY = click.option(
    "--community",
    "community",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Key of the community, as `intel keygen` wrote it; several for several epochs.",
)


def stored(function: F) -> F:
    """The options that say where the store and its ledger are."""
    function = click.option(
        "--ledger",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Folder of the ledger; without it the state folder.",
    )(function)
    return click.option(
        "--state",
        required=True,
        envvar="STILLWATCH_STATE",
        show_envvar=True,
        metavar="DIR",
        help="State folder, or the address of a PostgreSQL database (postgresql://host/name).",
    )(function)


@contextmanager
def received_at(
    state: str, ledger: Path | None = None, *, create: bool = False
) -> Iterator[Received]:
    """What was received; what was done within the block is in the ledger when it ends.

    Where the ledger fails, what was done holds, waits in the store, and is told with the next one.
    """
    from stillwatch.cli.telling import tell
    from stillwatch.intel.received import open_received

    with open_received(state, create=create) as received:
        yield received
        tell(received, state, ledger, done="done")


def keys_of(files: tuple[Path, ...]) -> list[ComparedKey]:
    """The community keys in some files."""
    from stillwatch.intel.compared import open_keys

    return open_keys(files)


def sets_of(indicators: list[Indicator], keys: list[ComparedKey], at: float) -> list[IndicatorSet]:
    """The indicators by key; says how many are of no key that was given, or not looked for."""
    from stillwatch.intel.matching import IndicatorSet

    sets = [IndicatorSet(indicators, key, at) for key in keys]
    schemes = {key.key.scheme for key in keys}
    foreign = sum(each.pattern.scheme not in schemes for each in indicators)
    if foreign:
        click.echo(f"{foreign:,} indicators are of another community or epoch", err=True)
    if crowded := sum(each.crowded for each in sets):
        click.echo(
            f"{crowded:,} wordings are not looked for: too many of one sender share their cells",
            err=True,
        )
    return sets


def meetings_of(where: str, keys: list[ComparedKey]) -> Callable[[], IndicatorMeeting]:
    """What looks for the indicators that are live whenever it is asked: of a store, or of a file
    that the operator vouches for."""
    from stillwatch.intel.matching import IndicatorMeeting
    from stillwatch.intel.received import indicators_in_file, open_received

    def meeting() -> IndicatorMeeting:
        now = time.time()
        if Path(where).is_file():
            return IndicatorMeeting(sets_of(indicators_in_file(Path(where)), keys, now))
        with open_received(where) as received:
            return IndicatorMeeting(sets_of(received.indicators(), keys, now))

    return meeting


def meeting_of(where: str, files: tuple[Path, ...]) -> IndicatorMeeting:
    """What looks for the indicators that are live now."""
    return meetings_of(where, keys_of(files))()
