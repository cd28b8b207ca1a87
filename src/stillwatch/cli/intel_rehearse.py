"""`stillwatch intel rehearse`: logs of two providers, with one campaign split over both."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["rehearse"]


@click.command()
@click.option("--out", "-o", type=click.Path(path_type=Path, file_okay=False), required=True,
              metavar="DIR", help="Folder for the logs and their labels.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Makes all.")
@click.option("--share", type=click.FloatRange(0, 1), default=0.88, show_default=True,
              help="Of the campaign's accounts, those at provider A.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace DIR if it holds something.")
def rehearse(out: Path, seed: int, share: float, force: bool) -> None:
    """Simulate two providers between whom one campaign is split, to rehearse sharing.

    Writes a.parquet and b.parquet, logs that `scan` reads, and the labels of each. Accounts and
    their infrastructure are simulated.

    \b
    Example:
      stillwatch intel rehearse --out rehearsal
    """
    from stillwatch.campaigns.outputs import output_folder
    from stillwatch.lab.two_providers import REHEARSAL, write_two_providers

    with output_folder(out, force=force) as folder:
        split = write_two_providers(folder, REHEARSAL, seed, share=share)
    for name, accounts, members in zip("ab", split.accounts, split.members, strict=True):
        click.echo(f"{out / name}.parquet: {accounts:,} accounts, {len(members)} of the campaign")
