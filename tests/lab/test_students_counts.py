"""Count models: text as likely as the table says, marked as asked, and kept by students."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.lab.students import CountModel
from stillwatch.watermark import (
    GLOBAL,
    GreenListMark,
    GumbelMark,
    KeyRing,
    LayeredMark,
    Mark,
    detect,
)

RING = KeyRing(bytes(range(32)), "2026-11")


@pytest.fixture(scope="module")
def teacher() -> CountModel:
    return CountModel.synthetic(200, nats=2.0, seed=1)


@pytest.mark.parametrize("nats", [1.3, 2.0, 3.0])
def test_a_teacher_has_the_entropy_that_it_was_asked_for(nats: float) -> None:
    made = CountModel.synthetic(200, nats=nats)
    assert abs(made.nats - nats) < 0.02
    assert np.allclose(made.table.sum(axis=1), 1, atol=1e-5)
    assert made.start.max() > 5 * np.median(made.start)


def test_an_entropy_that_no_table_has_is_refused() -> None:
    with pytest.raises(ValueError, match="entropy"):
        CountModel.synthetic(100, nats=4.0)


def test_unmarked_text_follows_the_table(teacher: CountModel) -> None:
    text = teacher.write([None] * 800, 60, rng=np.random.default_rng(2), top_k=None)
    often = np.bincount(text.ravel()).argmax()
    after = text[:, 1:][text[:, :-1] == often]
    found = np.bincount(after, minlength=200) / len(after)
    assert np.abs(found - teacher.table[often]).max() < 4 * 0.5 / np.sqrt(len(after))


def test_every_text_carries_its_own_mark_and_no_other(teacher: CountModel) -> None:
    one, two = GumbelMark(RING.key("a")), GumbelMark(RING.key("b"), 2)
    green = GreenListMark(RING.key("c", "green-list"))
    layered = LayeredMark(GumbelMark(RING.key(GLOBAL), 2), GumbelMark(RING.key("d")))
    marks: list[Mark] = [one, two, green, *layered.layers]
    texts = teacher.write([one, two, green, layered, None], 400, rng=np.random.default_rng(3))
    for text, own in zip(texts, [{one}, {two}, {green}, {*layered.layers}, set()], strict=True):
        found = detect(text, marks, decoys=0)
        assert {said.mark for said in found if (said.corrected_log10_p or 0) < -4} == own


def test_an_answer_goes_on_from_its_prompt(teacher: CountModel) -> None:
    mark, prompts = GumbelMark(RING.key("a"), 2), np.tile([[3, 5]], (4, 1))
    texts = teacher.write([mark] * 4, 1, rng=np.random.default_rng(4), prompts=prompts)
    with np.errstate(divide="ignore"):
        logits = np.log(teacher.table[[5]])
    only = mark.sample(logits, np.array([[3, 5]]), rng=np.random.default_rng(4))
    assert (texts == only).all()


@pytest.mark.parametrize("order", [1, 2])
def test_a_student_moves_towards_what_it_was_fed(teacher: CountModel, order: int) -> None:
    base = CountModel.synthetic(200, nats=2.0, seed=9)
    text = np.array([1, 2, 3, 1, 2, 3, 1, 2, 3, 9, 2, 7])
    student = base.taught([text], weight=3.0, order=order)
    rows = next(student.probabilities([np.array([1, 2])]))
    assert np.allclose(rows.sum(axis=1), 1, atol=1e-5)
    assert np.isclose(rows[0, 2], (3 + 3 * base.table[1, 2]) / 6)
    one = (3 + 3 * base.table[2, 3]) / (4 + 3)
    assert np.isclose(rows[1, 3], one if order == 1 else (3 + 3 * one) / 6)
    unseen = next(student.probabilities([np.array([4, 2])]))
    assert np.isclose(unseen[1, 3], one)


def test_a_student_that_cannot_be_is_refused(teacher: CountModel) -> None:
    with pytest.raises(ValueError, match="1 or 2"):
        teacher.taught([np.arange(5)], order=3)
    with pytest.raises(ValueError, match="weight"):
        teacher.taught([np.arange(5)], weight=0)
