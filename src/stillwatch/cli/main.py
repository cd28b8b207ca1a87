"""The entry point: finds the command, and turns every exception into one line and a status."""

from __future__ import annotations

import errno
import importlib
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType

import click

from stillwatch import __version__
from stillwatch.errors import ExitStatus, StillwatchError, StorageError

__all__ = ["main"]

#: command → what it does; each is `stillwatch.cli.<command>` and is imported only when it is used
COMMANDS: dict[str, str] = {
    "scan": "find distillation campaigns in logs of requests",
    "watch": "follow growing logs and report campaigns as they appear",
    "simulate": "write labelled traffic with hidden campaigns",
    "bench": "measure detectors on a grid of hidden campaigns",
    "demo": "hide two campaigns in simulated traffic and find them",
    "serve": "stand in front of a model server and let in who may ask what",
    "keys": "make, rotate, revoke and list the keys that the gateway lets in",
    "actions": "verify, slow, narrow, mark or suspend an account, and undo it",
    "cases": "findings become cases: claim, weigh, decide by two, appeal, undo",
    "intel": "share indicators of campaigns with other providers, as a policy allows",
    "access": "check, test and replay the rules of who may ask what",
    "places": "get a file of countries, ask where an address is",
    "privacy": "show or erase everything that is held about an account",
    "ledger": "record decisions so that nobody can change them unnoticed, and prove it",
    "mark": "keys of marks, for engines; whose marks a text or a model carries",
    "provenance": "what a suspect model shows of where it comes from, and of what it lost",
    "evidence": "seal what a test of a suspect rests on, and check a bundle that was sealed",
    "data": "where to get the public data sets that benchmarks use",
}


class _Commands(click.Group):
    """Imports a command when it is asked for, so that `--help` does not wait for DuckDB."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"stillwatch.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if COMMANDS:
            with formatter.section("Commands"):
                formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stillwatch")
def _stillwatch() -> None:
    """Find out who is copying a language model through its API."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. `arguments` defaults to those of the process."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name of a file may be any bytes
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    with _Signals() as signals:
        try:
            status = _stillwatch.main(arguments, prog_name="stillwatch", standalone_mode=False)
            sys.stdout.flush()
        except (click.exceptions.Abort, KeyboardInterrupt):
            return _interrupted()
        except Exception as error:
            # native code that is interrupted says so in an exception of its own
            return _interrupted() if signals.received else _failed(error)
    return status if isinstance(status, int) else ExitStatus.NOTHING_FOUND


class _Signals:
    """The first SIGINT or SIGTERM ends the command tidily, a second one the process at once.

    What the caller has ignored (``nohup``, a shell's background job) stays ignored.
    """

    def __init__(self) -> None:
        self.received = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> _Signals:
        if threading.current_thread() is threading.main_thread():
            for each in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(each) is not signal.SIG_IGN:
                    self._before[each] = signal.signal(each, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)  # type: ignore[arg-type]

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        raise KeyboardInterrupt


def _interrupted() -> int:
    return _say("interrupted; nothing half-written was left behind", ExitStatus.INTERRUPTED)


def _failed(error: Exception) -> int:
    match error:
        case StillwatchError():
            return _say(f"{error} [{error.code}]", error.exit_status)
        case click.ClickException():
            error.show()
            return ExitStatus.UNREADABLE
        case OSError():
            return _operating_system(error)
        case MemoryError():
            return _say("out of memory: scan fewer files at once", ExitStatus.OUR_FAILURE)
    return _own_mistake(error)


def _say(line: str, status: int) -> int:
    click.echo(f"stillwatch: {line}", err=True)
    return status


def _operating_system(error: OSError) -> int:
    # What could not be written would be tried again, and complained about, when Python ends.
    if error.errno in (errno.EPIPE, errno.ENOSPC) and not error.filename:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:  # the reader of our output went away: not worth a word
        return ExitStatus.OUR_FAILURE
    where = f"{error.filename}: " if error.filename else ""
    return _say(f"{where}{error.strerror or error} [{StorageError.code}]", ExitStatus.OUR_FAILURE)


def _own_mistake(error: Exception) -> int:
    if os.environ.get("STILLWATCH_TRACEBACK"):
        traceback.print_exception(error)
        return ExitStatus.OUR_FAILURE
    place = traceback.extract_tb(error.__traceback__)[-1]
    return _say(
        f"a mistake of ours, {type(error).__name__}: {error} "
        f"({Path(place.filename).name}:{place.lineno}). Please report it; "
        "with STILLWATCH_TRACEBACK=1 in the environment the whole way there is printed",
        ExitStatus.OUR_FAILURE,
    )
