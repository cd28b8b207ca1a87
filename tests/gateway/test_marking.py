"""The door to the mark: what the engine is told, what it answers, what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stillwatch.access import Asked, Decision
from stillwatch.gateway.marking import HEADER, Marked, marked_by, to_be_marked
from stillwatch.sketches import SketchKey
from tests.gateway.conftest import Client

DUE = Marked("radioactive")


@pytest.mark.parametrize(
    ("told", "marked"),
    [
        ("radioactive;epoch=2026-11", Marked("radioactive", epoch="2026-11")),
        ("none;low entropy", Marked("radioactive", unmarked="low entropy")),
        ("provenance;epoch=2026-11", Marked("radioactive", unmarked="another mark")),
        ("radioactive;epoch=<b>", Marked("radioactive", unmarked="another mark")),
        ("", Marked("radioactive", unmarked="another mark")),
        (None, Marked("radioactive")),
    ],
)
def test_only_the_engines_word_confirms_a_mark(told: str | None, marked: Marked) -> None:
    assert marked_by(DUE, {} if told is None else {HEADER: told}) == marked


def test_where_no_mark_is_due_the_engines_word_means_nothing() -> None:
    assert marked_by(Marked(), {HEADER: "radioactive;epoch=2026-11"}) == Marked()


@pytest.mark.parametrize(("temperature", "unmarked"), [(0.0, "greedy"), (0.7, None), (None, None)])
def test_greedy_decoding_carries_no_mark(temperature: float | None, unmarked: str | None) -> None:
    granted = Asked(model="m", temperature=temperature)
    decision = Decision(granted=granted, mark="radioactive")
    assert to_be_marked(decision, granted) == Marked("radioactive", unmarked=unmarked)
    assert to_be_marked(Decision(granted=granted), granted) == Marked()


def test_each_exchange_says_what_became_of_its_mark(
    client: Client, until: Callable[[Callable[[], object]], None]
) -> None:
    marked, plain = client.key(account="marks", level="open"), client.key(account="plain")
    client.chat(marked, "not confirmed")
    client.chat(marked, "greedy", temperature=0)
    client.engine.headers.append((HEADER.encode(), b"radioactive;epoch=2026-11"))
    try:
        client.chat(marked, "confirmed")
        client.chat(marked, "confirmed in a stream", stream=True)
        answer = client.chat(plain, "no mark is due")
    finally:
        client.engine.headers.clear()
    assert HEADER not in answer.headers
    key = SketchKey.from_file(client.state / "sketch.key")
    ours = {key.digest("account", name) for name in ("marks", "plain")}

    def rows() -> list[dict[str, Any]]:
        return [row for row in client.rows() if row["account"] in ours]

    until(lambda: len(rows()) == 5)
    said = [
        (row["mark"], row["mark_epoch"], row["unmarked"])
        for row in sorted(rows(), key=lambda row: row["at"])
    ]
    assert said == [
        ("radioactive", None, None),
        ("radioactive", None, "greedy"),
        ("radioactive", "2026-11", None),
        ("radioactive", "2026-11", None),
        (None, None, None),
    ]
