"""A student's inherited preferences: guessed without the key, and taken out while it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from stillwatch.lab.attacks import (
    Averaged,
    Bigrams,
    Neutralised,
    Preferences,
    Student,
    cross_entropy,
)
from stillwatch.lab.students import CountModel
from stillwatch.provenance.radioactivity import Outcome, open_test
from stillwatch.provenance.registration import Plan, Registration
from stillwatch.provenance.text_sets import TextSet
from stillwatch.watermark import GumbelMark, KeyRing
from tests.lab.attacks.written import Int64s

VOCABULARY = 200
MARK = GumbelMark(KeyRing(bytes(32), "2026-11").key("c"))


@dataclass(frozen=True, slots=True)
class Trained:
    """A student of marked text, what it was before, and siblings of unmarked text.

    The test has one of them, the attacker the other."""

    base: CountModel
    student: CountModel
    sibling: CountModel
    shadow: CountModel
    data: list[Int64s]
    fresh: list[Int64s]


@pytest.fixture(scope="module")
def trained() -> Trained:
    rng = np.random.default_rng(0)
    teacher = CountModel.synthetic(VOCABULARY, nats=2.0, seed=1)
    base = teacher.mixed(CountModel.synthetic(VOCABULARY, nats=3.0, seed=2), 0.5)
    marked = teacher.write([MARK] * 40 + [None] * 260, 100, rng=rng)
    siblings = [base.taught(teacher.write([None] * 300, 100, rng=rng)) for _ in range(2)]
    fresh = teacher.write([None] * 40, 100, rng=rng)
    return Trained(base, base.taught(marked), *siblings, list(marked), list(fresh))


def inherited(suspect: Student, reference: Student, texts: list[Int64s]) -> Outcome:
    """What the registered test says about the suspect and the key, on text that knows no key."""
    fresh = TextSet.of("fresh", texts)
    plan = Plan(statistic="open", reference="sibling", decoys=200)
    registration = Registration.of(plan, [MARK], [fresh], salt=bytes(32))
    [said] = open_test(suspect, registration, [MARK], [fresh], salt=bytes(32), reference=reference)
    return said


def test_neutralisation_leaves_next_to_nothing(trained: Trained) -> None:
    assert inherited(trained.student, trained.sibling, trained.fresh).log10_p < -6
    for before in (trained.base, trained.shadow):
        guessed = Preferences.compared(before, trained.student, trained.data, widths=(1,))
        clean = Neutralised(trained.student, guessed)
        left = inherited(clean, trained.sibling, trained.fresh)
        assert left.log10_p > -2
        assert left.decoy_rank > 1


def test_students_of_several_keys_that_answer_as_one_show_less_of_each(trained: Trained) -> None:
    rng, teacher = np.random.default_rng(9), CountModel.synthetic(VOCABULARY, nats=2.0, seed=1)
    others = [
        trained.base.taught(
            teacher.write(
                [MARK.with_key(replace(MARK.key, value=i))] * 40 + [None] * 260, 100, rng=rng
            )
        )
        for i in range(3)
    ]
    one, four = (
        inherited(suspect, trained.sibling, trained.fresh).log10_p
        for suspect in (trained.student, Averaged([trained.student, *others]))
    )
    assert one < -6
    assert four > 0.5 * one
    [row], [mean] = (
        next(iter(zip(*(x.probabilities([np.array([3])]) for x in some), strict=True)))
        for some in ([trained.student], [Averaged([trained.student, trained.student])])
    )
    assert np.allclose(row, mean)
    with pytest.raises(ValueError, match="one vocabulary"):
        Averaged([trained.student, CountModel.synthetic(100, nats=2.0)])


def test_it_costs_most_of_what_was_learned_unless_a_clean_sibling_is_at_hand(
    trained: Trained,
) -> None:
    unlearned, learned = (cross_entropy(x, trained.fresh) for x in (trained.base, trained.student))
    costs = []
    for before in (trained.base, trained.shadow):
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
