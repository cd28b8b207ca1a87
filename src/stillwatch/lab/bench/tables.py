"""Figures → tables of text, for a terminal and for Markdown alike."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from stillwatch.lab.bench.figures import Estimate, Run, State
from stillwatch.lab.bench.results import Result

__all__ = [
    "Table",
    "brief_table",
    "cell_table",
    "confounder_table",
    "cost_table",
    "false_table",
    "leak_table",
    "markdown",
    "promise_lines",
    "reasons",
    "recall_caveat",
]

#: kinds that have been mistaken for campaigns; the others are shown in the report too
_NAMED = {
    "new_tool": "adopters of a new tool",
    "classroom": "classes",
    "evaluator": "evaluators",
    "grader": "graders",
    "researcher": "researchers",
    "aggregator": "aggregators",
}


class Table(NamedTuple):
    """Headings and rows; the first column is words, the others are figures."""

    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]


def recall_caveat(run: Run) -> str:
    """What must stand beside every recall of `run`; empty where the promise holds."""
    if run.state is State.HOLDS:
        return ""
    return {
        State.OPEN: "the promise is not shown for this run: its recall does not count yet",
        State.BROKEN: "the promise is broken in this run: its recall does not count",
    }[run.state]


def promise_lines(run: Run) -> list[str]:
    """The two promises in words."""
    lines = []
    for each, what in zip(
        run.promises, ("reported campaigns that are false", "innocents among members"), strict=True
    ):
        worst = (
            f"; cell {each.worst} is above it (p {each.worst_p:.2g}, Holm)"
            if each.worst_p <= 0.05
            else "; no cell is significantly above it"
        )
        lines.append(
            f"{what}: {each.mean:.2%} on average, 95 % bound {each.bound:.1%}, "
            f"promised {run.alpha:.0%}: {each.state}{worst}"
        )
    return lines


def cell_table(run: Run) -> Table:
    """Recall beside false discoveries, one row a cell."""
    heads = ["cell", "runs", "found", "accounts", "at 1 %", "at 0.1 %", "members wrong"]
    heads += ["campaigns false", "silent", "failed"]
    rows: list[tuple[str, ...]] = [
        (
            each.cell.name,
            f"{each.runs}",
            _interval(each.found),
            _interval(each.recall),
            _interval(each.recall_1),
            _interval(each.recall_01),
            _bound(each.members),
            _bound(each.campaigns),
            f"{each.silent:.0%}" if each.runs else "",
            f"{each.failed}" if each.failed else "",
        )
        for each in run.cells
    ]
    return Table(tuple(heads), rows)


def brief_table(run: Run) -> Table:
    """The same without bounds, for a terminal."""
    heads = ["cell", "runs", "found", "accounts", "at 1 %", "at 0.1 %", "members wrong"]
    heads += ["campaigns false", "innocents", "failed"]
    rows: list[tuple[str, ...]] = [
        (
            each.cell.name,
            f"{each.runs}",
            *(_mean(e) for e in (each.found, each.recall, each.recall_1, each.recall_01)),
            _mean(each.members),
            _mean(each.campaigns),
            f"{each.wrong:,}",
            f"{each.failed}" if each.failed else "",
        )
        for each in run.cells
    ]
    return Table(tuple(heads), rows)


def false_table(runs: Sequence[Run]) -> Table:
    """The promises and what breaking them costs, one row a detector."""
    heads = ("detector", "promise", "campaigns false", "members wrong", "worst cell (p, Holm)",
             "false campaigns per 10⁶ account-days", "innocents per 10⁶ account-days",
             "silent runs", "runs", "failed")  # fmt: skip
    rows: list[tuple[str, ...]] = []
    for run in runs:
        campaigns, members = run.promises
        worst = min(run.promises, key=lambda each: each.worst_p)
        rows.append(
            (
                run.detector,
                str(run.state),
                f"{campaigns.mean:.2%} (≤ {campaigns.bound:.1%})",
                f"{members.mean:.2%} (≤ {members.bound:.1%})",
                f"{worst.worst} ({worst.worst_p:.2g})",
                f"{run.false_campaigns:.2f}",
                f"{run.innocents:.1f}",
                f"{run.silent:.0%}",
                f"{run.runs:,}",
                f"{run.failed:,}",
            )
        )
    return Table(heads, rows)


def confounder_table(run: Run, *, every: bool = False) -> Table:
    """Innocent accounts that were named, by kind; those that are easily mistaken, or all."""
    rows: list[tuple[str, ...]] = [
        (_NAMED.get(each.kind, each.kind), f"{each.accounts:,}", f"{each.share:.3%}",
         f"{each.bound:.2%}")
        for each in run.kinds
        if every or each.kind in _NAMED
    ]  # fmt: skip
    return Table(("kind", "accounts", "named", "95 % bound"), rows)


def cost_table(runs: Sequence[Run]) -> Table:
    """Speed and state, one row a detector: medians over cells."""
    rows: list[tuple[str, ...]] = []
    for run in runs:
        rates = sorted(each.rate for each in run.cells if each.rate is not None)
        states = sorted(each.state for each in run.cells if each.state is not None)
        rows.append(
            (
                run.detector,
                f"{rates[len(rates) // 2]:,.0f}" if rates else "",
                f"{states[len(states) // 2]:,.0f}" if states else "not reported",
            )
        )
    return Table(("detector", "exchanges a second and core", "bytes an account"), rows)


def leak_table(results: Sequence[Result]) -> Table:
    """Attack exchanges before the first report, one row a detector and cell that counted them."""
    counted: dict[tuple[str, str], list[tuple[int, int]]] = {}
    hours: dict[tuple[str, str], list[float]] = {}
    for each in results:
        if each.leaked is not None and each.scored is not None:
            pair = each.leaked, each.scored.attacks
            counted.setdefault((each.detector, each.cell), []).append(pair)
            if each.hours is not None:
                hours.setdefault((each.detector, each.cell), []).append(each.hours)
    rows: list[tuple[str, ...]] = []
    for (detector, cell), pairs in counted.items():
        leaked = sorted(one for one, _ in pairs)
        seen = sum(one < every for one, every in pairs)
        rows.append(
            (
                cell,
                detector,
                f"{len(pairs)}",
                f"{seen}",
                f"{median(leaked):,.0f}",
                f"{leaked[0]:,} to {leaked[-1]:,}",
                f"{median(every for _, every in pairs):,.0f}",
                f"{median(times):,.0f}" if (times := hours.get((detector, cell))) else "",
            )
        )
    heads = ("cell", "detector", "runs", "stopped", "leaked, median", "range", "of", "hours")
    return Table(heads, rows)


def markdown(table: Table) -> str:
    """`table` as Markdown."""
    lines = ["| " + " | ".join(table.heads) + " |", "|---" * len(table.heads) + "|"]
    lines += ["| " + " | ".join(_cell(each) for each in row) + " |" for row in table.rows]
    return "\n".join(lines)


def reasons(run: Run) -> list[str]:
    """Why runs have no result, one line a cell and reason."""
    return [f"{each.cell.name}: {reason}" for each in run.cells for reason in each.reasons]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _mean(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{estimate.mean:.1%}"


def _interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return f"{estimate.mean:.0%} ({estimate.low:.0%} to {estimate.high:.0%})"


def _bound(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{estimate.mean:.1%} (≤ {estimate.high:.0%})"
