"""A window of one account's prompts against pooled benign prompts, by maximum mean discrepancy.

After arXiv 2606.05725: MMD with an RBF kernel between prompt embeddings; an account is flagged when
its window is further from the benign pool than 95 (or 99) % of benign windows of the same size.
Three things differ, see ``docs/baselines.md``: the embedding, a tf-idf bag of hashed words under a
Gaussian random projection in place of bge-small-en-v1.5; random Fourier features
(Rahimi and Recht, NIPS 2007) in place of the quadratic estimate; windows as short as 10 prompts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from stillwatch.errors import InputError
from stillwatch.exchange import RawExchange
from stillwatch.lab.baselines.baseline import Baseline, Judged
from stillwatch.lab.baselines.labels import Labels
from stillwatch.lab.baselines.words import fold_of, hashed_words, prompts, unit_rows

__all__ = ["MmdWindow", "PromptFeatures"]

_Floats = NDArray[np.float32]
_BITS = 14
_DIMENSIONS = 128
_FEATURES = 512
_MEDIAN_OF = 1_000
_SIZES = (10, 14, 20, 40, 80, 160, 256)
_DRAWS = 1_000
_ACCOUNTS_FEWEST = 20


@dataclass(frozen=True)
class PromptFeatures:
    """Random Fourier features, rows ordered by account; at most 256 prompts of each account.

    Attributes:
        values: prompts × 512, float32; the dot product of two rows approximates the RBF kernel.
        names: the accounts, in order.
        starts: where each account's rows begin, and after them the number of rows.
    """

    values: _Floats
    names: tuple[str, ...]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, batches: Iterable[Sequence[RawExchange]], seed: int = 0) -> PromptFeatures:
        """Embed every prompt. Bandwidth: median distance of 1,000 prompts of the log.

        Raises:
            InputError: the log holds fewer than two prompts.
        """
        chance = np.random.default_rng(seed)
        counts, names, owners = _counted(batches)
        if counts.shape[0] < 2:
            raise InputError("an MMD window test needs a log of at least two prompts")
        # a random order first, so that the first 256 of an account are any 256
        shuffled = chance.permutation(owners.size)
        order = shuffled[np.argsort(owners[shuffled], kind="stable")]
        starts = np.searchsorted(owners[order], np.arange(len(names) + 1))
        order = order[np.arange(order.size) - starts[owners[order]] < _SIZES[-1]]
        starts = np.searchsorted(owners[order], np.arange(len(names) + 1))
        return cls(_fourier(_embedded(counts, chance)[order], chance), names, starts)


def _counted(
    batches: Iterable[Sequence[RawExchange]],
) -> tuple[sp.csr_matrix, tuple[str, ...], NDArray[np.int64]]:
    """Word counts of every prompt, the accounts, and whose each prompt is."""
    numbers: dict[str, int] = {}
    owners: list[int] = []
    counts = [sp.csr_matrix((0, 1 << _BITS), dtype=np.float32)]
    for rows in batches:
        owners += [numbers.setdefault(row.account, len(numbers)) for row in rows]
        counts.append(hashed_words(prompts(rows), bits=_BITS))
    return sp.vstack(counts, format="csr"), tuple(numbers), np.array(owners, np.int64)


def _embedded(counts: sp.csr_matrix, chance: np.random.Generator) -> _Floats:
    documents = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log((1 + counts.shape[0]) / (1 + documents)).astype(np.float32)
    weights = counts.copy()
    weights.data = (1 + np.log(weights.data)) * rarity[weights.indices]
    projection = chance.standard_normal((counts.shape[1], _DIMENSIONS), np.float32)
    embedded: _Floats = unit_rows(weights) @ (projection / np.float32(np.sqrt(_DIMENSIONS)))
    return embedded


def _fourier(embedded: _Floats, chance: np.random.Generator) -> _Floats:
    some = chance.permutation(len(embedded))[:_MEDIAN_OF]
    width = max(float(np.median(pdist(embedded[some]))), 1e-6)
    directions = chance.standard_normal((embedded.shape[1], _FEATURES), np.float32)
    values: _Floats = embedded @ (directions / np.float32(width))
    values += chance.uniform(0, 2 * np.pi, _FEATURES).astype(np.float32)
    np.cos(values, out=values)
    values *= np.float32(np.sqrt(2 / _FEATURES))
    return values


class MmdWindow(Baseline):
    """Scores are squared MMD in units of the threshold for a window of that size: 1 flags.

    The benign reference comes from `labels`, so it is clean, which no operator has. Each half of
    the accounts is judged against the innocents of the other half. An account with fewer than 10
    prompts scores 0.

    Args:
        windows: ``pooled`` draws benign windows from all benign prompts mixed, as the paper does;
            ``accounts`` takes each from a single benign account, so that the threshold knows that
            accounts differ.
        percentile: of the benign windows, 95 or 99 in the paper's manner.
    """

    def __init__(
        self,
        labels: Labels,
        *,
        windows: Literal["pooled", "accounts"] = "pooled",
        percentile: float = 95,
        seed: int = 0,
    ) -> None:
        self.name = f"MMD window, {windows}, {percentile:g} %"
        self._labels, self._windows, self._percentile = labels, windows, percentile
        self._seed = seed

    def judge(self, batches: Iterable[Sequence[RawExchange]]) -> Judged:
        return self.judge_features(PromptFeatures.of(batches, self._seed))

    def judge_features(self, features: PromptFeatures) -> Judged:
        """Judge prompts that were embedded before.

        Raises:
            InputError: too few benign accounts or prompts to calibrate on.
        """
        chance = np.random.default_rng(self._seed)
        folds = np.array([fold_of(name) for name in features.names])
        benign = np.array([name in self._labels.innocent for name in features.names])
        sizes = np.diff(features.starts)
        scores = dict.fromkeys(features.names, 0.0)
        for fold in (0, 1):
            known = np.flatnonzero(benign & (folds != fold))
            pool = np.flatnonzero(np.repeat(benign & (folds != fold), sizes))
            if pool.size < _SIZES[0]:
                raise InputError("too few benign prompts for a reference; use a longer log")
            centre = features.values[pool].mean(axis=0)
            limits = self._limits(features, known, pool, centre, chance)
            for number in np.flatnonzero((folds == fold) & (sizes >= _SIZES[0])).tolist():
                window = features.values[features.starts[number] : features.starts[number + 1]]
                limit = np.exp(np.interp(np.log(len(window)), *limits))
                scores[features.names[number]] = _distance(window, centre) / float(limit)
        return Judged(scores, 1.0)

    def _limits(
        self,
        features: PromptFeatures,
        known: NDArray[np.int64],
        pool: NDArray[np.int64],
        centre: _Floats,
        chance: np.random.Generator,
    ) -> tuple[list[float], list[float]]:
        """Logarithms of window sizes, and of the percentile of squared MMD at each."""
        counts = np.diff(features.starts)[known]
        limits = {}
        for size in _SIZES:
            if self._windows == "pooled":
                chosen = [chance.choice(pool, size, replace=pool.size < size)
                          for _ in range(_DRAWS)]  # fmt: skip
            else:
                # rows of an account are in random order already
                starts = features.starts[known[counts >= size]]
                if starts.size < _ACCOUNTS_FEWEST:
                    continue
                chosen = [np.arange(start, start + size) for start in starts.tolist()]
            far = [_distance(features.values[rows], centre) for rows in chosen]
            limits[float(np.log(size))] = float(np.log(np.percentile(far, self._percentile)))
        if not limits:
            raise InputError(
                f"fewer than {_ACCOUNTS_FEWEST} benign accounts with {_SIZES[0]} prompts in a half "
                "of the log; use a longer log or more accounts"
            )
        return list(limits), list(limits.values())


def _distance(window: _Floats, centre: _Floats) -> float:
    """Squared MMD, the biased estimate; benign windows of the same size carry the same bias."""
    apart = window.mean(axis=0) - centre
    return float(apart @ apart)
