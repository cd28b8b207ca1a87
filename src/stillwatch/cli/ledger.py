"""`stillwatch ledger append|head|prove|show|verify`."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.ledger import Head, Ledger, read_public_key
from stillwatch.ledger.files import (
    append_files,
    read_head,
    write_whole,
)
from stillwatch.ledger.offline import check_entry, check_growth
from stillwatch.ledger.timestamps import read_roots, stamp, stamped_at

__all__ = ["command"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_STATE = click.option(
    "--state", required=True, envvar="STILLWATCH_STATE", show_envvar=True, type=_FOLDER,
    metavar="DIR", help="Folder of the ledger.",
)  # fmt: skip
_SIGNING_KEY = click.option(
    "--signing-key", type=_FILE, metavar="FILE",
    help="32 random bytes that sign heads, in place of DIR/ledger.key.",
)  # fmt: skip
_OUT = click.option("--out", required=True, type=_FILE, help="The file to write.")


@click.group()
def command() -> None:
    """Record decisions so that nobody can change them unnoticed, and prove it to others.

    A head that somebody else holds is what makes this worth anything: give each away when you have
    signed it (docs/ledger.md).
    """


@command.command()
@_STATE
@_SIGNING_KEY
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE.json...")
def append(state: Path, signing_key: Path | None, files: tuple[Path, ...]) -> None:
    """Record the entries in FILES, all or none; their numbers are on standard output.

    A file holds one entry; one that ends in .jsonl, an entry a line. The ledger is made if there is
    none, with a signing key and its public half, DIR/ledger.pub. In a body, {"$commit": "acme"}
    becomes a commitment, whose salt is kept apart and can be erased.

    \b
    Example:
      stillwatch ledger append --state state verdict.json
    """
    numbers, size = append_files(state, files, key_file=signing_key)
    for number in numbers:
        click.echo(number)
    click.echo(f"{len(numbers):,} entries recorded; the ledger has {size:,}", err=True)


@command.command()
@_STATE
@_SIGNING_KEY
@_OUT
@click.option(
    "--timestamp", "authority", metavar="ADDRESS",
    help="Have it time-stamped (RFC 3161) by the authority at this http or https address.",
)  # fmt: skip
def head(state: Path, signing_key: Path | None, out: Path, authority: str | None) -> None:
    """Sign what the ledger holds now, and write the head for others to keep.

    \b
    Example:
      stillwatch ledger head --state state --out head.json --timestamp http://tsa.example/
    """
    with Ledger.open(state) as ledger:
        signed = ledger.head(signing_key)
        write_whole(out, signed.encoded())
        if authority is not None:
            signed = stamp(signed, authority)
            ledger.keep_stamped(signed)
            write_whole(out, signed.encoded())
    click.echo(f"{out}: {signed.size:,} entries, root {signed.root}", err=True)


@command.command()
@_STATE
@click.argument("index", type=click.IntRange(0), required=False)
@click.option("--since", type=_FILE, metavar="H", help="An earlier head, in place of INDEX.")
@click.option("--head", "head_file", type=_FILE, help="The head to prove it under; else the last.")
@_OUT
def prove(
    state: Path, index: int | None, since: Path | None, head_file: Path | None, out: Path
) -> None:
    """Write a proof that entry INDEX is under a head, or that the ledger only grew since one.

    \b
    Examples:
      stillwatch ledger prove 17 --state state --out proof.json
      stillwatch ledger prove --since old.json --state state --out growth.json
    """
    if (index is None) == (since is None):
        raise click.UsageError("give the INDEX of an entry, or --since and an earlier head")
    under = None if head_file is None else read_head(head_file)
    with Ledger.open(state, read_only=True) as ledger:
        if since is not None:
            data = ledger.prove_since(read_head(since), under).encoded()
        else:
            assert index is not None
            data = ledger.prove(index, under).encoded()
    write_whole(out, data)


@command.command()
@_STATE
@click.argument("index", type=click.IntRange(0))
def show(state: Path, index: int) -> None:
    """Print entry INDEX as it was recorded: the file that `verify --entry` takes.

    \b
    Example:
      stillwatch ledger show 17 --state state > entry.json
    """
    with Ledger.open(state, read_only=True) as ledger:
        click.echo(ledger.raw(index), nl=False)


@command.command()
@click.option("--state", type=_FOLDER, metavar="DIR", help="The whole ledger in this folder.")
@click.option("--proof", type=_FILE, metavar="P", help="A proof; needs no state.")
@click.option("--entry", type=_FILE, metavar="FILE", help="The entry that it is about.")
@click.option("--since", type=_FILE, metavar="OLD", help="The earlier head that it is about.")
@click.option(
    "--head", "heads", type=_FILE, metavar="H", multiple=True,
    help="A head that you hold. May be given several times with --state.",
)  # fmt: skip
@click.option("--key", type=_FILE, metavar="PUB", help="The public key of the ledger, PEM.")
@click.option(
    "--authority", type=_FILE, metavar="ROOTS",
    help="Certificates of the authority that time-stamped the heads, PEM.",
)  # fmt: skip
def verify(
    state: Path | None,
    proof: Path | None,
    entry: Path | None,
    since: Path | None,
    heads: tuple[Path, ...],
    key: Path | None,
    authority: Path | None,
) -> None:
    """Find out whether anything was changed.

    With --state: every entry, hash and head of the ledger, and the heads that you hold. With
    --proof: that --entry stands under --head, or that --head goes on from the earlier head --since.
    With --head and --key alone: the head's signature.

    \b
    Exit status: 0 sound, 4 tampered with (and the first bad entry), 2 unreadable.

    \b
    Examples:
      stillwatch ledger verify --state state --head head.json --key ledger.pub
      stillwatch ledger verify --proof proof.json --entry entry.json --head head.json \\
        --key ledger.pub
    """
    public = None if key is None else read_public_key(key)
    held = [read_head(path) for path in heads]
    if authority is not None and not held:
        raise click.UsageError("--authority is held against the time stamp of a --head; name one")
    if state is not None:
        if proof or entry or since:
            raise click.UsageError("--state reads the whole ledger; leave --proof out")
        with Ledger.open(state, read_only=True) as ledger:
            found = ledger.check(held, public)
            signer = ledger.public_key
        click.echo(f"sound: {found.size:,} entries, {found.heads} heads, root {found.root.hex()}")
        if public is None:
            click.echo(f"signed with the key {signer}; is it the one you were given? (--key)")
    else:
        if public is None or len(held) != 1:
            raise click.UsageError("give one --head and the --key that it must be signed with")
        _offline(held[0], public, proof, entry, since)
    if authority is not None:
        _authority(held, authority)


def _offline(
    head: Head, key: str, proof: Path | None, entry: Path | None, since: Path | None
) -> None:
    match proof, entry, since:
        case None, None, None:
            head.check(key)
            click.echo(f"sound: a head of {head.size:,} entries, signed at {head.at}")
        case Path(), Path(), None:
            index = check_entry(proof, entry, head, key)
            click.echo(f"sound: entry {index} of {head.size:,}, under the head signed at {head.at}")
        case Path(), None, Path():
            earlier = check_growth(proof, since, head, key)
            click.echo(f"sound: {head.size:,} entries, of which the first {earlier.size:,} stand")
        case _:
            raise click.UsageError("--proof goes with --entry, or with --since")


def _authority(heads: list[Head], authority: Path) -> None:
    roots = read_roots(authority)
    for head in heads:
        at = stamped_at(head, roots)
        click.echo(f"the head of {head.size:,} entries was time-stamped at {at:%Y-%m-%dT%H:%M:%SZ}")
