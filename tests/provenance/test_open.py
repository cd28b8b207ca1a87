"""Open suspects: a student is found by its own key, a clean model by none, whatever it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from scipy.stats import binom, kstest

from stillwatch.lab.students import CountModel
from stillwatch.provenance import Plan, Registration, TextSet
from stillwatch.provenance.radioactivity import Best, Outcome, open_test
from stillwatch.provenance.radioactivity.evidence import View, gather
from stillwatch.provenance.radioactivity.outcome import decoy_keys
from stillwatch.provenance.radioactivity.positions import positions
from stillwatch.statistics import ExponentialScores, chernoff_tail, holm_log10
from stillwatch.watermark import (
    GLOBAL,
    GreenListMark,
    GumbelMark,
    KeyRing,
    LayeredMark,
    Mark,
    MarkKey,
)
from tests.provenance.conftest import SALT, VOCABULARY, Copying, Int64s


def ask(
    suspect: object,
    marks: Sequence[Mark],
    texts: Sequence[TextSet],
    reference: object = None,
    **settings: object,
) -> tuple[Outcome, ...]:
    named = None if reference is None else "reference"
    plan = Plan(statistic="open", reference=named, **{"decoys": 200, **settings})  # type: ignore[arg-type]
    registration = Registration.of(plan, marks, texts, salt=SALT)
    return open_test(
        suspect, registration, marks, texts, salt=SALT, reference=reference,  # type: ignore[arg-type]
    )  # fmt: skip


def fresh(teacher: CountModel, texts: int = 40, seed: int = 7) -> TextSet:
    written = teacher.write([None] * texts, 100, rng=np.random.default_rng(seed))
    return TextSet.of("fresh", written)


def test_a_student_is_found_by_the_keys_it_was_fed_with_and_by_no_other(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    gumbel, green = GumbelMark(ring.key("a")), GreenListMark(ring.key("a", "green-list"), delta=4)
    rng = np.random.default_rng(3)
    fed = teacher.write([gumbel] * 60 + [green] * 60 + [None] * 200, 100, rng=rng)
    sibling = base.taught(teacher.write([None] * 320, 100, rng=rng))
    marks = [gumbel, green, GumbelMark(ring.key("b")), GreenListMark(ring.key("b", "green-list"))]
    texts = [fresh(teacher), TextSet.of("served", fed[:120], served_to=["a"])]
    found = ask(base.taught(fed), marks, texts, sibling)
    assert [o.found for o in found] == 2 * [True, True, False, False]
    assert all(o.log10_p < -6 and o.decoy_rank == 1 for o in found if o.found)
    assert {o.statistic for o in found} == {"open, fresh text", "open, served text"}
    # to keys that took no part in them, served texts are fresh; "b" was not named
    named = ["open, served text"] * 2 + ["open, fresh text"] * 2
    assert [o.statistic for o in found[4:]] == named
    adjusted = holm_log10([o.log10_p for o in found])
    assert [o.corrected_log10_p for o in found] == adjusted.tolist()


def test_a_reference_raises_the_evidence(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    mark, rng = GumbelMark(ring.key("a")), np.random.default_rng(5)
    student = base.taught(teacher.write([mark] * 40 + [None] * 260, 100, rng=rng))
    sibling = base.taught(teacher.write([None] * 300, 100, rng=rng))
    [plain] = ask(student, [mark], [fresh(teacher)])
    [less] = ask(student, [mark], [fresh(teacher)], sibling)
    assert less.log10_p < -6 < plain.log10_p


@pytest.mark.slow
def test_a_share_of_a_twentieth_of_600_000_tokens_is_beyond_doubt(ring: KeyRing) -> None:
    teacher = CountModel.synthetic(500, nats=2.5, seed=10)
    base = teacher.mixed(CountModel.synthetic(500, nats=2.5, seed=20), 0.5)
    mark, rng = GumbelMark(ring.key("0")), np.random.default_rng(0)
    fed = teacher.write([mark] * 150 + [None] * 2_850, 200, rng=rng)
    sibling = base.taught(teacher.write([None] * 3_000, 200, rng=rng))
    sets = [fresh(teacher), TextSet.of("served", fed[:150], served_to=[mark.key.cluster])]
    assert all(o.log10_p < -10 for o in ask(base.taught(fed), [mark], sets, sibling))
    clean = base.taught(teacher.write([None] * 3_000, 200, rng=rng))
    assert not any(o.found for o in ask(clean, [mark], sets, sibling))


def test_standardised_differences_are_evidence_against_students_alone(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    mark, rng = GumbelMark(ring.key("a")), np.random.default_rng(5)
    student = base.taught(teacher.write([mark] * 20 + [None] * 380, 100, rng=rng))
    sibling, other = (base.taught(teacher.write([None] * 400, 100, rng=rng)) for _ in range(2))
    [found] = ask(student, [mark], [fresh(teacher)], sibling, weighting="standardised")
    assert found.log10_p < -5
    assert found.decoy_rank == 1
    [clean] = ask(other, [mark], [fresh(teacher)], sibling, weighting="standardised")
    assert clean.log10_p > -3


def test_each_layer_is_scored_where_it_was_put(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    layered = LayeredMark(GumbelMark(ring.key(GLOBAL)), GumbelMark(ring.key("a")))
    rng = np.random.default_rng(5)
    student = base.taught(teacher.write([layered] * 200, 100, rng=rng))
    found = ask(student, layered.layers, [fresh(teacher)], base)
    assert all(o.found for o in found)
    assert sum(o.windows for o in found) == ask(student, [layered.cluster_mark],
                                                   [fresh(teacher)], base)[0].windows  # fmt: skip


def test_windows_of_two_tokens_are_found_in_a_student_that_keeps_them(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    mark, rng = GumbelMark(ring.key("a"), 2), np.random.default_rng(5)
    fed = teacher.write([mark] * 200, 100, rng=rng)
    served = TextSet.of("served", fed, served_to=["a"])
    kept = ask(base.taught(fed, order=2, weight=5.0), [mark], [served], base)
    lost = ask(base.taught(fed), [mark], [served], base)
    assert kept[0].log10_p < 1.5 * lost[0].log10_p
    assert kept[0].found


def test_under_the_null_fresh_text_keeps_its_promise_over_keys_and_ranks_are_uniform(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    fresh_promise(teacher, base, ring, 150)


@pytest.mark.slow
def test_ten_thousand_keys_on_fresh_text_keep_their_promise(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    fresh_promise(teacher, base, ring, 10_000)


def fresh_promise(teacher: CountModel, base: CountModel, ring: KeyRing, keys: int) -> None:
    rng = np.random.default_rng(8)
    # of an unrelated key, which is no evidence about the others
    text = teacher.write([GumbelMark(ring.key("writer"))] * 20, 60, rng=rng)
    student = base.taught(teacher.write([GumbelMark(ring.key("another"))] * 50, 100, rng=rng))
    marks: list[Mark] = [GumbelMark(ring.key(f"{i}")) for i in range(keys)]
    marks += [GreenListMark(ring.key(f"{i}", "green-list")) for i in range(keys)]
    said = ask(student, marks, [TextSet.of("x", text)], base, decoys=400, kept=16)
    for some in (said[:keys], said[keys:]):
        within_bounds([o.log10_p for o in some])
        # the approximation is good to a few per cent, which more keys than these would see
        near = 10 ** np.array([o.log10_p_approximate for o in some[:2_000]])
        assert kstest(near, "uniform").pvalue > 0.005
        # ranks share their decoys, so that they are uniform to within those alone
        ranks = np.array([o.decoy_rank for o in some]) / 401
        assert kstest(ranks, "uniform").statistic < 1.6 / np.sqrt(min(keys, 400)) + 0.05


def within_bounds(log10_p: Sequence[float | None]) -> None:
    """Shares of at most 0.1, 0.01, 0.001 within the 99.9 % bound of chance."""
    found = np.array(log10_p, float)
    for alpha in (1e-1, 1e-2, 1e-3):
        assert (found <= np.log10(alpha)).sum() <= binom.ppf(0.999, len(found), alpha)


def test_under_the_null_served_text_keeps_its_promise_though_the_suspect_copies(
    teacher: CountModel, ring: KeyRing
) -> None:
    within_bounds(served_p_values(teacher, ring, 40, served=True))


@pytest.mark.slow
@pytest.mark.parametrize("reference", [False, True])
def test_a_thousand_served_texts_keep_their_promise_though_the_suspect_copies(
    teacher: CountModel, ring: KeyRing, reference: bool
) -> None:
    within_bounds(served_p_values(teacher, ring, 1_000, served=True, reference=reference))


def served_p_values(
    teacher: CountModel, ring: KeyRing, trials: int, *, served: bool, reference: bool = False
) -> list[float | None]:
    """A clean model that copies, on conversations under each of many keys.

    A later turn follows the answer of an earlier one, so that it depends on the key, too.
    """
    narrow = CountModel.synthetic(VOCABULARY, nats=1.5, seed=4)
    marks = [GumbelMark(ring.key(f"k{i}")) for i in range(trials)]
    rng = np.random.default_rng(9)
    prompts = narrow.write([None] * trials, 6, rng=rng)
    first = narrow.write(marks, 40, rng=rng, prompts=prompts)
    turn = np.concatenate([prompts, first], axis=1)
    second = narrow.write(marks, 40, rng=rng, prompts=turn)
    out = []
    for i, mark in enumerate(marks):
        texts = [turn[i], np.concatenate([turn[i], second[i]])]
        cluster = [mark.key.cluster] if served else []
        sets = [TextSet.of("x", texts, prompts=[6, 6], served_to=cluster)]
        [said] = ask(
            Copying(teacher), [mark], sets, teacher if reference else None, decoys=0, kept=16
        )
        out.append(said.log10_p)
    return out


def test_windows_that_a_text_shows_would_find_the_key_in_a_clean_model_that_copies(
    teacher: CountModel, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why they are left out, and why text that carries the key is not taken for fresh."""
    from stillwatch.provenance.radioactivity import positions as module

    monkeypatch.setattr(module, "_first", lambda text, width: np.arange(width, len(text) + 1))
    wrong = np.array(served_p_values(teacher, ring, 60, served=False), float)
    assert (wrong < -2).mean() > 0.05


