"""`stillwatch provenance …`: each command has a file of its own."""

from __future__ import annotations

import click

from stillwatch.cli.provenance_announce import announce
from stillwatch.cli.provenance_ask import ask
from stillwatch.cli.provenance_capability import capability, tasks
from stillwatch.cli.provenance_keyed import plan, test
from stillwatch.cli.provenance_neutrality import neutrality
from stillwatch.cli.provenance_refusals import refusals
from stillwatch.cli.provenance_triage import triage

__all__ = ["command"]


@click.group()
def command() -> None:
    """What a suspect model shows of where it comes from, and of what it lost.

    First `ask` teacher, suspect, base and controls; what follows reads the records. A keyed test
    begins earlier: `plan` it before anything is asked, `ask` its probes, and `test`.
    """


command.add_command(plan)
command.add_command(ask)
command.add_command(test)
command.add_command(announce)
command.add_command(refusals)
command.add_command(neutrality)
command.add_command(triage)
command.add_command(tasks)
command.add_command(capability)
