"""`stillwatch intel set`: digests in a file that can be asked and not read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from stillwatch.cli.stored import JSON, print_lines, print_rows
from stillwatch.errors import InputError

__all__: list[str] = []

_FILE = click.Path(path_type=Path, dir_okay=False)
_COMMUNITY = click.option("--community", type=_FILE, required=True, metavar="FILE",
                          help="The key of the community.")  # fmt: skip
_WATERMARK = click.option("--watermark", type=_FILE, required=True, metavar="FILE",
                          help="Your secret of watermarks: 32 random bytes.")  # fmt: skip


@click.group("set")
def set_() -> None:
    """Digests in a file that can be asked and not read, and that names whose copy it is.

    A member learns which of its own accounts are in the set, and nothing of the others: not even
    how many fields somebody shared. Each recipient gets a file of its own.
    """


@set_.command()
@click.argument("bundle", type=_FILE, metavar="BUNDLE")
@_COMMUNITY
@_WATERMARK
@click.option("--for", "recipient", required=True, metavar="NAME", help="Whose file this is.")
@click.option("--key", type=_FILE, required=True, metavar="FILE", help="Signs the file.")
@click.option("--tlp", default="amber", show_default=True,
              type=click.Choice(["clear", "green", "amber", "amber+strict", "red"]),
              help="How far it may be passed on.")  # fmt: skip
@click.option("--purpose", required=True, metavar="TEXT", help="What it may be used for.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 366),
              help="How long it is valid.")  # fmt: skip
@click.option("--id", "set_id", metavar="HEX", help="The id of another recipient's file, so that "
              "files of one set that were put together still tell.")  # fmt: skip
@click.option("--out", "-o", type=_FILE, required=True, metavar="FILE", help="Where to write it.")
def make(
    bundle: Path, community: Path, watermark: Path, recipient: str, key: Path, tlp: str,
    purpose: str, days: int, set_id: str | None, out: Path,
) -> None:  # fmt: skip
    """Make a set of the digests of BUNDLE that hold now, for one recipient.

    \b
    Example:
      stillwatch intel set make bundle.json --community community.json --watermark marks.key \\
          --for provider-b --key state/ledger.key --purpose "preventing distillation" --out b.set
    """
    from stillwatch.intel import CommunityKey
    from stillwatch.intel.exporting.own import identity_id
    from stillwatch.intel.private_sets import build_set
    from stillwatch.intel.private_sets.asking import digests_of
    from stillwatch.intel.profile import Tlp
    from stillwatch.key_files import read_key_file
    from stillwatch.ledger import SigningKey

    now, community_key, signing = datetime.now(UTC), CommunityKey.from_file(community), key
    try:
        objects = json.loads(bundle.read_bytes())["objects"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"this is no bundle of STIX: {error}", path=bundle) from error
    sealing = SigningKey.from_file(signing)
    made = build_set(
        digests_of(objects, community_key.scheme, now),
        scheme=community_key.scheme, maker=identity_id(sealing.public), key=sealing,
        watermark=read_key_file(watermark, "the secret of watermarks"), recipient=recipient,
        tlp=Tlp(tlp), purpose=purpose, made=now, valid_until=now + timedelta(days=days),
        set_id=set_id,
    )  # fmt: skip
    made.write(out)
    click.echo(f"{out}: set {made.id} for {recipient}, valid until {made.header.valid_until}")
    click.echo(f"signed with {sealing.public}")


@set_.command()
@click.argument("path", type=_FILE, metavar="SET")
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@_COMMUNITY
@click.option("--maker", required=True, metavar="HEX", help="The public key that must have signed.")
@JSON
def ask(path: Path, logs: tuple[str, ...], community: Path, maker: str, as_json: bool) -> None:
    """Show which accounts of LOG are in SET. A hit is no verdict: one in a million is wrong.

    \b
    Example:
      stillwatch intel set ask b.set log.jsonl --community community.json --maker 5bf3b58aff42...
    """
    from stillwatch.intel import CommunityKey
    from stillwatch.intel.private_sets import read_set
    from stillwatch.intel.private_sets.asking import ask as ask_log
    from stillwatch.sources import open_log

    found = read_set(path)
    found.check(maker)
    matches = ask_log(found, CommunityKey.from_file(community), open_log(logs), datetime.now(UTC))
    if as_json:
        print_lines(matches)
        return
    rows = ((each.account, each.field, f"{each.exchanges:,}") for each in matches)
    print_rows(("ACCOUNT", "FIELD", "EXCHANGES"), rows)


@set_.command()
@click.argument("path", type=_FILE, metavar="SET")
@_WATERMARK
@click.option("--recipient", "recipients", multiple=True, required=True, metavar="NAME",
              help="Somebody who has a file of this set; repeat it for all of them.")  # fmt: skip
def leaker(path: Path, watermark: Path, recipients: tuple[str, ...]) -> None:
    """Show for whom a SET that turned up was made, as far as that can be said.

    \b
    Example:
      stillwatch intel set leaker found.set --watermark marks.key \\
          --recipient provider-b --recipient provider-c
    """
    from stillwatch.intel.private_sets import find_leaker, read_set
    from stillwatch.key_files import read_key_file

    secret = read_key_file(watermark, "the secret of watermarks")
    found = find_leaker(read_set(path), secret, recipients)
    print_rows(
        ("RECIPIENT", "CANARIES", "LOG10 P"),
        ((e.recipient, f"{e.shared} of {e.present}", f"{e.log10_p:.1f}") for e in found),
    )
