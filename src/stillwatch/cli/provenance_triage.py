"""`stillwatch provenance triage`: which suspects are worth a keyed test."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from stillwatch.cli.stored import print_rows
from stillwatch.errors import InputError
from stillwatch.provenance import read_transcripts
from stillwatch.provenance import triage as of_triage
from stillwatch.provenance.questions import read_questions

__all__ = ["triage"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--teacher", type=_FILE, required=True, help="What the teacher answered.")
@click.option("--suspect", type=_FILE, required=True, help="What the suspect answered.")
@click.option(
    "--control", "controls", type=_FILE, multiple=True, required=True,
    help="What an unrelated model answered; give five or more.",
)  # fmt: skip
@click.option(
    "--prompts", type=_FILE, required=True,
    help="What all were asked; with `expected`, errors are compared, too.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def triage(
    teacher: Path, suspect: Path, controls: tuple[Path, ...], prompts: Path, as_json: bool
) -> None:
    """TRIAGE: rank a suspect among unrelated models by its similarity to the teacher.

    It says where a keyed test is worth its price, and is evidence of nothing: docs/triage.md. With
    fewer than five controls it says nothing. There is no exit status for a finding.

    \b
    Exit status: 0 done, 2 unreadable input, or too few controls.

    \b
    Example:
      stillwatch provenance triage --teacher t.jsonl --suspect s.jsonl --prompts problems.jsonl \\
        --control a.jsonl --control b.jsonl --control c.jsonl --control d.jsonl --control e.jsonl
    """
    questions = read_questions(prompts)
    expected = {prompt: right for prompt, right in questions.items() if right is not None}
    try:
        report = of_triage.triage(
            list(questions), read_transcripts(teacher), read_transcripts(suspect),
            [read_transcripts(each) for each in controls], expected=expected or None,
        )  # fmt: skip
    except ValueError as error:
        raise InputError(str(error), path=prompts) from error
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    click.echo(report.label)
    print_rows(
        ("kind", "prompts", "suspect", "controls", "rank", "p", "corrected"),
        [(each.kind, str(each.prompts), f"{each.suspect:.2f}",
          f"{min(each.controls):.2f} to {max(each.controls):.2f}",
          f"{each.rank} of {1 + len(each.controls)}", f"{each.p:.2f}", f"{each.corrected_p:.2f}")
         for each in report.similarities],
    )  # fmt: skip
    for kind, reason in report.left_out.items():
        click.echo(f"{kind} left out: {reason}")
    click.echo(f"{report.label}: with {len(report.controls)} controls no p is below "
               f"{report.least_p:.2f}, and all rests on their choice")  # fmt: skip
