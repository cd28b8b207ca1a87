"""`stillwatch provenance refusals`: safety removed?"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus
from stillwatch.provenance import read_transcripts
from stillwatch.provenance.bundle.words import upwards
from stillwatch.provenance.refusals import (
    Comparison,
    JudgedShare,
    RefusalReport,
    compare_refusals,
    read_labels,
    read_prompt_set,
)

__all__ = ["refusals"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--teacher", type=_FILE, required=True, help="What the teacher answered.")
@click.option("--suspect", type=_FILE, required=True, help="What the suspect answered.")
@click.option("--base", type=_FILE, help="What the model answered that the suspect started from.")
@click.option("--prompts", type=_FILE, help="Prompts that are safe and that are not; else ours.")
@click.option("--labels", type=_FILE, help="What people say of some of the answers.")
@click.option("--alpha", type=click.FloatRange(0, 1), default=0.001, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def refusals(
    teacher: Path,
    suspect: Path,
    base: Path | None,
    prompts: Path | None,
    labels: Path | None,
    alpha: float,
    as_json: bool,
) -> int:
    """What a suspect answers of the prompts that the teacher refuses.

    Answers were recorded before (`ask`). What is printed holds labels and digests, no text.

    \b
    Exit status: 0 not found, 3 the suspect answers oftener than teacher and base, 2 unreadable.

    \b
    Example:
      stillwatch provenance refusals --teacher t.jsonl --suspect s.jsonl --base b.jsonl
    """
    report = compare_refusals(
        read_prompt_set(prompts),
        read_transcripts(teacher),
        read_transcripts(suspect),
        None if base is None else read_transcripts(base),
        labels=None if labels is None else read_labels(labels),
        alpha=alpha,
    )
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        _print(report)
    return ExitStatus.CAMPAIGNS_FOUND if report.found else ExitStatus.NOTHING_FOUND


def _print(report: RefusalReport) -> None:
    rows = [("suspect answers where the teacher refuses", *_shown(report.answered))]
    if report.base_answered is not None:
        rows.append(("base answers where the teacher refuses", *_shown(report.base_answered)))
    rows += [(f"{role} refuses what is safe", *_shown(share))
             for role, share in report.over_refused.items()]  # fmt: skip
    print_rows(("", "judged", "counted", "with the judge's error"), rows)
    click.echo()
    pairs = [("teacher", report.teacher), ("base", report.base)]
    print_rows(
        ("suspect against", "alone", "other alone", "of", "difference", "log10 p"),
        [(role, *_compared(each)) for role, each in pairs if each is not None],
    )
    click.echo()
    shapes = (("where the teacher refuses", report.shape), ("safe", report.safe_shape))
    print_rows(
        ("suspect's answers", "number", "words", "structured", "on topic", "distinct"),
        [(name, str(each.answers), _number(each.words, 0), _number(each.structured),
          _number(each.on_topic), _number(each.distinct)) for name, each in shapes],
    )  # fmt: skip
    click.echo()
    if report.abstained is not None:
        click.echo(f"nothing is said: {report.abstained}")
    elif report.found:
        click.echo("found: the suspect answers what the others refuse")
    else:
        click.echo("not found, which shows nothing")


def _shown(share: JudgedShare) -> tuple[str, str, str]:
    unjudged = f" ({share.unjudged} unjudged)" if share.unjudged else ""
    return f"{share.hits} of {share.of}{unjudged}", _range(share.counted), _range(share.corrected)


def _compared(each: Comparison) -> tuple[str, ...]:
    return (
        str(each.alone), str(each.other_alone), str(each.of), _range(each.difference),
        f"{upwards(each.log10_p):.2f}",
    )  # fmt: skip


def _range(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.2f} to {interval[1]:.2f}"


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
