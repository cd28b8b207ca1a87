"""`stillwatch mark vllm-config | sglang-config`: what engines need to put on marks themselves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from stillwatch.errors import InputError, StorageError
from stillwatch.watermark.hooks.native import sglang_config, vllm_config
from stillwatch.watermark.hooks.reading import read_marks

__all__ = ["for_sglang", "for_vllm"]

_SETTINGS = click.option(
    "--settings",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file with the section 'watermark'.",
)
_MARK = click.option("--mark", "name", required=True, help="Which of its marks.")
_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A new file, for its owner's eyes only, in place of the terminal.",
)


@click.command("vllm-config")
@_SETTINGS
@_MARK
@_OUT
def for_vllm(settings: Path, name: str, out: Path | None) -> None:
    """Print vLLM's WatermarkConfig as JSON. It holds the global key.

    With --out the file is one for `vllm serve --config FILE`: on a command line every user of the
    machine could read the key.
    """
    config = vllm_config(read_marks(settings), name)
    _put(config if out is None else {"watermark-config": config}, out)


@click.command("sglang-config")
@_SETTINGS
@_MARK
@_OUT
def for_sglang(settings: Path, name: str, out: Path | None) -> None:
    """Print what SGLang's --watermark-config takes, as JSON; name the file there."""
    _put(sglang_config(read_marks(settings), name), out)


def _put(config: dict[str, Any], out: Path | None) -> None:
    text = json.dumps(config)
    if out is None:
        click.echo(text)
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
    except FileExistsError as error:
        raise InputError("there is a file already, and a key is never overwritten", path=out) from (
            error
        )
    except OSError as error:
        raise StorageError(f"cannot write it: {error.strerror}", path=out) from error
