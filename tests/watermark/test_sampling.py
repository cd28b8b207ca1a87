"""Sampling: the choice of a plain argmax, each row under its own key, and honest refusals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from stillwatch.watermark import (
    GLOBAL,
    GumbelMark,
    History,
    KeyRing,
    LayeredMark,
    Mark,
    MarkKey,
    sample_rows,
    sample_unmarked,
)
from stillwatch.watermark.prf import NAMES, uniforms

Logits = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
RNG = np.random.default_rng(0)


def mark_of(value: int, context: int = 1, prf: str = "philox4x32-10-v1") -> GumbelMark:
    return GumbelMark(MarkKey(value, "e", "c"), context, prf)


def plainly(
    mark: GumbelMark, row: Logits, context: Int64s, temperature: float, top_k: int | None
) -> int:
    """The token by definition: rank, cut, add noise, take the largest."""
    ranked = np.lexsort((np.arange(len(row)), -row.astype(np.float64)))
    kept = np.sort(ranked[:top_k])
    kept = kept[np.isfinite(row[kept])]
    u = uniforms(mark.prf, mark.key.value, np.tile(context, (len(kept), 1)), kept)
    scores = row[kept] * (1 / temperature) - np.log(-np.log(u.astype(np.float64)))
    return int(kept[np.argmax(scores)])


def logits_of(rng: np.random.Generator, kind: str, vocabulary: int) -> Logits:
    row = rng.normal(0, 3, vocabulary).astype(np.float32)
    if kind == "ties":
        row = np.round(row)
    elif kind == "equal":
        row[:] = 1.25
    elif kind == "masked":
        row[rng.random(vocabulary) < 0.9] = -np.inf
        row[rng.integers(vocabulary)] = 0
    elif kind == "one":
        row[:] = -np.inf
        row[rng.integers(vocabulary)] = -5
    elif kind == "huge":
        row *= 1e30
    elif kind == "tiny":
        row *= 1e-40
    elif kind == "signs":
        row = np.where(rng.random(vocabulary) < 0.5, np.float32(-0.0), np.float32(0.0))
    return row


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32), st.sampled_from([1, 2, 127, 128, 129, 500, 3_000]),
    st.sampled_from(["plain", "ties", "equal", "masked", "one", "huge", "tiny"]),
    st.sampled_from([None, 2, 3, 20, 64, 1_000]), st.sampled_from([0.3, 1.0, 1.7]),
    st.sampled_from(list(NAMES)), st.integers(1, 6),
)  # fmt: skip
def test_the_fused_choice_is_the_plain_one(
    seed: int, vocabulary: int, kind: str, top_k: int | None, temperature: float, prf: str,
    context: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    mark = mark_of(int(rng.integers(0, 2**64, dtype=np.uint64)), context, prf)
    logits = np.array([logits_of(rng, kind, vocabulary) for _ in range(3)])
    contexts = rng.integers(-1, vocabulary, (3, context))
    said = mark.sample(logits, contexts, temperature=temperature, top_k=top_k, rng=RNG)
    assert said.tolist() == [
        plainly(mark, row, c, temperature, top_k) for row, c in zip(logits, contexts, strict=True)
    ]


def test_minus_zero_is_zero_to_the_choice_among_all() -> None:
    """Their integers differ; among ties in rank either may be kept, but no noise is lost."""
    row = logits_of(np.random.default_rng(1), "signs", 300)
    for key in range(20):
        mark, context = mark_of(key), np.array([key])
        assert mark.sample(row[None], context[None], top_k=None, rng=RNG) == plainly(
            mark, row, context, 1.0, None
        )


@pytest.mark.parametrize("prf", NAMES)
def test_over_keys_tokens_are_drawn_as_sampling_draws_them(prf: str) -> None:
    logits = np.array([2, 1.5, 1, 0.5, 0, -1, -2, -np.inf, 3], np.float32)
    mark, many = mark_of(0, 2, prf), 20_000
    said = mark.sample(
        np.tile(logits, (many, 1)), np.zeros((many, 2), np.int64), temperature=1.3, top_k=7,
        keys=np.random.default_rng(2).integers(0, 2**64, many, np.uint64), rng=RNG,
    )  # fmt: skip
    kept = np.isin(np.arange(9), np.argsort(-logits)[:7])
    p = np.where(kept, np.exp(logits.astype(np.float64) / 1.3), 0)
    expected = many * p / p.sum()
    counts = np.bincount(said, minlength=9)
    assert counts[~kept].sum() == 0
    assert chisquare(counts[kept], expected[kept]).pvalue > 1e-4


def test_rows_without_a_mark_are_drawn_freely_and_greedily_if_asked() -> None:
    logits = np.tile(np.array([0, 1, 2], np.float32), (30_000, 1))
    counts = np.bincount(sample_unmarked(logits, rng=np.random.default_rng(3)), minlength=3)
    p = np.exp([0.0, 1.0, 2.0])
    assert chisquare(counts, 30_000 * p / p.sum()).pvalue > 1e-4
    ties = np.array([[1, 5, 5, 2]], np.float32)
    assert sample_unmarked(ties, temperature=0.0, rng=RNG).tolist() == [1]
    assert sample_unmarked(ties, top_k=1, rng=RNG).tolist() == [1]


def mixed(ring: KeyRing) -> list[Mark | LayeredMark | None]:
    layered = LayeredMark(GumbelMark(ring.key(GLOBAL), 3), GumbelMark(ring.key("x"), 1))
    return [
        GumbelMark(ring.key("a"), 2), None, GumbelMark(ring.key("b"), 2), layered,
        GumbelMark(ring.key("a"), 2, "premix-v1"), GumbelMark(ring.key("a"), 1), layered,
    ]  # fmt: skip


def test_each_row_of_a_mixed_batch_is_sampled_as_if_it_were_alone(ring: KeyRing) -> None:
    marks, rng = mixed(ring), np.random.default_rng(4)
    logits = rng.normal(0, 1, (7, 400)).astype(np.float32)
    for seed in range(12):
        contexts = rng.integers(0, 400, (7, 3))
        order = rng.permutation(7)
        warm, many = rng.uniform(0.5, 2, 7), rng.integers(2, 90, 7)
        together = sample_rows(
            [marks[i] for i in order], logits[order], contexts[order],
            temperature=warm[order], top_k=many[order], rng=np.random.default_rng(seed),
        )  # fmt: skip
        for place, i in enumerate(order):
            mark = marks[i]
            if mark is None:
                continue
            alone = mark.sample(
                logits[i : i + 1], contexts[i : i + 1, 3 - mark.context :],
                temperature=float(warm[i]), top_k=int(many[i]), rng=RNG,
            )  # fmt: skip
            assert together[place] == alone[0]


def test_a_context_that_a_request_had_before_is_sampled_without_the_mark(ring: KeyRing) -> None:
    mark = GumbelMark(ring.key("a"), 1)
    logits = np.zeros((2, 5_000), np.float32)
    contexts = np.array([[9, 9, 7], [8, 8, 7]])
    histories = [History(), History()]
    arguments = {"histories": histories, "top_k": None, "rng": np.random.default_rng(5)}
    first = sample_rows([mark, mark], logits, contexts, **arguments)  # type: ignore[arg-type]
    assert first[0] == first[1] == mark.sample(logits[:1], contexts[:1, 2:], top_k=None, rng=RNG)
    contexts[0, 0] = 1  # the mark sees the last token only, and has seen it
    again = sample_rows([mark, mark], logits, contexts, **arguments)  # type: ignore[arg-type]
    assert again[0] != first[0]
    assert again[1] != first[0]
    assert again[1] != again[0]
    fresh = sample_rows(
        [mark, mark],
        logits,
        contexts + np.array([[0, 0, 1]]),
        **arguments,  # type: ignore[arg-type]
    )
    assert fresh[0] == fresh[1]
    assert [len(h) for h in histories] == [2, 2]


def test_the_order_of_a_row_does_not_depend_on_its_neighbours_or_its_layout() -> None:
    mark, rng = mark_of(3, 2), np.random.default_rng(6)
    logits, contexts = rng.normal(0, 1, (8, 700)).astype(np.float32), rng.integers(0, 700, (8, 2))
    whole = mark.sample(logits, contexts, rng=RNG)
    strided = np.asfortranarray(logits)
    assert mark.sample(strided, contexts, rng=RNG).tolist() == whole.tolist()
    locked = logits.copy()
    locked.flags.writeable = False
    assert mark.sample(locked, contexts.astype(np.int32), rng=RNG).tolist() == whole.tolist()
    assert mark.sample(logits[:0], contexts[:0], rng=RNG).tolist() == []


def test_a_vocabulary_that_an_engine_pads_changes_nothing() -> None:
    mark, rng = mark_of(3), np.random.default_rng(7)
    logits = rng.normal(0, 1, (4, 1_000)).astype(np.float32)
    padded = np.concatenate([logits, np.full((4, 24), -np.inf, np.float32)], axis=1)
    contexts = rng.integers(0, 1_000, (4, 1))
    for top_k in (None, 50):
        assert (
            mark.sample(logits, contexts, top_k=top_k, rng=RNG).tolist()
            == mark.sample(padded, contexts, top_k=top_k, rng=RNG).tolist()
        )


def refused(why: str, logits: object, contexts: object, **settings: object) -> None:
    with pytest.raises(ValueError, match=why):
        mark_of(1, 2).sample(logits, contexts, rng=RNG, **settings)  # type: ignore[arg-type]


def test_greedy_decoding_takes_no_mark(ring: KeyRing) -> None:
    logits, contexts = np.zeros((2, 10), np.float32), np.zeros((2, 2), np.int64)
    refused("greedy", logits, contexts, temperature=0.0)
    refused("greedy", logits, contexts, top_k=1)
    refused("greedy", logits, contexts, temperature=np.array([1.0, 0.0]))
    refused("greedy", logits, contexts, top_k=np.array([1, 0]))
    marks = [GumbelMark(ring.key("a"), 2), None]
    with pytest.raises(ValueError, match="row 0 decodes greedily"):
        sample_rows(marks, logits, contexts, temperature=0.0, rng=RNG)
    warm = np.array([1.0, 0.0])
    assert sample_rows(marks, logits, contexts, temperature=warm, rng=RNG)[1] == 0


@pytest.mark.parametrize("top_k", [None, 3])
def test_a_row_that_is_broken_is_named(top_k: int | None) -> None:
    for value, why in ((np.nan, "NaN"), (-np.nan, "NaN"), (np.inf, "an infinite logit")):
        for place in (0, 130, 299):
            logits = np.zeros((3, 300), np.float32)
            logits[1, place] = value
            refused(f"row 1 .*{why}", logits, np.zeros((3, 2), np.int64), top_k=top_k)
    logits = np.zeros((3, 300), np.float32)
    logits[2] = -np.inf
    refused("row 2 .*no finite logit", logits, np.zeros((3, 2), np.int64), top_k=top_k)


def test_arrays_and_settings_that_cannot_be_are_refused(ring: KeyRing) -> None:
    logits, contexts = np.zeros((2, 10), np.float32), np.zeros((2, 2), np.int64)
    refused("float32", logits.astype(np.float64), contexts)
    refused("float32", logits[0], contexts)
    refused("float32", logits[:, :0], contexts)
    refused("contexts are", logits, contexts[:, :1])
    refused("contexts are", logits, contexts[:1])
    refused("integers", logits, contexts.astype(float))
    refused("tokens from -1 to 9", logits, contexts + 10)
    refused("tokens from -1 to 9", logits, contexts - 2)
    refused("temperature", logits, contexts, temperature=-1.0)
    refused("temperature", logits, contexts, temperature=np.nan)
    refused("temperature", logits, contexts, temperature=np.inf)
    refused("top k", logits, contexts, top_k=-3)
    refused("None for the whole", logits, contexts, top_k=0)
    refused("keys are", logits, contexts, keys=np.zeros(3, np.uint64))
    refused("keys are", logits, contexts, keys=np.zeros(2, np.int64))
    mark = GumbelMark(ring.key("a"), 3)
    with pytest.raises(ValueError, match="a mark needs 3"):
        sample_rows([mark, mark], logits, contexts, rng=RNG)
    with pytest.raises(ValueError, match="one mark"):
        sample_rows([mark], logits, contexts, rng=RNG)
    with pytest.raises(ValueError, match="one history"):
        sample_rows([None, None], logits, contexts, histories=[None], rng=RNG)
    with pytest.raises(ValueError, match="at least one"):
        GumbelMark(ring.key("a"), 0)
    with pytest.raises(ValueError, match="keyed function"):
        GumbelMark(ring.key("a"), 1, "murmur")
