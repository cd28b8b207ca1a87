"""Evidence: distinct windows, weighted or not, that are made without any key."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from stillwatch.statistics import ExponentialScores, chernoff_tail
from stillwatch.watermark import (
    GLOBAL,
    ClusterHypothesis,
    Evidence,
    GreenListMark,
    GumbelMark,
    KeyRing,
    LayeredMark,
    TracePlan,
    Vocabulary,
    trace,
)
from tests.watermark.conftest import write

NAMES = [f"c-{i}" for i in range(40)]


@pytest.fixture
def mark(ring: KeyRing) -> GumbelMark:
    return GumbelMark(ring.key("any"), 1)


def test_evidence_leaves_out_what_stood_in_the_prompt_or_before() -> None:
    prompt, answer = np.array([5, 6, 7]), np.array([8, 5, 9, 8, 1, 7, 2])
    found = Evidence.of_answers([(prompt, answer)], 1)
    windows = list(zip(found.contexts[:, 0].tolist(), found.tokens.tolist(), strict=True))
    # after 7 came 8 first; 5 and 7 stood in the prompt, the second 8 in the answer
    assert windows == [(1, 7), (7, 8), (8, 5), (9, 8)]
    assert len(Evidence.of_answers([(prompt, answer)] * 3, 1)) == 4


def test_evidence_of_texts_has_each_window_once() -> None:
    texts = np.random.default_rng(2).integers(0, 12, (20, 30))
    for context in (1, 3):
        kept = set()
        for text in texts.tolist():
            seen = set()
            for i in range(context, len(text)):
                before = tuple(text[i - context : i])
                if before not in seen:
                    kept.add((*before, text[i]))
                seen.add(before)
        found = Evidence.of_texts(texts, context)
        rows = np.column_stack([found.contexts, found.tokens]).tolist()
        assert rows == sorted(map(list, kept))


def test_texts_that_cannot_be_scored_are_left_out_with_a_reason() -> None:
    texts = [np.array(t, np.int64) for t in ([], [1, 99], [4, 4, 4], [1, 2, 3])]
    found = Evidence.of_texts(texts, 1, vocabulary=Vocabulary(50))
    assert len(found) == 2
    assert [line.partition(":")[0] for line in found.left_out] == ["1", "2", "3"]
    assert "beyond the vocabulary" in found.left_out[1]


def test_what_are_no_windows_is_refused() -> None:
    one, token = np.array([[1]]), np.array([2])
    for wrong, arrays in (
        ("contexts are integers", (one.astype(float), token, None)),
        ("contexts are integers", (one, np.array([[2]]), None)),
        ("not negative", (one, np.array([-2]), None)),
        ("not negative", (one - 3, token, None)),
        ("one finite weight", (one, token, [np.nan])),
        ("one finite weight", (one, token, [1.0, 2.0])),
        ("has one weight", (one.repeat(2, 0), token.repeat(2), [1.0, 2.0])),
    ):
        with pytest.raises(ValueError, match=wrong):
            Evidence.of_windows(*arrays)
    with pytest.raises(ValueError, match="tokens are integers"):
        Evidence.of_texts([np.zeros(4)], 1)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="at least one token"):
        Evidence.of_texts([np.arange(4)], 0)
    with pytest.raises(ValueError, match="63 bits"):
        Evidence.of_texts([np.arange(4)], 1).split(-1)


def test_weights_stay_with_their_windows_in_any_order() -> None:
    contexts, tokens, weights = np.array([[1], [1], [2]]), np.array([5, 6, 7]), np.arange(3.0)
    made = [
        Evidence.of_windows(contexts[order], tokens[order], weights[order])
        for order in ([0, 1, 2], [2, 0, 1])
    ]
    assert made[0].digest == made[1].digest


def test_quarters_of_two_halves_share_nothing(ring: KeyRing, mark: GumbelMark) -> None:
    whole = Evidence.of_texts(write([None] * 4, 60), 1)
    plans = [TracePlan.of(ring, mark, NAMES[:n]) for n in (10, 20)]
    for half, plan in zip(whole.split(1), plans, strict=True):
        trace(half.split(5)[0], plan, ring)


def test_evidence_cannot_be_changed_after_it_was_made() -> None:
    made = Evidence.of_texts([np.arange(40)], 1)
    with pytest.raises(ValueError, match="read-only"):
        made.tokens[0] = 1


def test_digests_tell_evidences_apart() -> None:
    base = np.array([[1, 2], [3, 4], [5, 6]]), np.array([7, 8, 9])
    made = [
        Evidence.of_windows(*base),
        Evidence.of_windows(base[0], np.array([7, 8, 10])),
        Evidence.of_windows(base[0][:, :1], base[1]),
        Evidence.of_windows(*base, [1.0, 1.0, 1.0]),
        Evidence.of_windows(*base, [1.0, 2.0, 1.0]),
    ]
    assert all(a.digest != b.digest for a, b in combinations(made, 2))
    assert all(a < b for a, b in pairwise(made[0].tokens.tolist()))


@pytest.mark.parametrize("prf", ["philox4x32-10-v1", "premix-v1"])
def test_weighted_evidence_is_summed_by_weight_and_bounded(ring: KeyRing, prf: str) -> None:
    rng = np.random.default_rng(6)
    contexts, tokens = np.repeat(np.arange(150), 8)[:, None], np.tile(np.arange(8), 150)
    mark = GumbelMark(ring.key("c-2"), 1, prf)
    # a suspect that has kept a little of what one cluster's key favours
    weights = rng.normal(size=1_200) + 0.35 * (mark.scores(contexts, tokens) - 1)
    evidence = Evidence.of_windows(contexts, tokens, weights)
    three = ClusterHypothesis("three", ("c-2", "c-3", "c-4"), "campaign 7 sha256:00")
    said = trace(evidence, TracePlan.of(ring, mark, NAMES, hypotheses=[three]), ring)
    assert [each.name for each in said.found] == ["c-2"]
    assert said["c-2"].decoy_rank == 1
    totals = [
        float((GumbelMark(ring.key(name), 1, prf).scores(contexts, tokens) - 1) @ weights)
        for name in said.names
    ]
    assert said.totals == pytest.approx(totals, abs=1e-2)
    law = ExponentialScores(1 << 24)
    bounds = [chernoff_tail(total, weights, law) for total in totals]
    assert said.log10_p == pytest.approx(bounds, rel=0.01, abs=0.01)
    [group] = said.hypotheses
    own = sorted(said[name].total for name in three.members)
    assert group.log10_p == pytest.approx(
        chernoff_tail(sum(own), np.tile(weights, 3), law), rel=0.01, abs=0.01
    )
    assert group.log10_p_beside == pytest.approx(
        chernoff_tail(sum(own[:2]), np.tile(weights, 2), law), rel=0.01, abs=0.01
    )


def test_weights_of_a_green_list_and_of_layers_are_summed_too(ring: KeyRing) -> None:
    rng = np.random.default_rng(8)
    contexts, tokens = np.repeat(np.arange(200), 6)[:, None], np.tile(np.arange(6), 200)
    green = GreenListMark(ring.key("c-1", "green-list"), 1)
    layered = LayeredMark(GumbelMark(ring.key(GLOBAL), 2), green)
    for mark in (green, layered):
        on = np.ones(1_200, bool) if mark is green else layered.layers[1].carries(contexts)
        weights = rng.normal(size=1_200) + 0.8 * green.scores(contexts, tokens) * on
        said = trace(
            Evidence.of_windows(contexts, tokens, weights), TracePlan.of(ring, mark, NAMES), ring
        )
        assert said.scored == on.sum()
        assert [each.name for each in said.found] == ["c-1"]


def test_weights_of_contexts_with_more_and_fewer_tokens_count_the_same(ring: KeyRing) -> None:
    rng = np.random.default_rng(9)
    mark = GumbelMark(ring.key("c-2"), 2)
    for most in (3, 400):  # with the second most contexts are too few tokens to be filled up
        counts = np.array([most, *rng.integers(1, 4, 40)])
        contexts = np.repeat(rng.integers(0, 99, (41, 2)), counts, axis=0)
        tokens = np.concatenate([np.arange(count) for count in counts])
        evidence = Evidence.of_windows(contexts, tokens, rng.normal(size=len(tokens)))
        said = trace(evidence, TracePlan.of(ring, mark, ["c-2"]), ring)
        scores = mark.scores(evidence.contexts, evidence.tokens) - 1
        assert evidence.weights is not None
        assert said["c-2"].total == pytest.approx(float(scores @ evidence.weights), abs=1e-3)


def test_rows_of_weights_are_windows_of_weights() -> None:
    contexts, tokens = np.array([[1], [2]]), np.array([[5, 6], [7, 0]])
    rows = Evidence.of_weights(contexts, tokens, [[0.5, -1.0], [2.0, 0.0]])
    flat = Evidence.of_windows(np.array([[1], [1], [2]]), np.array([5, 6, 7]), [0.5, -1.0, 2.0])
    assert rows.digest == flat.digest
    with pytest.raises(ValueError, match="one row of tokens"):
        Evidence.of_weights(contexts, tokens, [[0.5, -1.0]])
