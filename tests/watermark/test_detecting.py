"""Detection: who wrote a text is found, nobody else is, and some texts say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.statistics import gamma_tail, holm_log10
from stillwatch.watermark import (
    Bernoulli,
    GumbelMark,
    KeyRing,
    Law,
    Vocabulary,
    detect,
    detect_many,
    detecting,
)
from stillwatch.watermark.prf import NAMES, hits, words
from tests.watermark.conftest import VOCABULARY, write

Int64s = npt.NDArray[np.int64]


class CountedMark(GumbelMark):
    """A discrete score of the same words, to hold the machinery against a law that is none of
    Gumbel's: whether a word lies in the lowest quarter."""

    @property
    def law(self) -> Law:
        return Bernoulli(0.25)

    def scores(self, contexts: Int64s, tokens: Int64s) -> npt.NDArray[np.float64]:
        drawn = words(self.prf, self.key.value, contexts, tokens)
        return (drawn < 1 << 30).astype(np.float64)

    def totals(
        self, contexts: Int64s, tokens: Int64s, keys: npt.NDArray[np.uint64]
    ) -> npt.NDArray[np.float64]:
        return hits(self.prf, keys, contexts, tokens, 0.25).astype(np.float64)


def test_the_cluster_that_wrote_a_text_is_found_among_others(ring: KeyRing) -> None:
    marks = [GumbelMark(ring.key(f"c-{i}"), 1) for i in range(40)]
    texts = write([marks[7], None, marks[9]], 120)
    found = detect_many(texts, marks)
    named = [[i for i, d in enumerate(row) if (d.corrected_log10_p or 0) < -3] for row in found]
    assert named == [[7], [], [9]]
    best = found[0][7]
    assert best.decoy_rank == 1
    assert best.decoys == 1_000
    assert best.mark == marks[7]
    assert best.abstained is None
    assert min(d.decoy_rank or 0 for d in found[1]) > 1


def test_a_total_and_its_p_value_are_those_of_the_scores(ring: KeyRing) -> None:
    mark = GumbelMark(ring.key("c"), 2)
    [text] = write([None], 200)
    [said] = detect(text, [mark])
    seen: dict[tuple[int, int], int] = {}
    padded = [-1, -1, *text.tolist()]
    for before, last, token in zip(padded, padded[1:], padded[2:], strict=False):
        seen.setdefault((before, last), token)
    scores = mark.scores(np.array(list(seen)), np.array(list(seen.values())))
    assert said.scored == len(seen)
    assert said.total == pytest.approx(scores.sum(), rel=1e-6)
    assert said.log10_p == pytest.approx(float(gamma_tail(scores.sum(), len(seen))), rel=1e-5)


def test_the_correction_is_holms_over_all_keys_texts_and_schemes(ring: KeyRing) -> None:
    marks = [
        GumbelMark(ring.key("a"), 1), CountedMark(ring.key("a"), 2),
        GumbelMark(ring.key("b"), 1), GumbelMark(ring.key("b"), 4, "premix-v1"),
    ]  # fmt: skip
    texts = [*write([None, marks[0]], 80), np.array([3, 3, 3])]
    found = detect_many(texts, [*marks, marks[0]], decoys=10)
    p = [d.log10_p for row in found[:2] for d in row[:4]]
    adjusted = [d.corrected_log10_p for row in found[:2] for d in row[:4]]
    assert adjusted == pytest.approx(holm_log10(np.array(p, np.float64)).tolist())
    assert [row[4] == row[0] for row in found] == [True] * 3  # asked twice, counted once
    assert all(d.corrected_log10_p is None for d in found[2])


def test_many_keys_are_asked_at_once_and_say_what_each_alone_says(ring: KeyRing) -> None:
    marks = [CountedMark(ring.key(f"c-{i}"), 2) if i % 3 else GumbelMark(ring.key(f"c-{i}"), 1)
             for i in range(90)]  # fmt: skip
    [text] = write([marks[3]], 150)
    together = detect(text, marks, decoys=50)
    for i in (0, 1, 3, 89):
        [alone] = detect(text, [marks[i]], decoys=50)
        assert replace(together[i], corrected_log10_p=0.0) == replace(alone, corrected_log10_p=0.0)


