"""A condensed graph → positions: boxes of shared objects left and right, accounts between them.

Layered drawing with the barycentre rule (Sugiyama, Tagawa & Toda 1981): boxes and dots are put
next to what they are tied to, in a fixed number of sweeps from a fixed start, so that equal graphs
are drawn equally. Lengths across are in percent of the width, so that text keeps its size on any
screen; lengths down are CSS pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stillwatch.campaigns.report.graph import Graph, Hub, Node
from stillwatch.detections import Family

__all__ = ["Box", "Dot", "Drawing", "Fan", "Heading", "draw"]

BOX, GAP, HEADING = 28, 7, 44
WIDE, NARROW = 40.0, 31.0
"""Width of a box where all stand on one side, and where they stand on both."""
LARGEST, SMALLEST = 38.0, 4.5
"""Radii of dots."""
SWEEPS = 8
NAMED = 14
"""Up to so many dots, a dot of one account carries its name."""

_LEFT = (Family.CONTENT, Family.PURPOSE, Family.SHAPE, Family.TIME)


@dataclass(frozen=True)
class Heading:
    """The name of a detection above its boxes."""

    x: float
    y: float
    width: float
    detection: str


@dataclass(frozen=True)
class Box:
    """A hub; `share` of the campaign's accounts have it."""

    index: int
    hub: Hub
    x: float
    y: float
    width: float
    share: float


@dataclass(frozen=True)
class Dot:
    """A node."""

    index: int
    node: Node
    x: float
    y: float
    radius: float
    named: bool

    @property
    def holds_number(self) -> bool:
        """Whether the number of its accounts fits into it."""
        return self.radius >= 4.5 + 3.7 * len(f"{len(self.node.accounts):,}")


@dataclass(frozen=True)
class Fan:
    """The ties of one dot: by hub a path, in percent across and pixels down; `width` in pixels."""

    dot: int
    width: float
    paths: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Drawing:
    """Everything that the SVG shows, and its height in pixels."""

    height: int
    headings: tuple[Heading, ...]
    boxes: tuple[Box, ...]
    dots: tuple[Dot, ...]
    fans: tuple[Fan, ...]


def draw(graph: Graph, family: Mapping[str, Family]) -> Drawing:
    """Lay `graph` out. `family` of each detection decides the side of its boxes."""
    left = [i for i, hub in enumerate(graph.hubs) if family.get(hub.detection) in _LEFT]
    right = [i for i in range(len(graph.hubs)) if i not in left]
    if not left:
        left, right = right, left
    both = bool(left and right)
    dots, columns = _ordered(graph, left, right)
    radius = _radii(graph.nodes)
    heights = [_column_height(graph, column) for column in columns]
    across = sum(2 * radius[i] + GAP for i in dots)
    height = math.ceil(max(across, *heights, 4 * BOX))

    width = NARROW if both else WIDE
    middle = 50.0 if both else 72.0
    y, centres = (height - across) / 2, {}
    for i in dots:
        y += radius[i] + GAP / 2
        centres[i] = round(y, 1)
        y += radius[i] + GAP / 2
    boxes, headings = [], []
    for x, column, tall in zip((0.0, 100.0 - width), columns, heights, strict=True):
        placed, titles = _column(graph, column, x, width, (height - tall) / 2)
        boxes += placed
        headings += titles
    placed_dots = tuple(
        Dot(i, graph.nodes[i], middle, centres[i], round(radius[i], 1), len(graph.nodes) <= NAMED)
        for i in dots
    )
    return Drawing(
        height, tuple(headings), tuple(boxes), placed_dots, _fans(placed_dots, boxes, middle)
    )


def _radii(nodes: Sequence[Node]) -> list[float]:
    """The area of a dot grows with its accounts; the largest has the radius LARGEST at most."""
    most = max((len(node.accounts) for node in nodes), default=1)
    scale = min(7.0, LARGEST / math.sqrt(most))
    return [max(SMALLEST, scale * math.sqrt(len(node.accounts))) for node in nodes]


def _ordered(
    graph: Graph, left: Sequence[int], right: Sequence[int]
) -> tuple[list[int], tuple[list[int], list[int]]]:
    """The dots from top to bottom, and the hubs of both columns."""
    dots = list(range(len(graph.nodes)))
    columns = (list(left), list(right))
    for _ in range(SWEEPS):
        place: dict[int, float] = {}
        for column in columns:
            place |= {hub: (row + 0.5) / len(column) for row, hub in enumerate(column)}
        dots.sort(key=lambda i: (_mean(place, graph.nodes[i].hubs), -len(graph.nodes[i].hubs), i))
        height = {i: (row + 0.5) / len(dots) for row, i in enumerate(dots)}
        tied: dict[int, list[int]] = {hub: [] for hub in place}
        for i in dots:
            for hub in graph.nodes[i].hubs:
                tied[hub].append(i)
        for column in columns:
            _sort_column(graph, column, {hub: _mean(height, tied[hub]) for hub in column})
    return dots, columns


def _sort_column(graph: Graph, column: list[int], wish: Mapping[int, float]) -> None:
    """Boxes of a detection stay together; the hub of the rest stays their last."""
    kinds: dict[str, list[int]] = {}
    for hub in column:
        kinds.setdefault(graph.hubs[hub].detection, []).append(hub)
    mean = {kind: sum(wish[hub] for hub in hubs) / len(hubs) for kind, hubs in kinds.items()}

    def order(hub: int) -> tuple[object, ...]:
        kind = graph.hubs[hub].detection
        return (mean[kind], kind, graph.hubs[hub].rest, wish[hub], hub)

    column.sort(key=order)


def _mean(place: Mapping[int, float], chosen: Sequence[int]) -> float:
    """Where the chosen ones are on average; what has no tie goes to the end."""
    return sum(place[each] for each in chosen) / len(chosen) if chosen else 2.0


def _kinds(graph: Graph, column: Sequence[int]) -> int:
    return len({graph.hubs[hub].detection for hub in column})


def _column_height(graph: Graph, column: Sequence[int]) -> float:
    return len(column) * (BOX + GAP) + _kinds(graph, column) * HEADING


def _column(
    graph: Graph, column: Sequence[int], x: float, width: float, y: float
) -> tuple[list[Box], list[Heading]]:
    boxes, headings = [], []
    previous = None
    for index in column:
        hub = graph.hubs[index]
        if hub.detection != previous:
            previous = hub.detection
            headings.append(Heading(x, round(y, 1), width, hub.detection))
            y += HEADING
        share = len(hub.accounts) / max(1, graph.members)
        boxes.append(Box(index, hub, x, round(y, 1), width, share))
        y += BOX + GAP
    return boxes, headings


def _fans(dots: Sequence[Dot], boxes: Sequence[Box], middle: float) -> tuple[Fan, ...]:
    at = {box.index: box for box in boxes}
    accounts = max(8, sum(len(dot.node.accounts) for dot in dots))
    fans = []
    for dot in dots:
        paths = []
        for hub in dot.node.hubs:
            box = at[hub]
            start = box.x + box.width if box.x < middle else box.x
            bend, y = (start + middle) / 2, box.y + BOX / 2
            path = f"M{start:g} {y:g}C{bend:g} {y:g} {bend:g} {dot.y:g} {middle:g} {dot.y:g}"
            paths.append((hub, path))
        if paths:
            width = 1.2 + 6 * math.sqrt(len(dot.node.accounts) / accounts)
            fans.append(Fan(dot.index, round(width, 1), tuple(paths)))
    return tuple(fans)