def test_a_window_of_a_served_text_counts_where_it_first_appears_and_was_not_visible() -> None:
    texts = TextSet.of("x", [[5, 1, 2, 1, 3], [9, 2, 4, 1, 9]], prompts=[2, 1], served_to=["a"])
    [one, two] = positions(texts, 1, served=True)
    # 1 ends the first prompt, 2 and 3 are new; then 9 ends a prompt, 2 and 1 are used up
    assert one.tolist() == [2, 3, 5]
    assert two.tolist() == [1, 3]
    [one, two] = positions(texts, 1, served=False)
    assert one.tolist() == [1, 2, 3, 5]
    assert two.tolist() == [1, 2, 3, 4]


def test_a_window_that_the_prompt_shows_is_used_up_where_the_key_met_it() -> None:
    # 7 is visible in the first prompt, and what follows it in the answer depends on its scores
    texts = TextSet.of("x", [[7, 5, 7, 2], [9, 7, 1]], prompts=[2, 1], served_to=["a"])
    [one, two] = positions(texts, 1, served=True)
    assert one.tolist() == [2, 4]
    assert two.tolist() == [1, 3]


def test_weights_are_the_mean_differences_over_the_occurrences_of_a_window() -> None:
    class Fixed:
        vocabulary = 3

        def __init__(self, *rows: list[list[float]]) -> None:
            self.rows = rows

        def probabilities(self, texts: Sequence[Int64s]) -> Iterator[np.ndarray]:
            return iter(np.array(row, np.float32) for row in self.rows)

    texts = TextSet.of("x", [[0, 1], [0]])
    suspect = Fixed([[0.5, 0.4, 0.1], [1, 0, 0]], [[0.9, 0.0, 0.1]])
    reference = Fixed([[0.3, 0.4, 0.3], [1, 0, 0]], [[0.3, 0.6, 0.1]])
    view = View(1, False)
    found = gather(suspect, texts, [view], reference=reference, kept=2)[view]
    assert found.contexts.ravel().tolist() == [0, 1]
    said = dict(zip(found.tokens[0].tolist(), found.weights[0].tolist(), strict=True))
    assert said == pytest.approx({0: 0.4, 1: -0.3})
    assert found.pairs == 2