def test_the_rank_is_the_place_among_decoys_on_the_same_windows(ring: KeyRing) -> None:
    marks = [GumbelMark(ring.key(f"c-{i}"), 1) for i in range(400)]
    [text] = write([None], 60)
    said = detect(text, marks, decoys=99)
    ranks = np.array([d.decoy_rank for d in said])
    p = np.array([d.log10_p for d in said])
    assert 1 <= ranks.min() < ranks.max() <= 100
    assert np.corrcoef(ranks, 10**p)[0, 1] > 0.98
    assert [d.decoy_rank for d in detect(text, marks[:3], decoys=0)] == [None] * 3


def test_decoys_that_score_alike_stand_before_a_mark(ring: KeyRing) -> None:
    """Of 20 windows many keys have the same number of hits: the rank is the worst of them."""
    marks = [CountedMark(ring.key(f"c-{i}"), 1) for i in range(60)]
    said = detect(np.arange(20), marks, decoys=200)
    drawn = np.random.default_rng(detecting._DECOY_SEED).integers(0, 1 << 64, 200, np.uint64)
    decoys = hits(marks[0].prf, drawn, np.arange(-1, 19)[:, None], np.arange(20), 0.25)
    assert [d.decoy_rank for d in said] == [1 + int((decoys >= (d.total or 0)).sum()) for d in said]


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ([], "empty"), ([5], "one token"), ([5] * 400, "one token repeated"),
        ([1, 2, 3] * 200, "3 windows to score"), ([1, 2, -1, 4] * 9, "-1 is none"),
        ([*range(100), VOCABULARY], "beyond the vocabulary"), (list(range(9)), "8 windows"),
    ],
)  # fmt: skip
def test_where_nothing_can_be_said_there_is_a_reason_and_no_p_value(
    tokens: list[int], reason: str, ring: KeyRing
) -> None:
    marks = [GumbelMark(ring.key("a"), 1), GumbelMark(ring.key("b"), 1)]
    text = np.array(tokens, np.int64)
    for said in detect(text, marks, vocabulary=Vocabulary(VOCABULARY), prefix=False):
        assert said.abstained is not None
        assert reason in said.abstained
        assert said.log10_p is said.corrected_log10_p is said.decoy_rank is None


def test_tokens_of_another_tokenizer_are_not_scored(ring: KeyRing) -> None:
    mark = GumbelMark(ring.key("a"), 1)
    [text] = write([mark], 100)
    ours = Vocabulary(VOCABULARY, "ours")
    [other] = detect(text, [mark], vocabulary=ours, tokenizer="theirs")
    assert other.abstained is not None
    assert "'theirs'" in other.abstained
    for vocabulary, tokenizer in ((ours, "ours"), (ours, None), (Vocabulary(VOCABULARY), "any")):
        [said] = detect(text, [mark], vocabulary=vocabulary, tokenizer=tokenizer)
        assert said.abstained is None
    with pytest.raises(ValueError, match="at least one token"):
        Vocabulary(0)


def test_another_epoch_finds_nothing(ring: KeyRing) -> None:
    [text] = write([GumbelMark(ring.key("a"), 1)], 150)
    right, wrong = (
        detect(text, [GumbelMark(r.key("a"), 1)])[0] for r in (ring, ring.at("2026-12"))
    )
    assert (right.log10_p or 0) < -20
    assert (wrong.log10_p or 0) > -4


def test_what_are_no_tokens_and_fewer_decoys_than_none_are_refused(ring: KeyRing) -> None:
    mark = GumbelMark(ring.key("a"), 1)
    with pytest.raises(ValueError, match="tokens are integers"):
        detect(np.zeros(5), [mark])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fewer decoys"):
        detect(np.arange(50), [mark], decoys=-1)
    assert detect(np.arange(50), []) == []
    assert detect_many([], [mark]) == []


@pytest.mark.parametrize("prf", NAMES)
def test_true_marks_are_found_more_surely_in_longer_texts(prf: str, ring: KeyRing) -> None:
    """At a false positive rate of 10^-6, from logits of about 4 nats."""
    marks = [GumbelMark(ring.key(f"c-{i}"), 4, prf) for i in range(20)]
    texts = write(marks, 60)
    shares = []
    for length in (5, 20, 60):
        p = [detect(text[:length], [mark], decoys=0, least=2)[0].log10_p
             for text, mark in zip(texts, marks, strict=True)]  # fmt: skip
        shares.append(np.mean([(value or 0.0) <= -6 for value in p]))
    assert shares[0] < shares[2]
    assert shares[2] == 1
