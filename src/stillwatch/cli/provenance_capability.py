"""`stillwatch provenance capability` and `tasks`: capability replicated, at which cost?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus
from stillwatch.provenance import read_transcripts
from stillwatch.provenance.capability import (
    DOMAINS,
    CapabilityReport,
    Domain,
    Share,
    Stage,
    compare_capability,
    make_tasks,
    read_task_set,
    write_task_set,
)

__all__ = ["capability", "tasks"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--seed", required=True, help="Whoever knows it draws the same tasks: keep it.")
@click.option(
    "--each", type=click.IntRange(1, 2000), default=50, show_default=True,
    help=f"Tasks of each domain: {', '.join(DOMAINS)}.",
)  # fmt: skip
def tasks(file: Path, seed: str, each: int) -> None:
    """Draw tasks with one right answer each, new for every seed, and write them to FILE.

    No model has seen tasks of a seed that you chose after its release.

    \b
    Example:
      stillwatch provenance tasks tasks.jsonl --seed "$(openssl rand -hex 8)"
      stillwatch provenance ask suspect.jsonl --prompts tasks.jsonl --address … --model …
    """
    drawn = make_tasks(seed, each)
    write_task_set(drawn, file)
    click.echo(f"{file}: {len(drawn.tasks):,} tasks, SHA-256 {drawn.digest}", err=True)


def _spent(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> list[dict[str, float]]:
    found = []
    for text in given:
        try:
            pairs = [part.split("=") for part in text.split(",")]
            costs = {name.strip(): float(value) for name, value in pairs}
        except ValueError:
            raise click.BadParameter(
                f"'{text}' is no list of unit=number, such as exchanges=120000,usd=310"
            ) from None
        if len(costs) < len(pairs) or not all(0 <= each < float("inf") for each in costs.values()):
            raise click.BadParameter(f"'{text}' names a unit twice, or what is no cost")
        found.append(costs)
    return found


@click.command()
@click.option("--teacher", type=_FILE, required=True, help="What the teacher answered.")
@click.option("--base", type=_FILE, required=True, help="What the suspect's base answered.")
@click.option(
    "--suspect", "suspects", type=_FILE, multiple=True, required=True,
    help="What the suspect answered; again for each later version of it.",
)  # fmt: skip
@click.option(
    "--control", "controls", type=_FILE, multiple=True,
    help="What a model answered that went on from the base without the teacher; may be repeated.",
)  # fmt: skip
@click.option(
    "--spent", multiple=True, callback=_spent, metavar="UNIT=NUMBER,…",
    help="What a suspect took to get there: one for each --suspect, in the same order.",
)  # fmt: skip
@click.option("--tasks", "task_file", type=_FILE, required=True, help="The tasks, with answers.")
@click.option("--alpha", type=click.FloatRange(0, 1), default=0.001, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def capability(
    teacher: Path,
    base: Path,
    suspects: tuple[Path, ...],
    controls: tuple[Path, ...],
    spent: list[dict[str, float]],
    task_file: Path,
    alpha: float,
    as_json: bool,
) -> int:
    """How much of its teacher's lead over its base a suspect has made up, and at which cost.

    Answers were recorded before (`ask`). Lines of GSM8K are read as tasks, too. What is printed
    holds grades and digests, no text.

    \b
    Exit status: 0 not found, 3 a suspect is better than its base, 2 unreadable.

    \b
    Example:
      stillwatch provenance capability --tasks tasks.jsonl --teacher t.jsonl --base b.jsonl \\
        --suspect march.jsonl --spent exchanges=40000,usd=210 \\
        --suspect june.jsonl --spent exchanges=310000,usd=1650
    """
    tasks = read_task_set(task_file)
    teacher_said, base_said = read_transcripts(teacher), read_transcripts(base)
    report, *others = (
        compare_capability(
            tasks, teacher_said, base_said, [read_transcripts(each) for each in some],
            spent=costs, alpha=alpha,
        )
        for some, costs in ((suspects, spent), *(((each,), []) for each in controls))
    )  # fmt: skip
    if as_json:
        click.echo(msgspec.json.encode({"suspects": report, "controls": others}))
    else:
        _print(report, others)
    return ExitStatus.CAMPAIGNS_FOUND if report.found else ExitStatus.NOTHING_FOUND


def _print(report: CapabilityReport, controls: Sequence[CapabilityReport]) -> None:
    heads = ("domain", "tasks", "teacher", "base", "suspect", "right", "of the lead", "95 %",
             "log10 p")  # fmt: skip
    print_rows(heads, [_row(domain, stage) for domain in report.domains for stage in domain.stages])
    for domain in report.domains:
        if domain.abstained:
            click.echo(f"{domain.name}: nothing is said: {domain.abstained}")
    if controls:
        click.echo()
        heads = (*heads[:4], "control", *heads[5:])
        print_rows(heads, [_row(domain, stage) for each in controls for domain in each.domains
                           for stage in domain.stages])  # fmt: skip
    if report.spent:
        click.echo()
        costs = dict(zip(report.models[1:-1], report.spent, strict=True))
        print_rows(
            ("of the lead", "reached by", "at", "not before", "at"),
            [(f"{each.level:.0%}", *_cost(each.shown, costs), *_cost(each.possible, costs))
             for each in report.reached],
        )  # fmt: skip
    click.echo()
    if not report.found:
        click.echo("not found, which shows nothing")
    elif better := [each.models[1] for each in controls if each.found]:
        click.echo(f"found: a suspect is better than its base; but so is {', '.join(better)}, a "
                   "control, by its own further training")  # fmt: skip
    else:
        click.echo("found: a suspect is better than its base on these tasks")


def _row(domain: Domain, stage: Stage) -> tuple[str, ...]:
    low, high = stage.interval
    return (
        domain.name, str(domain.teacher.of), _share(domain.teacher), _share(domain.base),
        stage.model, _share(stage.share),
        "-" if stage.recovered is None else f"{stage.recovered:.2f}",
        "-" if stage.recovered is None else f"{low:.2f} to {high:.2f}", f"{stage.log10_p:.2f}",
    )  # fmt: skip


def _share(share: Share) -> str:
    silent = f", {share.none} silent" if share.none else ""
    return f"{share.right / share.of:.0%}{silent}"


def _cost(stage: str | None, costs: dict[str, dict[str, float]]) -> tuple[str, str]:
    if stage is None:
        return "-", "-"
    return stage, ", ".join(f"{value:,g} {unit}" for unit, value in costs[stage].items())
