"""Ten thousand strange keys against answers that make careless tests accuse the innocent.

Habits that never waver, one word that comes again and again, few contexts, ties, a reference that
is nearly the suspect itself, and one that always says the opposite.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from stillwatch.provenance.keyed.counting import Contexts
from stillwatch.provenance.keyed.following import Following
from stillwatch.provenance.keyed.shares import scores
from stillwatch.statistics import choice_tail, scored_tails
from tests.provenance.keyed.test_calibration import RUNS, Int64s, rarely

SIZES = np.array([4, 4, 4, 2, 3, 2, 4, 2])  # of kinds in turn, as in the table
Counted = Callable[[np.random.Generator, int], np.ndarray]


def contexts(counted: Counted, many: int, seed: int) -> Contexts:
    """`many` contexts whose options were taken as `counted` draws them: (generator, options)."""
    rng = np.random.default_rng(seed)
    sizes = SIZES[np.arange(many) % len(SIZES)]
    counts = np.zeros((many, 4), np.int64)
    for row, size in zip(counts, sizes.tolist(), strict=True):
        row[:size] = counted(rng, size)
    order = np.argsort(-counts, axis=1, kind="stable")
    told = (sizes > 2) & ((counts > 0).sum(axis=1) > 1)
    names = tuple((f"kind {i % len(SIZES)}", f"word {i}") for i in range(many))
    return Contexts(
        names, sizes, order[:, 0], np.where(told, order[:, 1], -1), counts, int(counts.sum())
    )


def never_wavers(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.eye(size, dtype=np.int64)[0] * 50


def repeats(rng: np.random.Generator, size: int) -> np.ndarray:
    """A word or two have most of the text."""
    return np.eye(size, dtype=np.int64)[rng.integers(size)] * int(rng.pareto(0.5) * 2 + 2)


def ties(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.ones(size, np.int64)


def wavers(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.multinomial(6, rng.dirichlet(np.full(size, 0.3)))


def twice(here: Contexts) -> Contexts:
    return Contexts(here.names, here.options, here.firsts, here.seconds, here.counts * 2, 0)


def opposite(here: Contexts) -> Contexts:
    there = np.arange(4) < here.options[:, None]
    counts = np.where(there, here.counts.max(axis=1, keepdims=True) - here.counts, 0)
    return Contexts(here.names, here.options, here.firsts, here.seconds, counts, 0)


def keys(here: Contexts, seed: int) -> Int64s:
    """The favourites of strange keys, [RUNS, contexts]."""
    drawn = np.random.default_rng(seed).random((RUNS, len(here.names)))
    return (drawn * here.options).astype(np.int64)


@cache
def tail_of(hits: int, shares: tuple[float, ...]) -> float:
    return choice_tail(hits, shares)


HARD = pytest.mark.parametrize("counted", [never_wavers, repeats, ties, wavers])
MANY = pytest.mark.parametrize("many", [1, 16, 90])


@pytest.mark.slow
@HARD
@MANY
def test_first_and_second_places_follow_strange_keys_as_rarely_as_alpha_says(
    counted: Counted, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "stillwatch.provenance.keyed.following.choice_tail",
        lambda hits, shares: tail_of(hits, tuple(np.sort(shares).tolist())),
    )
    here = contexts(counted, many, 11)
    said = [Following.of(row, here) for row in keys(here, 12)]
    for statistic in ("keyed-majority", "keyed-rank"):
        assert rarely(np.array([each.log10_p(statistic) for each in said]))  # type: ignore[arg-type]
        assert rarely(-np.array([each.log10_e(statistic) for each in said]))  # type: ignore[arg-type]


@pytest.mark.slow
@HARD
@MANY
@pytest.mark.parametrize("reference", [lambda _: None, twice, opposite])
def test_shares_follow_strange_keys_as_rarely_as_alpha_says_whatever_the_reference(
    counted: Counted, many: int, reference: Callable[[Contexts], Contexts | None]
) -> None:
    here = contexts(counted, many, 21)
    favourites, ladder = keys(here, 22), scores(here, reference(here))
    tails = [
        scored_tails(np.array([each.of(row) for row in favourites]), each.values, each.options)
        for each in ladder
    ]
    assert rarely(np.minimum(np.min(tails, axis=0) + np.log10(len(ladder)), 0.0))
    assert np.isfinite(tails).all()
