"""Weighted totals of many keys: the sums of a mark's own scores, whatever the mark."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.watermark import KeyRing, Mark, MarkKey, SelectionMark
from stillwatch.watermark.weighted import weighted_totals
from tests.watermark.schemes import SAMPLED


def windows(context: int, rows: int, many: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    contexts = rng.integers(-1, 50_000, (rows, context))
    tokens = rng.integers(0, 50_000, (rows, many))
    weights = rng.normal(0, 1, (rows, many)).astype(np.float32)
    weights[0, many // 2 :] = 0
    return contexts, tokens, weights


@pytest.mark.parametrize("make", SAMPLED.values(), ids=list(SAMPLED))
@pytest.mark.parametrize(("rows", "many"), [(1, 1), (70, 64), (300, 37), (3, 5_000)])
def test_totals_are_the_sums_of_the_scores_of_each_key(
    make: object, ring: KeyRing, rows: int, many: int
) -> None:
    mark: Mark = make(ring)  # type: ignore[operator]
    contexts, tokens, weights = windows(mark.context, rows, many)
    keys = np.array([3, mark.key.value, (1 << 64) - 1], np.uint64)
    found = weighted_totals(mark, contexts, tokens, weights, keys)
    repeated = np.repeat(contexts, many, axis=0)
    for key, total in zip(keys, found, strict=True):
        scores = mark.with_key(MarkKey(int(key), "", "")).scores(repeated, tokens.ravel())
        assert total == pytest.approx(scores @ weights.ravel().astype(float), abs=1e-3)


def test_a_scheme_that_is_not_compiled_is_asked_for_its_scores(ring: KeyRing) -> None:
    mark = SelectionMark(ring.key("c", "selection"))
    contexts, tokens, weights = windows(mark.context, 9, 4)
    [total] = weighted_totals(mark, contexts, tokens, weights, np.array([7], np.uint64))  # type: ignore[arg-type]
    scores = mark.with_key(MarkKey(7, "", "")).scores(np.repeat(contexts, 4, 0), tokens.ravel())
    assert total == pytest.approx(scores @ weights.ravel(), abs=1e-5)


def test_of_nothing_the_totals_are_zero_and_other_shapes_are_refused(ring: KeyRing) -> None:
    mark, keys = SAMPLED["gumbel"](ring), np.arange(3, dtype=np.uint64)
    contexts, tokens, weights = windows(1, 4, 6)
    assert (weighted_totals(mark, contexts[:0], tokens[:0], weights[:0], keys) == 0).all()
    with pytest.raises(ValueError, match="one row"):
        weighted_totals(mark, contexts[:2], tokens, weights, keys)
    with pytest.raises(ValueError, match="weights"):
        weighted_totals(mark, contexts, tokens, weights[:, :2], keys)
