"""The account graph: few marks at any size, nobody lost, the same drawing every time."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.campaigns import Tie
from stillwatch.campaigns.report.drawing import BOX, draw
from stillwatch.campaigns.report.graph import NODES, condense
from stillwatch.detections import Family

HUBS = 12
FAMILY = {"echo": Family.CONTENT, "infrastructure": Family.INFRASTRUCTURE}


def accounts(size: int) -> list[str]:
    return [f"account-{i}" for i in range(size)]


def tangle(size: int, seed: int = 1) -> list[Tie]:
    """One style of all, and a random web of payments and devices."""
    chance = random.Random(seed)
    names = accounts(size)
    ties = [Tie("echo", "style", tuple(names))]
    for kind in ("payment", "device"):
        ties += [
            Tie("infrastructure", kind, tuple(chance.sample(names, min(size, 6))))
            for _ in range(size // 4)
        ]
    return ties


@pytest.mark.parametrize("size", [5, 60, 300, 3000])
def test_a_campaign_of_any_size_is_drawn_with_few_marks_and_loses_nobody(size: int) -> None:
    graph = condense(accounts(size), tangle(size), HUBS)
    assert graph.members == size
    assert len({name for node in graph.nodes for name in node.accounts}) == size
    assert len(graph.hubs) <= HUBS
    assert len(graph.nodes) <= NODES
    assert 100 < draw(graph, FAMILY).height < 1200


def test_accounts_with_the_same_ties_are_one_dot() -> None:
    names = accounts(40)
    ties = [Tie("echo", "style", tuple(names)), Tie("infrastructure", "payment", tuple(names[:10]))]
    graph = condense(names, ties, HUBS)
    assert [(len(node.accounts), node.hubs) for node in graph.nodes] == [(30, (0,)), (10, (0, 1))]


def test_a_handful_of_accounts_is_drawn_one_by_one() -> None:
    graph = condense(accounts(5), [Tie("echo", "style", tuple(accounts(5)))], HUBS)
    assert [node.accounts for node in graph.nodes] == [(name,) for name in accounts(5)]
    assert all(dot.named for dot in draw(graph, FAMILY).dots)


def test_objects_that_the_same_accounts_share_are_one_box() -> None:
    names = tuple(accounts(20))
    graph = condense(names, [Tie("echo", "style", names)] * 3, HUBS)
    assert [(hub.label, hub.objects) for hub in graph.hubs] == [("style and 2 more", 3)]


def test_equal_labels_are_numbered_from_the_most_shared_on() -> None:
    names = accounts(20)
    ties = [Tie("echo", "style", tuple(names[:3])), Tie("echo", "style", tuple(names[5:15]))]
    graph = condense(names, ties, HUBS)
    assert [(hub.label, len(hub.accounts)) for hub in graph.hubs] == [
        ("style 1", 10),
        ("style 2", 3),
    ]


def test_what_is_too_small_to_draw_is_one_box_that_says_how_many_it_is() -> None:
    names = accounts(100)
    ties = [Tie("infrastructure", "payment", tuple(names[i : i + 2])) for i in range(0, 100, 2)]
    graph = condense(names, ties, HUBS)
    rest = graph.hubs[-1]
    alone = len(graph.hubs) - 1
    assert rest.rest
    assert rest.label == f"{50 - alone} more (payment)"
    assert len(rest.accounts) == 100 - 2 * alone


def test_strangers_and_lonely_objects_are_left_out() -> None:
    names = accounts(20)
    ties = [
        Tie("echo", "style", ("stranger", *names)),
        Tie("echo", "style", ("stranger", names[0])),
    ]
    graph = condense(names, ties, HUBS)
    assert [hub.accounts for hub in graph.hubs] == [frozenset(names)]


def test_more_combinations_than_can_be_drawn_are_gathered_under_what_they_have_in_common() -> None:
    names = accounts(2000)
    chance = random.Random(5)
    kinds = [f"kind-{k}" for k in range(9)]
    ties = [Tie("echo", "style", tuple(names))]
    ties += [Tie(kind, kind, tuple(n for n in names if chance.random() < 0.5)) for kind in kinds]
    graph = condense(names, ties, HUBS)
    assert len(graph.nodes) == NODES
    assert graph.members == 2000
    assert graph.nodes[-1].loosely
    assert [graph.hubs[i].label for i in graph.nodes[-1].hubs] == ["style"]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 80), st.integers(0, 10_000))
def test_the_drawing_does_not_depend_on_the_order_of_the_ties(size: int, seed: int) -> None:
    ties = tangle(size, seed)
    shuffled = random.Random(seed + 1).sample(ties, len(ties))
    assert draw(condense(accounts(size), shuffled, HUBS), FAMILY) == draw(
        condense(accounts(size), ties, HUBS), FAMILY
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 400), st.integers(0, 10_000))
def test_nothing_is_drawn_over_anything_else_or_outside(size: int, seed: int) -> None:
    drawing = draw(condense(accounts(size), tangle(size, seed), HUBS), FAMILY)
    for side in {box.x for box in drawing.boxes}:
        tops = sorted(box.y for box in drawing.boxes if box.x == side)
        assert all(below - above >= BOX for above, below in itertools.pairwise(tops))
        assert tops[0] >= 0
        assert tops[-1] + BOX <= drawing.height
    dots = sorted(drawing.dots, key=lambda dot: dot.y)
    assert dots[0].y - dots[0].radius >= 0
    assert dots[-1].y + dots[-1].radius <= drawing.height
    for above, below in itertools.pairwise(dots):
        assert above.y + above.radius < below.y - below.radius + 0.2


def test_wording_stands_left_and_infrastructure_right() -> None:
    boxes = draw(condense(accounts(60), tangle(60), HUBS), FAMILY).boxes
    assert {(box.hub.detection, box.x == 0) for box in boxes} == {
        ("echo", True),
        ("infrastructure", False),
    }
