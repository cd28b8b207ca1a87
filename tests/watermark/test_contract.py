"""What every scheme of a mark does, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.watermark import (
    GreenListMark,
    GumbelMark,
    KeyRing,
    LayerMark,
    Mark,
    Scoring,
    Vocabulary,
    detect,
    sample_rows,
)
from tests.watermark.conftest import VOCABULARY, Int64s, write
from tests.watermark.schemes import SAMPLED, SCORED

Floats32 = npt.NDArray[np.float32]


@pytest.fixture(params=SAMPLED)
def mark(request: pytest.FixtureRequest, ring: KeyRing) -> Mark:
    return SAMPLED[request.param](ring)


@pytest.fixture(params=SCORED)
def scoring(request: pytest.FixtureRequest, ring: KeyRing) -> Scoring:
    return SCORED[request.param](ring)


def windows(mark: Scoring, count: int = 300) -> tuple[Int64s, Int64s]:
    rng = np.random.default_rng(1)
    contexts = rng.integers(0, VOCABULARY, (count, mark.context))
    contexts[:5, 0] = -1
    return contexts, rng.integers(0, VOCABULARY, count)


def rows(mark: Scoring, count: int = 6, vocabulary: int = 300) -> tuple[Floats32, Int64s]:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (count, vocabulary)).astype(np.float32)
    return logits, rng.integers(0, vocabulary, (count, mark.context))


def fresh() -> np.random.Generator:
    return np.random.default_rng(3)


def test_a_mark_equals_another_with_the_same_key_and_settings(
    scoring: Scoring, ring: KeyRing
) -> None:
    other = scoring.with_key(ring.key("other"))
    assert other.key == ring.key("other")
    assert other != scoring
    assert other.with_key(scoring.key) == scoring
    assert hash(other.with_key(scoring.key)) == hash(scoring)


def test_totals_are_the_sums_of_scores_under_each_key(scoring: Scoring, ring: KeyRing) -> None:
    contexts, tokens = windows(scoring)
    some = [ring.key(f"c-{i}") for i in range(5)]
    totals = scoring.totals(contexts, tokens, np.array([key.value for key in some], np.uint64))
    for key, total in zip(some, totals, strict=True):
        summed = scoring.with_key(key).scores(contexts, tokens).sum()
        assert total == pytest.approx(summed, abs=len(tokens) * 2**-24)


def test_a_score_depends_on_the_key_the_token_and_each_token_of_the_context(
    scoring: Scoring, ring: KeyRing
) -> None:
    contexts, tokens = windows(scoring)
    before = scoring.scores(contexts, tokens)
    assert (scoring.with_key(ring.key("other")).scores(contexts, tokens) != before).any()
    assert (scoring.scores(contexts, tokens + 1) != before).any()
    for place in range(scoring.context):
        moved = contexts.copy()
        moved[:, place] += 1
        assert (scoring.scores(moved, tokens) != before).any()


def test_the_tokens_chosen_are_among_the_likeliest_and_are_allowed(mark: Mark) -> None:
    logits, contexts = rows(mark, 200)
    logits[:, ::2] = -np.inf
    allowed = np.argsort(-logits, axis=1)[:, :7]
    said = mark.sample(logits, contexts, top_k=7, rng=fresh())
    assert all(token in some for token, some in zip(said, allowed, strict=True))
    assert (mark.sample(logits, contexts, top_k=None, rng=fresh()) % 2 == 1).all()


def test_each_row_meets_the_key_that_is_given_for_it(mark: Mark, ring: KeyRing) -> None:
    logits, contexts = rows(mark, 40)
    some = [ring.key(f"c-{i}") for i in range(len(logits))]
    keys = np.array([key.value for key in some], np.uint64)
    together = mark.sample(logits, contexts, rng=fresh(), keys=keys)
    rng = fresh()
    apart = [
        mark.with_key(key).sample(logits[i : i + 1], contexts[i : i + 1], rng=rng)[0]
        for i, key in enumerate(some)
    ]
    assert together.tolist() == apart
    assert together.tolist() != mark.sample(logits, contexts, rng=fresh()).tolist()


@pytest.mark.parametrize("top_k", [20, 64, None])
def test_an_engine_may_pad_its_vocabulary(mark: Mark, top_k: int | None) -> None:
    logits, contexts = rows(mark, 40, vocabulary=3_000)
    padded = np.pad(logits, ((0, 0), (0, 29_768)), constant_values=-np.inf)
    for warmth in (0.7, 1.3):
        said, again = (
            mark.sample(some, contexts, temperature=warmth, top_k=top_k, rng=fresh())
            for some in (logits, padded)
        )
        assert said.tolist() == again.tolist()


def test_no_rows_are_no_tokens(mark: Mark) -> None:
    logits, contexts = rows(mark, 0)
    assert mark.sample(logits, contexts, rng=fresh()).tolist() == []


@pytest.mark.parametrize("setting", [{"temperature": 0.0}, {"top_k": 1}])
def test_greedy_decoding_takes_no_mark(mark: Mark, setting: dict[str, float]) -> None:
    logits, contexts = rows(mark)
    with pytest.raises(ValueError, match="greedy"):
        mark.sample(logits, contexts, rng=fresh(), **setting)  # type: ignore[arg-type]


@pytest.mark.parametrize("top_k", [20, None])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda row: row.__setitem__(7, np.nan), "row 3 .* NaN"),
        (lambda row: row.__setitem__(7, np.inf), "row 3 .* infinite"),
        (lambda row: row.fill(-np.inf), "row 3 .* no finite"),
    ],
    ids=["NaN", "inf", "nothing allowed"],
)
def test_a_row_that_says_nothing_is_named(
    mark: Mark, wrong: Callable[[Floats32], None], says: str, top_k: int | None
) -> None:
    logits, contexts = rows(mark)
    wrong(logits[3])
    with pytest.raises(ValueError, match=says):
        mark.sample(logits, contexts, top_k=top_k, rng=fresh())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda logits, contexts: (logits.astype(np.float64), contexts), "float32"),
        (lambda logits, contexts: (logits[0], contexts), "float32"),
        (lambda logits, contexts: (logits, contexts[:3]), "contexts are"),
        (lambda logits, contexts: (logits, np.hstack([contexts, contexts])), "contexts are"),
        (lambda logits, contexts: (logits, contexts.astype(np.float64)), "integers"),
        (lambda logits, contexts: (logits, contexts + 300), "context holds"),
        (lambda logits, contexts: (logits, contexts - 301), "context holds"),
    ],
)
def test_arrays_of_a_wrong_shape_type_or_range_are_refused(
    mark: Mark, wrong: Callable[[Floats32, Int64s], tuple[Floats32, Int64s]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        mark.sample(*wrong(*rows(mark)), rng=fresh())


def test_keys_are_one_for_each_row(mark: Mark) -> None:
    logits, contexts = rows(mark)
    for keys in (np.zeros(5, np.uint64), np.zeros(6, np.int64)):
        with pytest.raises(ValueError, match="keys are"):
            mark.sample(logits, contexts, rng=fresh(), keys=keys)  # type: ignore[arg-type]


def test_a_marked_text_shows_its_key_and_no_other(mark: Mark, ring: KeyRing) -> None:
    own = mark.mark if isinstance(mark, LayerMark) else mark
    [text] = write([own], 400)
    others = [
        mark.with_key(ring.key("other")),
        mark.with_key(ring.at("another epoch").key(mark.key.cluster, mark.scheme)),
    ]
    found, *unrelated = detect(text, [mark, *others], decoys=200)
    assert found.corrected_log10_p is not None
    assert found.corrected_log10_p < -6
    assert found.decoy_rank == 1
    assert all(said.log10_p is not None and said.log10_p > -3 for said in unrelated)


def test_rows_of_several_schemes_and_of_none_keep_apart(ring: KeyRing) -> None:
    marks = [GumbelMark(ring.key("a"), 2), GreenListMark(ring.key("a"), delta=3.0), None]
    texts = write(marks, 300)
    for place, text in enumerate(texts):
        found = detect(text, [mark for mark in marks if mark is not None], decoys=0)
        shown = [said.log10_p is not None and said.log10_p < -6 for said in found]
        assert shown == [place == 0, place == 1]


def test_a_greedy_row_under_a_mark_is_refused_among_others(mark: Mark) -> None:
    logits, contexts = rows(mark, 2)
    with pytest.raises(ValueError, match="row 1 decodes greedily"):
        sample_rows([None, mark], logits, contexts, temperature=np.zeros(2), rng=fresh())


@pytest.mark.parametrize(
    ("tokens", "why"),
    [
        ([], "empty"),
        ([7], "one token"),
        ([7] * 500, "repeated"),
        ([*range(100), -1], "is none"),
        ([*range(100), 500], "beyond the vocabulary"),
        ([1, 2, 3, 4], "windows to score"),
    ],
)
def test_a_text_that_nothing_can_be_said_of_has_no_p_value(
    mark: Mark, tokens: list[int], why: str
) -> None:
    [said] = detect(np.array(tokens, np.int64), [mark], vocabulary=Vocabulary(VOCABULARY))
    assert said.abstained is not None
    assert why in said.abstained
    assert (said.log10_p, said.corrected_log10_p, said.decoy_rank) == (None, None, None)


def test_tokens_of_another_tokenizer_have_no_p_value(mark: Mark) -> None:
    known = Vocabulary(VOCABULARY, "ours")
    [said] = detect(np.arange(200), [mark], vocabulary=known, tokenizer="theirs")
    assert said.abstained is not None
    assert "theirs" in said.abstained
    assert said.log10_p is None


@pytest.mark.slow
def test_ten_million_tokens_are_scored(mark: Mark) -> None:
    text = np.random.default_rng(4).integers(0, 128_000, 10_000_000)
    [said] = detect(text, [mark], decoys=0, once="pair")
    assert said.scored > 1_000_000
    assert said.log10_p is not None
    assert said.log10_p > -4
