"""The entry point: finds the command, and turns every exception into one line and a status."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence

import click

from stillwatch import __version__
from stillwatch.errors import ExitStatus, StillwatchError

__all__ = ["main"]

#: command → what it does; each is `stillwatch.cli.<command>` and is imported only when it is used
COMMANDS: dict[str, str] = {}


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
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stillwatch")
def _stillwatch() -> None:
    """Find out who is copying a language model through its API."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. `arguments` defaults to those of the process."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        status = _stillwatch.main(arguments, prog_name="stillwatch", standalone_mode=False)
    except StillwatchError as error:
        click.echo(f"stillwatch: {error} [{error.code}]", err=True)
        return error.exit_status
    except click.exceptions.Abort:
        return _interrupted()
    except KeyboardInterrupt:
        return _interrupted()
    except click.ClickException as error:
        error.show()
        return ExitStatus.UNREADABLE
    except OSError as error:
        return _operating_system(error)
    return status if isinstance(status, int) else ExitStatus.NOTHING_FOUND


def _interrupted() -> int:
    click.echo("stillwatch: interrupted; nothing half-written was left behind", err=True)
    return ExitStatus.INTERRUPTED


def _operating_system(error: OSError) -> int:
    if error.errno == errno.EPIPE:  # the reader of our output went away: not worth a word
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.OUR_FAILURE
    where = f"{error.filename}: " if error.filename else ""
    click.echo(f"stillwatch: {where}{error.strerror or error} [SW300]", err=True)
    return ExitStatus.OUR_FAILURE
