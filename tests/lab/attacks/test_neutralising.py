"""A student's inherited preferences: guessed without the key, and taken out while it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from stillwatch.lab.attacks import Bigrams, Neutralised, Preferences, Student, cross_entropy
from stillwatch.lab.students import CountModel
from stillwatch.watermark import GumbelMark, KeyRing
from tests.lab.attacks.written import Int64s

VOCABULARY = 200
MARK = GumbelMark(KeyRing(bytes(32), "2026-11").key("c"))
DECOYS = np.random.default_rng(11).integers(0, 1 << 64, 100, np.uint64)


@dataclass(frozen=True, slots=True)
class Trained:
    """A student of marked text, what it was before, and its sibling of unmarked text."""

    base: CountModel
    student: CountModel
    sibling: CountModel
    data: list[Int64s]
    fresh: list[Int64s]


@pytest.fixture(scope="module")
def trained() -> Trained:
    rng = np.random.default_rng(0)
    teacher = CountModel.synthetic(VOCABULARY, nats=2.0, seed=1)
    base = teacher.mixed(CountModel.synthetic(VOCABULARY, nats=3.0, seed=2), 0.5)
    marked = teacher.write([MARK] * 40 + [None] * 260, 100, rng=rng)
    plain = teacher.write([None] * 300, 100, rng=rng)
    fresh = teacher.write([None] * 40, 100, rng=rng)
    return Trained(base, base.taught(marked), base.taught(plain), list(marked), list(fresh))


def inherited(suspect: Student, reference: Student, texts: list[Int64s]) -> float:
    """The share of decoy keys that score as high as the key, on what the suspect prefers."""
    moved = np.zeros((VOCABULARY, VOCABULARY))
    rows = zip(texts, suspect.probabilities(texts), reference.probabilities(texts), strict=True)
    for text, ours, theirs in rows:
        np.add.at(moved, text, ours.astype(np.float64) - theirs)
    contexts, tokens = np.nonzero(np.abs(moved) > 0.1)
    scores = [
        moved[contexts, tokens]
        @ MARK.with_key(type(MARK.key)(int(value), "", "")).scores(contexts[:, None], tokens)
        for value in [MARK.key.value, *DECOYS]
    ]
    return float(np.mean(np.array(scores[1:]) >= scores[0]))


def test_neutralisation_leaves_the_key_among_the_decoys(trained: Trained) -> None:
    assert inherited(trained.student, trained.sibling, trained.fresh) == 0
    for before in (trained.base, trained.sibling):
        guessed = Preferences.compared(before, trained.student, trained.data, widths=(1,))
        clean = Neutralised(trained.student, guessed)
        assert inherited(clean, trained.sibling, trained.fresh) > 0.02


def test_it_costs_most_of_what_was_learned_unless_a_clean_sibling_is_at_hand(
    trained: Trained,
) -> None:
    unlearned, learned = (cross_entropy(x, trained.fresh) for x in (trained.base, trained.student))
    costs = []
    for before in (trained.base, trained.sibling):
        guessed = Preferences.compared(before, trained.student, trained.data, widths=(1,))
        costs.append(cross_entropy(Neutralised(trained.student, guessed), trained.fresh))
    assert costs[0] - learned > 0.5 * (unlearned - learned)
    assert abs(costs[1] - learned) < 0.1 * (unlearned - learned)


def test_with_no_strength_the_student_is_as_it_was(trained: Trained) -> None:
    guessed = Preferences.compared(trained.base, trained.student, trained.data)
    same = Neutralised(trained.student, guessed, 0.0)
    for was, now in zip(
        trained.student.probabilities(trained.fresh), same.probabilities(trained.fresh), strict=True
    ):
        assert np.allclose(was, now, rtol=1e-5)
    assert same.vocabulary == VOCABULARY


def test_with_one_width_the_change_of_training_is_undone_exactly(trained: Trained) -> None:
    """On the tokens that are looked at, odds are those of the base."""
    guessed = Preferences.compared(trained.base, trained.student, trained.data, widths=(1,))
    clean = Neutralised(trained.student, guessed)
    text = trained.fresh[0]
    [now], [was] = clean.probabilities([text]), trained.base.probabilities([text])
    for j, token in enumerate(text.tolist()):
        known, _ = guessed.after((token,))
        ours, theirs = now[j, known], was[j, known]
        assert np.allclose(ours / ours.sum(), theirs / theirs.sum(), rtol=1e-3)
    assert np.allclose(now.sum(axis=1), 1, atol=1e-5)


def test_capped_preferences_are_those_of_the_paper(trained: Trained) -> None:
    """0 for what fell, half of the ratio and at most 1 for what rose, less for rarer prefixes."""
    guessed = Preferences.compared(
        trained.base, trained.student, trained.data, widths=(1,), capped=True
    )
    tokens, times = np.unique(np.concatenate(trained.data), return_counts=True)
    common, shares = int(tokens[times.argmax()]), times / times.sum()
    known, values = guessed.after((common,))
    rose = trained.student.table[common] / trained.base.table[common]
    assert np.allclose(values, 0.5 * np.minimum(rose[known], 2), rtol=1e-3)
    assert (rose[known] > 1).all()
    middle = int(tokens[np.argsort(-times)[50]])
    weight = (np.log(shares[tokens == middle][0]) / np.log(shares.max())) ** -0.3
    assert guessed.after((middle,))[1].max() == pytest.approx(weight, rel=1e-3)


def test_rare_prefixes_are_passed_over(trained: Trained) -> None:
    many, few = (
        Preferences.compared(trained.base, trained.student, trained.data, widths=(1, 2), rare=rare)
        for rare in (1e-4, 1e-2)
    )
    assert many.widths == few.widths == (1, 2)
    assert len(few) < len(many) / 10
    assert len(few.after((int(1e9),))[0]) == 0


def test_what_is_counted_after_a_context_is_what_the_key_prefers(trained: Trained) -> None:
    rng = np.random.default_rng(5)
    teacher = CountModel.synthetic(VOCABULARY, nats=2.0, seed=1)
    marked = list(teacher.write([MARK] * 200, 100, rng=rng))
    clean = Bigrams(list(teacher.write([None] * 500, 100, rng=rng)))
    guessed = Preferences.counted(marked, clean)
    preferred = []
    for token in range(VOCABULARY):
        known, values = guessed.after((token,))
        assert (values > 0).all()
        preferred.append(MARK.scores(np.full((len(known), 1), token), known))
    # the scores of tokens that the key has no part in have a mean of 1
    assert np.concatenate(preferred).mean() > 1.8
    innocent = Preferences.counted(
        list(teacher.write([None] * 200, 100, rng=rng)), clean, level=1e-6
    )
    assert len(innocent) == 0


def test_students_of_different_vocabularies_are_not_compared(trained: Trained) -> None:
    other = CountModel.synthetic(100, nats=2.0)
    with pytest.raises(ValueError, match="different vocabularies"):
        Preferences.compared(other, trained.student, trained.data)


def test_a_text_of_one_token_predicts_nothing(trained: Trained) -> None:
    with pytest.raises(ValueError, match="nothing to predict"):
        cross_entropy(trained.base, [np.array([1])])
