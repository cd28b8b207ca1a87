"""`stillwatch provenance …`: the group; its commands stand in files of their own."""

from __future__ import annotations

import click

from stillwatch.cli.provenance_keyed import ask, plan, test

__all__ = ["command"]


@click.group()
def command() -> None:
    """Whether another model learnt from yours: plans, questions, tests of what it answered.

    First `plan`, before anything is released or asked; then `ask` a suspect and some models that
    are known to be innocent; then `test` what was recorded. `stillwatch evidence seal` makes of it
    what others can check.
    """


command.add_command(plan)
command.add_command(ask)
command.add_command(test)
