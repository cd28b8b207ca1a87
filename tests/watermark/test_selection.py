"""The choice among finished texts: fair over keys, and found again under the right one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import chisquare

from stillwatch.watermark import (
    WORDS,
    KeyRing,
    MarkKey,
    SelectionMark,
    TextMark,
    detect,
    detect_texts,
    word_ids,
)
from tests.watermark.conftest import Int64s

VOCABULARY = [f"word{i}" for i in range(400)]


def reply(rng: np.random.Generator, length: int = 60) -> str:
    return " ".join(rng.choice(VOCABULARY, length))


def often_chosen(
    candidates: Sequence[Int64s | str], *, keys: int = 1_500, before: str | None = None
) -> Int64s:
    """How often each candidate is chosen, over keys."""
    rng = np.random.default_rng(31)
    values = rng.integers(0, 1 << 64, keys, np.uint64)
    chosen = [
        SelectionMark(MarkKey(int(v), "e", "c")).choose(candidates, before=before, rng=rng)
        for v in values
    ]
    return np.bincount(chosen, minlength=len(candidates))


def served(mark: TextMark, choices: int, n: int, *, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(choices):
        candidates = [reply(rng) for _ in range(n)]
        out.append(candidates[mark.choose(candidates, rng=rng)])
    return out


@pytest.mark.slow
def test_each_candidate_is_as_likely_as_any_other_however_long() -> None:
    counts = often_chosen(["one two three four", "five six", reply(np.random.default_rng(0), 300)])
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.slow
def test_candidates_that_say_nearly_the_same_share_nothing_but_their_own_words() -> None:
    alike = reply(np.random.default_rng(0), 40)
    counts = often_chosen([f"{alike} yes", f"{alike} no", f"{alike} perhaps", "something else"])
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.slow
def test_a_candidate_within_another_has_its_share_too() -> None:
    assert chisquare(often_chosen(["a b c d", "a b c d e f", "a b"])).pvalue > 0.001


def test_a_text_that_came_twice_is_sent_twice_as_often_and_the_first_of_it() -> None:
    counts = often_chosen(["a b c", "d e f", "A, b: C!", "g h i"])
    assert counts[2] == 0
    assert chisquare(counts[[0, 1, 3]], np.array([2, 1, 1]) * counts.sum() / 4).pvalue > 0.001


def test_over_keys_what_is_sent_has_the_models_distribution() -> None:
    rng = np.random.default_rng(32)
    texts = ["yes it is", "no it is not", "it may be", "yes it surely is so"]
    odds = np.array([0.5, 0.3, 0.15, 0.05])
    sent = np.zeros(4)
    for value in rng.integers(0, 1 << 64, 1_500, np.uint64):
        drawn = rng.choice(4, 4, p=odds)
        mark = SelectionMark(MarkKey(int(value), "e", "c"))
        sent[drawn[mark.choose([texts[i] for i in drawn], rng=rng)]] += 1
    assert chisquare(sent, odds * sent.sum()).pvalue > 0.001


def test_the_same_key_makes_the_same_choice(ring: KeyRing) -> None:
    mark = SelectionMark(ring.key("c", "selection"))
    rng = np.random.default_rng(0)
    candidates = [reply(rng) for _ in range(8)]
    assert len({mark.choose(candidates, rng=rng) for _ in range(20)}) == 1


def test_candidates_without_words_are_drawn() -> None:
    assert chisquare(often_chosen(["...", "a b c"])).pvalue > 0.001
    assert often_chosen(["", "!?"]).tolist() == [1_500, 0]


def test_what_is_written_already_is_no_reason_to_choose() -> None:
    rng = np.random.default_rng(33)
    mark = SelectionMark(MarkKey(5, "e", "c"), 1)
    candidates = ["tick tock tick", "a new thing"]
    once = {mark.choose(candidates, before="so it goes", rng=rng) for _ in range(100)}
    assert len(once) == 1
    # all windows of the first are there already, so that the draw decides
    again = {mark.choose(candidates, before="tick tock tick tock", rng=rng) for _ in range(100)}
    assert len(again) == 2


def test_the_window_across_the_seam_is_a_reason_to_choose() -> None:
    candidates = ["a", "b"]
    rng = np.random.default_rng(34)
    befores = {
        SelectionMark(MarkKey(5, "e", "c")).choose(candidates, before=f"so {word}", rng=rng)
        for word in VOCABULARY[:50]
    }
    assert len(befores) == 2


@pytest.mark.parametrize("words", [True, False], ids=["words", "token ids"])
def test_forty_choices_of_four_are_found_under_their_key_alone(words: bool, ring: KeyRing) -> None:
    mark = SelectionMark(ring.key("c", "selection"))
    rng = np.random.default_rng(0)
    sent: list[Int64s] = []
    for _ in range(40):
        texts = [reply(rng) for _ in range(4)]
        ids = [word_ids(text) for text in texts]
        sent.append(ids[mark.choose(texts if words else ids, rng=rng)])
    marks = [mark, mark.with_key(ring.key("other", "selection"))]
    own, other = detect(np.concatenate(sent), marks, once="pair", vocabulary=WORDS)  # type: ignore[arg-type]
    assert own.log10_p is not None
    assert other.log10_p is not None
    assert own.log10_p < -6
    assert own.decoy_rank == 1
    assert other.log10_p > -3


def test_more_candidates_mark_more(ring: KeyRing) -> None:
    mark = SelectionMark(ring.key("c", "selection"))
    [few], [many] = detect_texts([" ".join(served(mark, 25, n)) for n in (2, 16)], [mark], decoys=0)
    assert few.log10_p is not None
    assert many.log10_p is not None
    assert many.log10_p < few.log10_p - 3


def test_a_text_that_is_reflowed_and_recased_keeps_its_mark(ring: KeyRing) -> None:
    mark = SelectionMark(ring.key("c", "selection"))
    text = ". ".join(served(mark, 30, 8))
    edited = text.upper().replace(" ", "\n\u200b").replace(".", " —")
    [[before], [after]] = detect_texts([text, edited], [mark])
    assert (after.total, after.scored) == (before.total, before.scored)


def test_each_distinct_window_counts_once(ring: KeyRing) -> None:
    mark = SelectionMark(ring.key("c", "selection"))
    text = "a b c a b d a b c " * 3
    ids = word_ids(text).tolist()
    distinct = {tuple(([-1, -1, *ids])[i : i + 3]) for i in range(len(ids))}
    [[said]] = detect_texts([text], [mark], decoys=0, least=1)
    assert said.scored == len(distinct) == 8


def test_one_reply_says_nothing_of_itself(ring: KeyRing) -> None:
    mark = SelectionMark(ring.key("c", "selection"))
    found = detect_texts(served(mark, 20, 4), [mark], decoys=0)
    assert all(said.log10_p is not None and said.log10_p > -5 for [said] in found)


@pytest.mark.parametrize("text", ["", "...", "hello", "hello " * 400, "one two three"])
def test_a_text_that_nothing_can_be_said_of_has_no_p_value(text: str, ring: KeyRing) -> None:
    [[said]] = detect_texts([text], [SelectionMark(ring.key("c", "selection"))])
    assert said.abstained is not None
    assert said.log10_p is None


def test_what_is_no_choice_is_refused(ring: KeyRing) -> None:
    mark = SelectionMark(ring.key("c", "selection"))
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no candidate"):
        mark.choose([], rng=rng)
    with pytest.raises(TypeError, match="both"):
        mark.choose(["a b", np.array([1, 2])], rng=rng)
    with pytest.raises(TypeError, match="both"):
        mark.choose(["a b", "c"], before=np.array([1, 2]), rng=rng)
    with pytest.raises(ValueError, match="integers"):
        mark.choose([np.array([1.5])], rng=rng)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="-1 is none"):
        mark.choose([np.array([1, -1])], rng=rng)
    with pytest.raises(ValueError, match="context"):
        SelectionMark(ring.key("c"), 0)
    with pytest.raises(ValueError, match="md5"):
        SelectionMark(ring.key("c"), prf="md5")
