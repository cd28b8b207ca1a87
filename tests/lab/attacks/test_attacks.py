"""What holds of every attack on tokens: its seed, its budget, its vocabulary, what it leaves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.lab.attacks import (
    Bigrams,
    Chunks,
    Mixing,
    Preferences,
    RandomEdits,
    Rewriting,
    TargetedRewriting,
    TokenAttack,
    Truncation,
    Unigrams,
    attacked,
)
from tests.lab.attacks.conftest import Written
from tests.lab.attacks.written import MARKS, RING, VOCABULARY, Int64s, evidence, write

LAW = Unigrams([np.arange(VOCABULARY)])
COVER = np.random.default_rng(9).integers(0, VOCABULARY, 5_000)
MODEL = Bigrams([COVER])
#: whatever comes after whatever is preferred, every other token
GUESSED = Preferences(
    {(i,): (np.arange(i % 2, VOCABULARY, 2), np.ones(150)) for i in range(VOCABULARY)}
)
#: by how much of itself each is done: 0 leaves the text, 1 is all
ATTACKS: dict[str, Callable[[float], TokenAttack]] = {
    "edits": lambda x: RandomEdits(x, LAW),
    "replacing": lambda x: RandomEdits(x, LAW, ("replace",)),
    "inserting": lambda x: RandomEdits(x, LAW, ("insert",)),
    "deleting": lambda x: RandomEdits(x, LAW, ("delete",)),
    "chunks": lambda x: Chunks(10, 1 - x),
    "truncation": lambda x: Truncation(round(200 * (1 - x)), "somewhere"),
    "mixing": lambda x: Mixing(1 - 0.95 * x, COVER, 7),
    "mixing of sentences": lambda x: Mixing(1 - 0.95 * x, COVER, 7, frozenset(range(30))),
    "rewriting": lambda x: Rewriting(x, MODEL),
    "targeted": lambda x: TargetedRewriting(x, MODEL, GUESSED, 2.0),
}
EACH = pytest.mark.parametrize("make", ATTACKS.values(), ids=ATTACKS)
TEXTS = st.lists(st.integers(0, VOCABULARY - 1), max_size=200).map(
    lambda tokens: np.array(tokens, np.int64)
)


@EACH
def test_an_attack_of_one_seed_is_always_the_same(
    make: Callable[[float], TokenAttack], gumbel: Written
) -> None:
    first, again, other = (attacked(gumbel.texts, make(0.4), seed=s) for s in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@EACH
def test_what_becomes_of_a_text_does_not_depend_on_the_texts_before_it(
    make: Callable[[float], TokenAttack], gumbel: Written
) -> None:
    whole = attacked(gumbel.texts, make(0.4))
    shortened = attacked([gumbel.texts[0][:50], *gumbel.texts[1:]], make(0.4))
    assert all(np.array_equal(a, b) for a, b in zip(whole[1:], shortened[1:], strict=True))


@EACH
@settings(max_examples=25, deadline=None)
@given(TEXTS)
def test_an_attack_that_does_nothing_leaves_the_text(
    make: Callable[[float], TokenAttack], text: Int64s
) -> None:
    assert np.array_equal(make(0.0)(text, np.random.default_rng(0)), text)


@EACH
@settings(max_examples=25, deadline=None)
@given(TEXTS, st.floats(0, 1), st.integers(0, 99))
def test_tokens_stay_in_the_vocabulary_and_changes_within_the_budget(
    make: Callable[[float], TokenAttack], text: Int64s, much: float, seed: int
) -> None:
    before, attack = text.copy(), make(much)
    out = attack(text, np.random.default_rng(seed))
    assert np.array_equal(text, before)
    assert out.dtype == np.int64
    assert ((out >= 0) & (out < VOCABULARY)).all()
    kept, budget = _common(text, out), attack.budget
    # a whole number of tokens, or of chunks of ten, cannot be closer to a share
    slack = 10 if isinstance(attack, Chunks) else 1
    assert len(text) - kept <= budget.changed * len(text) + slack
    assert len(out) - kept <= (budget.added + budget.changed) * len(text) + slack


def _common(text: Int64s, out: Int64s) -> int:
    """How many tokens both have in the same order, at most."""
    common = np.zeros((len(text) + 1, len(out) + 1), np.int64)
    for i, token in enumerate(text):
        here = common[i + 1]
        here[1:] = np.maximum.accumulate(
            np.maximum(common[i, 1:], np.where(out == token, common[i, :-1] + 1, 0))
        )
    return int(common[-1, -1])


@pytest.mark.parametrize("name", ["edits", "replacing", "inserting", "deleting"])
def test_edits_everywhere_leave_nothing_beyond_chance(name: str, gumbel: Written) -> None:
    assert evidence(gumbel.texts, gumbel.marks) < -10
    left = attacked(gumbel.texts, ATTACKS[name](1.0))
    assert evidence(left, gumbel.marks) > -1.2


@pytest.mark.parametrize("name", [name for name in ATTACKS if name != "targeted"])
def test_every_attack_lowers_the_evidence(name: str, written: Written, bigrams: Bigrams) -> None:
    attack = Rewriting(0.5, bigrams) if name == "rewriting" else ATTACKS[name](0.5)
    before = evidence(written.texts, written.marks)
    left = evidence(attacked(written.texts, attack), written.marks)
    assert before < -6
    assert left > 0.8 * before


def test_a_stronger_attack_leaves_less(written: Written) -> None:
    for name in ("edits", "truncation", "chunks", "mixing"):
        weak, strong = (attacked(written.texts, ATTACKS[name](x)) for x in (0.1, 0.8))
        assert evidence(weak, written.marks) < evidence(strong, written.marks) - 2, name


def test_an_attack_puts_on_no_mark_of_somebody_else(written: Written, bigrams: Bigrams) -> None:
    innocent = [mark.with_key(RING.key(f"i-{i}")) for i, mark in enumerate(written.marks * 2)]
    attacks = ATTACKS | {"rewriting": lambda x: Rewriting(x, bigrams)}
    for name, make in attacks.items():
        left = attacked(written.texts * 2, make(0.5), seed=4)
        each = np.array([evidence([t], [m]) for t, m in zip(left, innocent, strict=True)])
        # 24 tests under the null: log10 p is -0.434 in the mean, its standard error is 0.089
        assert each.mean() > -0.75, name
        assert (each <= -2).sum() <= 2, name


def test_a_thief_who_counted_takes_off_more_than_one_who_did_not(
    stolen: tuple[object, Preferences], bigrams: Bigrams
) -> None:
    mark, guessed = MARKS["gumbel, 1"]("victim"), stolen[1]
    texts = write([mark] * 12, 200, seed=5)
    blind = attacked(texts, Rewriting(0.3, bigrams))
    seeing = attacked(texts, TargetedRewriting(0.3, bigrams, guessed, 2.0))
    before, one, other = (evidence(some, [mark] * 12) for some in (texts, blind, seeing))
    assert before < one < other - 2
    assert (np.concatenate(seeing) != np.concatenate(texts)).mean() <= 0.3
