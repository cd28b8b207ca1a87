"""`stillwatch intel …`: each command has a file of its own."""

from __future__ import annotations

import click

from stillwatch.cli.intel_apply import apply, blocks
from stillwatch.cli.intel_collections import collection, token
from stillwatch.cli.intel_export import export
from stillwatch.cli.intel_forget import forget
from stillwatch.cli.intel_import import import_, members
from stillwatch.cli.intel_keygen import keygen
from stillwatch.cli.intel_match import match
from stillwatch.cli.intel_overlap import overlap
from stillwatch.cli.intel_poll import poll
from stillwatch.cli.intel_publish import publish
from stillwatch.cli.intel_rehearse import rehearse
from stillwatch.cli.intel_revoke import revoke, seen, sightings, whoami
from stillwatch.cli.intel_serve import serve
from stillwatch.cli.intel_set import set_

__all__ = ["command"]


@click.group()
def command() -> None:
    """Share what may be shared about a campaign, and use what others shared.

    A sharing policy says what may leave, to whom and until when; `export --preview` shows every
    object that would leave, and everything that would not and why. Digests are made under a key
    that a community of providers holds, and only of what nobody could find by trying.
    """


for each in (serve, collection, token, publish, poll):
    command.add_command(each)
command.add_command(keygen)
command.add_command(export)
for each in (whoami, members, import_, match, apply, blocks, sightings, seen, revoke, rehearse):
    command.add_command(each)
command.add_command(set_)
command.add_command(overlap)
command.add_command(forget)
