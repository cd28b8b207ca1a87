"""`stillwatch mark`: keys of watermarks, and what engines need of them."""

from __future__ import annotations

import click

from stillwatch.cli.mark_config import for_sglang, for_vllm

__all__ = ["command"]


@click.group()
def command() -> None:
    """Marks in what a model says: who puts them on, and under which key."""


command.add_command(for_vllm)
command.add_command(for_sglang)
