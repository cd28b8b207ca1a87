"""Suspects about which nothing can be said: an abstention with its reason, never a p-value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from stillwatch.lab.students import CountModel
from stillwatch.provenance import Plan, Registration, TextSet
from stillwatch.provenance.radioactivity import Best, Outcome, open_test
from stillwatch.watermark import GumbelMark, KeyRing
from tests.provenance.conftest import SALT, VOCABULARY, Int64s


class Changed:
    """A model whose rows go through a function."""

    def __init__(self, model: CountModel, change: Callable[[np.ndarray], np.ndarray]) -> None:
        self._model, self._change = model, change
        self.vocabulary = VOCABULARY

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[np.ndarray]:
        for rows in self._model.probabilities(texts):
            yield self._change(rows)


class OfThree:
    """The three likeliest tokens, spoiled by a function."""

    def __init__(self, change: Callable[[Best], Best] = lambda best: best) -> None:
        self._change, self.vocabulary = change, VOCABULARY

    def best(self, texts: Sequence[Int64s]) -> Iterator[Best]:
        for text in texts:
            tokens = np.tile([1, 2, 3], (len(text), 1))
            yield self._change(Best(tokens, np.full((len(text), 3), 0.2, np.float32)))


def ask(suspect: object, reference: object, ring: KeyRing, texts: TextSet) -> Outcome:
    mark = GumbelMark(ring.key("a"))
    named = None if reference is None else "reference"
    plan = Plan(statistic="open", reference=named, decoys=10)
    registration = Registration.of(plan, [mark], [texts], salt=SALT)
    [said] = open_test(
        suspect, registration, [mark], [texts], salt=SALT, reference=reference,  # type: ignore[arg-type]
    )  # fmt: skip
    return said


@pytest.fixture
def texts(teacher: CountModel) -> TextSet:
    return TextSet.of("x", teacher.write([None] * 5, 40, rng=np.random.default_rng(1)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: np.where(rows > 0.2, np.nan, rows), "NaN"),
        (lambda rows: np.log(rows + 1e-9), "negative"),
        (lambda rows: rows * 0, "add up to 0"),
        (lambda rows: rows * 3, "add up to 3"),
    ],
)
def test_what_are_no_probabilities_is_not_judged(
    teacher: CountModel, ring: KeyRing, texts: TextSet, change: object, reason: str
) -> None:
    spoiled = Changed(teacher, change)  # type: ignore[arg-type]
    for pair in ((spoiled, None), (spoiled, teacher), (teacher, spoiled)):
        said = ask(*pair, ring, texts)
        assert reason in str(said.abstained)
        assert said.log10_p is None
        assert not said.found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda b: Best(b.tokens, b.probabilities * np.float32(np.nan)), "NaN"),
        (lambda b: Best(b.tokens, b.probabilities * 3), "add up"),
        (lambda b: Best(b.tokens, b.probabilities * 0), "no probability at all"),
        (lambda b: Best(b.tokens * 0 - 1, b.probabilities), "no probability at all"),
        (lambda b: Best(b.tokens + VOCABULARY, b.probabilities), "beyond a vocabulary"),
    ],
)
def test_lists_of_best_tokens_that_are_none_are_not_judged(
    ring: KeyRing, texts: TextSet, change: object, reason: str
) -> None:
    spoiled = OfThree(change)  # type: ignore[arg-type]
    assert reason in str(ask(spoiled, None, ring, texts).abstained)
    assert reason in str(ask(OfThree(), spoiled, ring, texts).abstained)


def test_a_model_that_is_its_reference_is_not_judged(
    teacher: CountModel, ring: KeyRing, texts: TextSet
) -> None:
    assert "what the reference says" in str(ask(teacher, teacher, ring, texts).abstained)


def test_too_few_windows_another_vocabulary_and_foreign_tokens_are_not_judged(
    teacher: CountModel, ring: KeyRing, texts: TextSet
) -> None:
    few = TextSet.of("x", [[1, 2, 3], [], [1]])
    assert "3 windows to score" in str(ask(teacher, None, ring, few).abstained)
    larger = CountModel.synthetic(VOCABULARY + 1)
    assert "vocabulary of 121" in str(ask(larger, teacher, ring, texts).abstained)
    foreign = TextSet.of("x", [np.arange(100, 140)])
    assert "another tokenizer" in str(ask(teacher, None, ring, foreign).abstained)


def test_a_silent_set_of_texts_does_not_silence_the_others(
    teacher: CountModel, base: CountModel, ring: KeyRing, texts: TextSet
) -> None:
    mark, sets = GumbelMark(ring.key("a")), [TextSet.of("few", [[1, 2]]), texts]
    plan = Plan(statistic="open", decoys=0)
    registration = Registration.of(plan, [mark], sets, salt=SALT)
    few, all_of_it = open_test(base, registration, [mark], sets, salt=SALT)
    assert few.abstained is not None
    assert all_of_it.abstained is None
    # it was planned, and counts in the correction as any that is not found
    assert all_of_it.corrected_log10_p == pytest.approx((all_of_it.log10_p or 0) + np.log10(2))
    assert all_of_it.decoy_rank is None


def test_a_suspect_of_a_wrong_shape_is_an_error(
    teacher: CountModel, ring: KeyRing, texts: TextSet
) -> None:
    for change in (lambda rows: rows[:-1], lambda rows: rows[:, :-1], lambda rows: rows[0]):
        with pytest.raises(ValueError, match="probabilities are"):
            ask(Changed(teacher, change), None, ring, texts)
    with pytest.raises(ValueError, match="all probabilities, or the best"):
        ask(OfThree(), teacher, ring, texts)

    class Short(Changed):
        def probabilities(self, texts: Sequence[Int64s]) -> Iterator[np.ndarray]:
            return super().probabilities(texts[:-1])

    with pytest.raises(ValueError, match="as many texts"):
        ask(teacher, Short(teacher, lambda rows: rows), ring, texts)


def test_a_reference_comes_as_it_was_registered(
    teacher: CountModel, ring: KeyRing, texts: TextSet
) -> None:
    mark = GumbelMark(ring.key("a"))
    for named, given in ((None, teacher), ("reference", None)):
        plan = Plan(statistic="open", reference=named)
        registration = Registration.of(plan, [mark], [texts], salt=SALT)
        with pytest.raises(ValueError, match="reference"):
            open_test(teacher, registration, [mark], [texts], salt=SALT, reference=given)
