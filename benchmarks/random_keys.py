"""Random keys against models that never met them: log10 p of keyed tests, and of a naive one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import kstest, norm

from stillwatch.provenance.keyed import SCHEME, EnglishReader, KeyedMark
from stillwatch.provenance.keyed.counting import Contexts, count
from stillwatch.provenance.keyed.following import Following
from stillwatch.provenance.keyed.shares import Scores, scores
from stillwatch.statistics import choice_tail, scored_tails
from stillwatch.watermark import MarkKey

__all__ = ["LEVELS", "calibrated", "row_of", "uniform"]

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

LEVELS = (0.05, 0.01, 0.001)
_READER = EnglishReader()


def calibrated(
    said: Mapping[str, str], keys: int, seed: int, reference: Mapping[str, str] | None = None
) -> dict[str, Floats]:
    """log10 p of random keys by test, [keys]; of majority and shares the randomised ones, too."""
    contexts = count(said.items(), _READER, least=2)
    ladder = scores(contexts)
    beside = scores(contexts, count(reference.items(), _READER)) if reference else ()
    rng = np.random.default_rng(seed)
    marks = [
        KeyedMark(MarkKey(value, "", "", SCHEME), _READER.name)
        for value in rng.integers(0, 1 << 64, keys, np.uint64).tolist()
    ]
    sizes = contexts.options.tolist()
    names = [*zip(contexts.names, sizes, strict=True)]
    drawn = np.array([[mark.favourite(*name, size) for name, size in names] for mark in marks])
    whole = [Following.of(row, contexts, ladder) for row in drawn]
    hits = np.array([int(each.hits.sum()) for each in whole])
    hit = np.zeros((len(names), contexts.counts.shape[1]), np.int64)
    hit[:, 0] = 1
    middle = ladder[len(ladder) // 2]
    early = count(said.items(), _READER, least=2, looks="any")  # settled by other sightings
    at = {name: place for place, name in enumerate(contexts.names)}
    sooner = drawn[:, [at[name] for name in early.names]]
    wealth = [Following.of(row, early) for row in sooner]
    by_reference = {"shares, by reference": _shares(beside, drawn)} if reference else {}
    return {
        "z over tokens": _naive(contexts, drawn),
        "majority": scored_tails(hits, hit, contexts.options),
        "rank": _ranks(whole),
        "shares": _shares(ladder, drawn),
        **by_reference,
        "any time, majority": -np.array([each.log10_e("keyed-majority") for each in wealth]),
        "any time, rank": -np.array([each.log10_e("keyed-rank") for each in wealth]),
        "majority, randomised": scored_tails(hits, hit, contexts.options, rng),
        "shares, randomised": scored_tails(
            np.array([middle.of(row) for row in drawn]), middle.values, middle.options, rng
        ),
    }


def row_of(name: str, log10_p: Floats) -> str:
    """A line of a table: how many runs, and the share of them at each level."""
    shares = (f"{(log10_p <= np.log10(level)).mean():.4f}" for level in LEVELS)
    return f"| {name} | {len(log10_p):,} | {' | '.join(shares)} |"


def uniform(log10_p: Floats) -> float:
    """The p-value of Kolmogorov and Smirnov that these are uniform."""
    return float(kstest(10**log10_p, "uniform").pvalue)


def _shares(ladder: Sequence[Scores], drawn: Int64s) -> Floats:
    tails = [
        scored_tails(np.array([each.of(row) for row in drawn]), each.values, each.options)
        for each in ladder
    ]
    best: Floats = np.minimum(np.min(tails, axis=0) + np.log10(len(ladder)), 0.0)
    return best


def _ranks(whole: Sequence[Following]) -> Floats:
    """As :meth:`Following.log10_p` for ``keyed-rank``; each tail once, for coins have no order."""
    known: dict[tuple[int, tuple[float, ...]], float] = {}

    def tail(hits: npt.NDArray[np.bool_], shares: Floats) -> float:
        name = (int(hits.sum()), tuple(np.sort(shares).tolist()))
        if name not in known:
            known[name] = choice_tail(*name)
        return known[name]

    better = [
        min(tail(each.hits, each.shares), tail(each.second_hits, each.second_shares))
        for each in whole
    ]
    return np.minimum(np.array(better) + np.log10(2), 0.0)


def _naive(contexts: Contexts, drawn: Int64s) -> Floats:
    """log10 p of a z-test in which every sighting is a trial of its own."""
    of, share = contexts.counts.sum(axis=1), 1 / contexts.options
    mean, spread = (of * share).sum(), np.sqrt((of * share * (1 - share)).sum())
    places = np.arange(len(of))
    hits = np.array([contexts.counts[places, row].sum() for row in drawn])
    p: Floats = norm.logsf((hits - mean) / spread) / np.log(10)
    return p
