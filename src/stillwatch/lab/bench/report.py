"""The report of a benchmark: Markdown with every table, and two charts for each detector."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from stillwatch import __version__
from stillwatch.lab.bench.cell import Cell
from stillwatch.lab.bench.charts import false_chart, recall_chart
from stillwatch.lab.bench.figures import Run, figures
from stillwatch.lab.bench.grid import grid_table
from stillwatch.lab.bench.results import Result
from stillwatch.lab.bench.sizes import Size
from stillwatch.lab.bench.tables import (
    Table,
    cell_table,
    confounder_table,
    cost_table,
    false_table,
    leak_table,
    markdown,
    promise_lines,
    reasons,
    recall_caveat,
)

__all__ = ["write_report"]

_CAVEAT = """Simulated traffic: some prompts are real texts, others are composed; arrival times
follow production traces; accounts and their infrastructure are invented. Whoever wrote the
simulator knew what detections look at: read every figure as an optimistic bound."""

_LEAK = """Attack exchanges in the log at the first hourly look that reports the campaign, found by
bisection; a campaign that no look reports while it is at work has leaked everything."""


def write_report(
    out: Path,
    command: str,
    size: Size,
    cells: Sequence[Cell],
    results: Sequence[Result],
    alpha: float = 0.05,
) -> list[Run]:
    """Write ``report.md`` and the charts into `out`; the figures of each detector."""
    detectors = list(dict.fromkeys(each.detector for each in results))
    runs = [figures(name, cells, results, alpha) for name in detectors]
    seeds = sorted({each.seed for each in results})
    parts = [
        f"# The benchmark of detection, size {size.name}",
        _CAVEAT,
        _about(command, size, seeds),
        "## The promises",
        f"Of the campaigns reported, at most {alpha:.0%} false on average; of the accounts in "
        f"them, at most {alpha:.0%} innocent. A run without a report counts 0.",
        markdown(false_table(runs)),
    ]
    for run in runs:
        parts += _of(run, out)
    leaks = leak_table(results)
    if leaks.rows:
        parts += ["## Leaked before the first report", _LEAK, markdown(leaks)]
    parts += ["## Speed and state", markdown(cost_table(runs))]
    parts += ["## The cells", markdown(Table(*grid_table(cells)))]
    (out / "report.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return runs


def _about(command: str, size: Size, seeds: Sequence[int]) -> str:
    today = dt.datetime.now(dt.UTC).date()
    return (
        f"`{command}`, version {__version__}, {today:%Y-%m-%d}; {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}. "
        f"{len(seeds)} seeds ({_ranges(seeds)}), {size.accounts:,} innocent accounts, "
        f"{size.days:g} days a period."
    )


def _ranges(seeds: Sequence[int]) -> str:
    """``1000-1019`` where seeds follow one another."""
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return f"{seeds[0]}-{seeds[-1]}"
    return ", ".join(map(str, seeds))


def _of(run: Run, out: Path) -> list[str]:
    name = re.sub(r"[^a-z0-9]+", "-", run.detector.lower()).strip("-")[:60] or "detector"
    charts = {f"recall-{name}.svg": recall_chart(run), f"false-{name}.svg": false_chart(run)}
    for file, drawing in charts.items():
        (out / file).write_text(drawing, encoding="utf-8")
    caveat = recall_caveat(run)
    parts = [f"## {run.detector}"]
    if caveat:
        parts.append(f"**{caveat[0].upper()}{caveat[1:]}.**")
    parts.append("\n".join(f"- {line}" for line in promise_lines(run)))
    parts.append(markdown(cell_table(run)))
    parts += [f"![{file.partition('-')[0]}]({file})" for file in charts]
    parts.append("Innocent accounts that were named, by kind; an account counts with each kind "
                 "that it sends, and once a seed and period:")  # fmt: skip
    parts.append(markdown(confounder_table(run, every=True)))
    failures = reasons(run)
    if failures:
        parts.append("No result:\n\n" + "\n".join(f"- {line}" for line in failures))
    return parts