def test_what_is_claimed_is_the_bound_on_capped_differences_and_its_rank(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    mark, texts, view = GumbelMark(ring.key("a")), fresh(teacher, 4), View(1, False)
    found = gather(base, texts, [view], reference=teacher, kept=9)[view]
    rows, columns = np.nonzero(found.weights)
    weights = np.clip(found.weights, -0.02, 0.02)[rows, columns].astype(float)
    law = ExponentialScores(1 << 24)
    windows = found.contexts[rows], found.tokens[rows, columns]
    totals = [
        float(weights @ (GumbelMark(key).scores(*windows) - 1))
        for key in [mark.key, *(MarkKey(int(k), "", "") for k in decoy_keys(30, 5))]
    ]
    [said] = ask(base, [mark], [texts], teacher, cap=0.02, kept=9, decoys=30, seed=5)
    assert said.log10_p == pytest.approx(chernoff_tail(totals[0], weights, law), rel=1e-6, abs=1e-9)
    assert said.decoy_rank == sum(total >= totals[0] for total in totals)
    assert (said.windows, said.pairs) == (len(found.contexts), len(weights))


def test_many_texts_are_summed_in_parts_as_in_one(
    teacher: CountModel, base: CountModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stillwatch.provenance.radioactivity import evidence

    view, texts = View(1, False), fresh(teacher)
    [one] = gather(base, texts, [view], reference=teacher, kept=VOCABULARY).values()
    monkeypatch.setattr(evidence, "_PENDING", 1_000)
    monkeypatch.setattr(evidence, "_BLOCK", 7 * VOCABULARY)
    [two] = gather(base, texts, [view], reference=teacher, kept=VOCABULARY).values()
    assert np.array_equal(one.contexts, two.contexts)
    assert np.allclose(np.sort(one.weights), np.sort(two.weights), atol=1e-6)


class OfBest:
    """The likeliest tokens of a model alone."""

    def __init__(self, model: CountModel, many: int) -> None:
        self._model, self._many = model, many

    @property
    def vocabulary(self) -> int:
        return self._model.vocabulary

    def best(self, texts: Sequence[Int64s]) -> Iterator[Best]:
        for rows in self._model.probabilities(texts):
            tokens = np.argsort(-rows, axis=1)[:, : self._many]
            yield Best(tokens, np.take_along_axis(rows, tokens, axis=1))


def test_the_best_tokens_alone_do_nearly_as_well(
    teacher: CountModel, base: CountModel, ring: KeyRing
) -> None:
    mark, rng = GumbelMark(ring.key("a")), np.random.default_rng(5)
    student = base.taught(teacher.write([mark] * 60 + [None] * 140, 100, rng=rng))
    sibling, texts = base.taught(teacher.write([None] * 200, 100, rng=rng)), [fresh(teacher, 20)]
    [full] = ask(student, [mark], texts, sibling)
    [best] = ask(OfBest(student, 20), [mark], texts, OfBest(sibling, 20))
    every = [OfBest(model, VOCABULARY) for model in (student, sibling)]
    [whole] = ask(every[0], [mark], texts, every[1])
    assert whole.log10_p == pytest.approx(full.log10_p, rel=1e-3)
    assert best.log10_p < 0.6 * full.log10_p < -4
