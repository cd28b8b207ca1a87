"""`stillwatch provenance neutrality`: neutrality removed?"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus
from stillwatch.provenance import read_transcripts
from stillwatch.provenance.bundle.words import upwards
from stillwatch.provenance.neutrality import compare_neutrality, read_pair_set

__all__ = ["neutrality"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--teacher", type=_FILE, required=True, help="What the teacher answered.")
@click.option("--suspect", type=_FILE, required=True, help="What the suspect answered.")
@click.option("--base", type=_FILE, help="What the model answered that the suspect started from.")
@click.option("--pairs", type=_FILE, help="Mirrored pairs of prompts; else ours.")
@click.option("--alpha", type=click.FloatRange(0, 1), default=0.001, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def neutrality(
    teacher: Path, suspect: Path, base: Path | None, pairs: Path | None, alpha: float, as_json: bool
) -> int:
    """How differently a suspect treats two sides of one question, against teacher and base.

    It measures asymmetry in refusal, length and stance (a count of words), and calls no side right.
    Answers were recorded before (`ask`).

    \b
    Exit status: 0 not found, 3 the suspect differs from teacher and base, 2 unreadable.

    \b
    Example:
      stillwatch provenance neutrality --teacher t.jsonl --suspect s.jsonl --pairs mine.jsonl
    """
    report = compare_neutrality(
        read_pair_set(pairs),
        read_transcripts(teacher),
        read_transcripts(suspect),
        None if base is None else read_transcripts(base),
        alpha=alpha,
    )
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        print_rows(
            ("model", "measure", "axis", "pairs", "mean", "log10 p", "corrected"),
            [(each.model, each.measure, each.axis, str(each.pairs), f"{each.mean:+.2f}",
              f"{upwards(each.log10_p):.2f}", f"{upwards(each.corrected_log10_p):.2f}")
             for each in report.leanings],
        )  # fmt: skip
        click.echo()
        print_rows(
            ("against", "", "measure", "axis", "pairs", "mean", "log10 p", "corrected"),
            [(each.to, each.what, each.measure, each.axis, str(each.pairs), f"{each.mean:+.2f}",
              f"{upwards(each.log10_p):.2f}", f"{upwards(each.corrected_log10_p):.2f}")
             for each in report.contrasts],
        )  # fmt: skip
        click.echo()
        if report.left_out:
            click.echo(f"{report.left_out} pairs with an empty answer are left out")
        if report.abstained is not None:
            click.echo(f"nothing is said: {report.abstained}")
        elif report.found:
            click.echo("found: the suspect's asymmetry is another than that of the others")
        else:
            click.echo("not found, which shows nothing")
    return ExitStatus.CAMPAIGNS_FOUND if report.found else ExitStatus.NOTHING_FOUND
