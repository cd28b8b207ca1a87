"""The green list: its settings."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.watermark import Bernoulli, GreenListMark, KeyRing


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"context": 0}, "context"),
        ({"gamma": 0.0}, "share"),
        ({"gamma": 1.0}, "share"),
        ({"gamma": 1e-12}, "share"),
        ({"gamma": float("nan")}, "share"),
        ({"delta": 0.0}, "delta"),
        ({"delta": -1.0}, "delta"),
        ({"delta": 51.0}, "delta"),
        ({"delta": float("nan")}, "delta"),
        ({"prf": "md5"}, "md5"),
    ],
)
def test_settings_that_make_no_mark_are_refused(
    setting: dict[str, float], says: str, ring: KeyRing
) -> None:
    with pytest.raises(ValueError, match=says):
        GreenListMark(ring.key("c"), **setting)  # type: ignore[arg-type]


@pytest.mark.parametrize("gamma", [0.1, 0.25, 0.7])
def test_the_law_is_the_share_of_words_that_are_green(gamma: float, ring: KeyRing) -> None:
    mark = GreenListMark(ring.key("c"), gamma=gamma)
    assert mark.law == Bernoulli(round(gamma * 2**32) / 2**32)
    rng = np.random.default_rng(0)
    scores = mark.scores(rng.integers(0, 999, (50_000, 1)), rng.integers(0, 999, 50_000))
    assert set(scores) == {0.0, 1.0}
    assert scores.mean() == pytest.approx(gamma, abs=0.01)


def test_with_all_odds_on_green_a_green_candidate_is_always_taken(ring: KeyRing) -> None:
    mark = GreenListMark(ring.key("c"), delta=50.0)
    logits = np.zeros((2_000, 30), np.float32)
    contexts = np.arange(2_000)[:, None] % 30
    said = mark.sample(logits, contexts, top_k=None, rng=np.random.default_rng(0))
    assert mark.scores(contexts, said).mean() == 1


def test_where_nothing_is_green_sampling_goes_on_as_without_a_mark(ring: KeyRing) -> None:
    mark = GreenListMark(ring.key("c"), gamma=2**-32, delta=50.0)
    logits = np.tile(np.array([0.0, 0.0, -200.0], np.float32), (2_000, 1))
    said = mark.sample(logits, np.zeros((2_000, 1), np.int64), rng=np.random.default_rng(0))
    assert np.bincount(said, minlength=3).tolist() == pytest.approx([1_000, 1_000, 0], abs=100)
