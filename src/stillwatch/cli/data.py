"""`stillwatch data`: where to get the public data sets of the benchmarks. It downloads nothing."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.errors import InputError
from stillwatch.lab.corpus.public import PUBLIC_SETS, PublicSet, checksum

__all__ = ["command"]


@click.command()
@click.option(
    "--check",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Compare the files in DIR, a folder a set, with the checksums.",
)
def command(check: Path | None) -> None:
    """List public data sets: address, licence, what they add, checksums.

    They do not ship with Stillwatch: get them from their owners, put each into a folder of its
    name, and give the folder of folders to `simulate --prompts` or to a benchmark.
    """
    different = 0
    for public in PUBLIC_SETS:
        click.echo(f"{public.name}: {public.adds}")
        click.echo(f"  address  {public.address}\n  licence  {public.licence}")
        if public.note:
            click.echo(f"  note     {public.note}")
        for name, sha256 in public.files.items():
            verdict = "" if check is None else _verdict(check, public, name, sha256)
            different += verdict == DIFFERENT
            click.echo(f"  sha256   {sha256}  {name}{verdict}")
    click.echo(
        "None of them holds account, address, time and prompt together:"
        " the identity of accounts is always simulated."
    )
    if different:
        raise InputError(f"{different} files are not the ones that our benchmarks used", path=check)


DIFFERENT = "  DIFFERENT"


def _verdict(folder: Path, public: PublicSet, name: str, sha256: str) -> str:
    for path in (folder / public.name / name, folder / public.name / f"{name}.gz"):
        if path.is_file():
            return "  same" if checksum(path) == sha256 else DIFFERENT
    return "  missing"
