"""Two charts as SVG: recall by n and tier, and false discoveries with their bounds.

Drawn in the manner of the report of a scan: its colours, its type, light and dark, no script.
Lengths are pixels of a fixed drawing that scales with the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from stillwatch.lab.bench.figures import CellFigures, Estimate, Run, State
from stillwatch.lab.bench.tables import recall_caveat

__all__ = ["false_chart", "recall_chart"]

_STYLE = """<style>
svg { --paper: #fff; --ink: #1b2024; --soft: #545d66; --line: #dbd8d0; --for: #1d5c88;
  --against: #9a4a0c; --other: #b9b4a8; }
@media (prefers-color-scheme: dark) { svg { --paper: #1a1f23; --ink: #e9e6df; --soft: #a6afb8;
  --line: #333b42; --for: #79b6e4; --against: #f0a665; --other: #59626a; } }
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  fill: var(--ink); }
.soft { fill: var(--soft); }
.title { font: 600 16px Georgia, serif; }
.warn { fill: var(--against); }
.line { stroke: var(--line); }
.limit { stroke: var(--against); stroke-dasharray: 4 3; }
.mean { fill: var(--for); }
.wrong { fill: var(--against); }
.span { stroke: var(--for); stroke-width: 1.5; }
.wide { stroke: var(--against); stroke-width: 1.5; }
.paper { fill: var(--paper); }
.void { fill: var(--paper); stroke: var(--for); stroke-width: 1.5; }
</style>"""

_PANEL, _GAP, _LEFT, _TOP, _HEIGHT = 150, 26, 46, 78, 170
_TIERS = ("T0", "T1", "T2", "T3", "T5", "T4")


def recall_chart(run: Run) -> str:
    """Account recall over exchanges an account, a panel a tier; hollow while it does not count."""
    panels = [
        (tier, [f for f in run.cells if f.cell.level == tier and f.recall is not None])
        for tier in _TIERS
    ]
    panels = [(tier, cells) for tier, cells in panels if cells]
    width = _LEFT + len(panels) * (_PANEL + _GAP) + 10
    title = f"Accounts of campaigns named: {run.detector}"
    caveat = recall_caveat(run) or "the promise holds in this run"
    kind = "soft" if run.state is State.HOLDS else "warn"
    parts = [
        f'<text class="title" x="{_LEFT}" y="24">{escape(title)}</text>',
        f'<text class="{kind}" x="{_LEFT}" y="44">{escape(caveat)}</text>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _TOP + _HEIGHT * (1 - share)
        parts.append(f'<text class="soft" x="{_LEFT - 8}" y="{y + 4:g}" text-anchor="end">'
                     f"{share:.0%}</text>")  # fmt: skip
    for number, (tier, cells) in enumerate(panels):
        x = _LEFT + number * (_PANEL + _GAP)
        parts += _panel(x, tier, cells, counts=run.state is State.HOLDS)
    return _drawing(max(width, 460), _TOP + _HEIGHT + 48, title, parts)


def _panel(x: float, tier: str, cells: Sequence[CellFigures], *, counts: bool) -> list[str]:
    parts = [f'<text x="{x}" y="{_TOP - 12}">{tier}</text>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _TOP + _HEIGHT * (1 - share)
        parts.append(f'<line class="line" x1="{x}" x2="{x + _PANEL}" y1="{y:g}" y2="{y:g}"/>')
    taken: dict[float, int] = {}
    for each in cells:
        assert each.recall is not None
        at = _across(x, each.cell.exchanges)
        place = taken.get(at, 0)
        taken[at] = place + 1
        if not place:
            parts.append(f'<text class="soft" x="{at:.1f}" y="{_TOP + _HEIGHT + 18}" '
                         f'text-anchor="middle">{each.cell.exchanges:,}</text>')  # fmt: skip
        parts += _point(at + 9 * place, each.recall, each.cell.name, "mean" if counts else "void")
    parts.append(f'<text class="soft" x="{x + _PANEL / 2}" y="{_TOP + _HEIGHT + 36}" '
                 'text-anchor="middle">exchanges an account</text>')  # fmt: skip
    return parts


def _across(x: float, exchanges: int) -> float:
    return x + 14 + (_PANEL - 40) * (math.log10(exchanges) - 1) / 2


def _point(x: float, estimate: Estimate, name: str, look: str) -> list[str]:
    low, mean, high = (_TOP + _HEIGHT * (1 - v) for v in (estimate.low, estimate.mean,
                                                          estimate.high))  # fmt: skip
    said = f"{name}: {estimate.mean:.1%} ({estimate.low:.0%} to {estimate.high:.0%})"
    return [
        f"<g><title>{escape(said)}</title>"
        f'<line class="span" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
        f'<circle class="{look}" cx="{x:.1f}" cy="{mean:.1f}" r="4"/></g>'
    ]


def false_chart(run: Run) -> str:
    """False campaigns and innocent members a cell: the mean, and how far its bound reaches."""
    row, left, bar = 22, 130, 280
    title = f"Wrongly reported: {run.detector}"
    parts = [
        f'<text class="title" x="10" y="24">{escape(title)}</text>',
        f'<text class="soft" x="10" y="44">mean over seeds, and its 95 % bound; dashed: the '
        f"promised {run.alpha:.0%}</text>",
    ]
    cells = [each for each in run.cells if each.members is not None]
    heads = ("campaigns that are false", "members who are innocent")
    for column, head in enumerate(heads):
        x = left + column * (bar + 40)
        bottom = _TOP + row * len(cells)
        parts.append(f'<text x="{x}" y="{_TOP - 12}">{head}</text>')
        for share in (0, 0.25, 0.5, 0.75, 1):
            at = x + bar * share
            parts.append(f'<line class="line" x1="{at}" x2="{at}" y1="{_TOP}" y2="{bottom}"/>'
                         f'<text class="soft" x="{at}" y="{bottom + 16}" text-anchor="middle">'
                         f"{share:.0%}</text>")  # fmt: skip
        limit = x + bar * run.alpha
        parts.append(
            f'<line class="limit" x1="{limit:g}" x2="{limit:g}" y1="{_TOP}" y2="{bottom}"/>'
        )
    for number, each in enumerate(cells):
        y = _TOP + row * number + row / 2
        parts.append(f'<text x="10" y="{y + 4:g}">{escape(each.cell.name)}</text>')
        for column, estimate in enumerate((each.campaigns, each.members)):
            assert estimate is not None
            x = left + column * (bar + 40)
            mean, high = x + bar * estimate.mean, x + bar * estimate.high
            look = "wrong" if each.above[column] <= 0.05 else "mean"
            span = "wide" if each.above[column] <= 0.05 else "span"
            parts.append(
                f"<g><title>{escape(each.cell.name)}: {estimate.mean:.2%}, at most "
                f'{estimate.high:.1%}</title><line class="{span}" x1="{mean:.1f}" x2="{high:.1f}" '
                f'y1="{y:g}" y2="{y:g}"/><circle class="{look}" cx="{mean:.1f}" cy="{y:g}" r="4"/>'
                "</g>"
            )
    return _drawing(left + 2 * (bar + 40), _TOP + row * len(cells) + 34, title, parts)


def _drawing(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" role="img"><title>{escape(title)}</title>{_STYLE}'
        f'<rect class="paper" width="100%" height="100%"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
