"""`stillwatch mark keygen`, and the commands that have files of their own."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from stillwatch.cli.mark_attack import attack
from stillwatch.cli.mark_config import for_sglang, for_vllm
from stillwatch.cli.mark_detect import detect
from stillwatch.cli.mark_radioactivity import radioactivity
from stillwatch.cli.mark_served import served
from stillwatch.cli.mark_trace import traced
from stillwatch.errors import OutputError
from stillwatch.key_files import MINIMUM_BYTES, create_key_file

__all__ = ["command"]


@click.group()
def command() -> None:
    """Keys of marks, and what shows them: a text, a model, who fed it.

    A mark found is evidence that a text was written under a key, and of nothing more: marks can be
    removed and forged (docs/watermark.md).
    """


for each in (detect, traced, served, radioactivity, attack, for_vllm, for_sglang):
    command.add_command(each)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def keygen(file: Path) -> None:
    """Make a master key of 32 random bytes in FILE, for its owner only.

    All keys of all clusters and epochs are derived from it. Whoever has it can forge every mark;
    without it no mark is ever found again: keep a copy apart.
    """
    try:
        create_key_file(file, secrets.token_bytes(MINIMUM_BYTES))
    except FileExistsError:
        raise OutputError("is there already, and a key is never overwritten", path=file) from None
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror}", path=file) from error
    click.echo(f"{file}: a new master key", err=True)
