"""A classifier of single prompts that sees no account: how far does the text alone give it away?

Logistic regression on hashed words and pairs of words, trained on one seed of the simulator and
asked about another. Where its AUC is near 1 the simulator writes attack prompts that no honest user
would write, and results on it say little about the world.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from stillwatch.errors import InputError
from stillwatch.exchange import RawExchange
from stillwatch.lab.baselines.baseline import Baseline, Judged
from stillwatch.lab.baselines.labels import Labels
from stillwatch.lab.baselines.outcome import auc
from stillwatch.lab.baselines.words import fold_of, hashed_words, prompts, unit_rows

__all__ = ["CorpusOnly", "Examined"]

_Array = NDArray[np.float64]
_BITS = 18
_RIDGE = 1e-5
_ITERATIONS = 60
_INNOCENTS_FLAGGED = 1.0


@dataclass(frozen=True)
class Examined:
    """How the classifier did on traffic that it was not trained on.

    Attributes:
        auc: over all prompts, attack against everything else, cover traffic included.
        auc_unseen: the same over prompts whose text did not occur in training.
        unseen: number of those prompts.
    """

    judged: Judged
    auc: float
    auc_unseen: float
    unseen: int


class CorpusOnly(Baseline):
    """Mean probability over an account's prompts; flagged above the score that 1 % of the innocents
    of the training seed reach, each judged by a model that was fitted without it.

    Use :meth:`train` to make one.
    """

    name = "corpus-only classifier"

    def __init__(self, weights: _Array, threshold: float, seen: frozenset[int]) -> None:
        self._weights, self._threshold, self._seen = weights, threshold, seen

    @classmethod
    def train(cls, batches: Iterable[Sequence[RawExchange]], labels: Labels) -> CorpusOnly:
        """Fit to labelled traffic.

        Raises:
            InputError: one half of the accounts holds no attack, or nothing else.
        """
        read = _Read.of(batches)
        attack = read.attacks(labels)
        folds = np.array([fold_of(name) for name in read.accounts])
        chances = np.empty(attack.size)
        for fold in (0, 1):
            other = folds != fold
            weights = _fitted(read.counts[other], attack[other])
            chances[~other] = _chances(read.counts[~other], weights)
        scores = _by_account(read.accounts, chances)
        innocent = [score for name, score in scores.items() if name in labels.innocent]
        return cls(
            _fitted(read.counts, attack),
            float(np.percentile(innocent, 100 - _INNOCENTS_FLAGGED)),
            frozenset(read.texts),
        )

    def judge(self, batches: Iterable[Sequence[RawExchange]]) -> Judged:
        read = _Read.of(batches)
        return self._judged(read, _chances(read.counts, self._weights))

    def examine(self, batches: Iterable[Sequence[RawExchange]], labels: Labels) -> Examined:
        """Judge, and hold the chance of every single prompt against `labels`."""
        read = _Read.of(batches)
        chances, attack = _chances(read.counts, self._weights), read.attacks(labels)
        unseen = np.array([text not in self._seen for text in read.texts], bool)
        return Examined(
            self._judged(read, chances),
            auc(chances, attack),
            auc(chances[unseen], attack[unseen]),
            int(unseen.sum()),
        )

    def _judged(self, read: _Read, chances: _Array) -> Judged:
        return Judged(_by_account(read.accounts, chances), self._threshold)


@dataclass(frozen=True)
class _Read:
    """Prompts as rows of unit length, and of each its account, request id and hashed text."""

    counts: Any
    accounts: list[str]
    requests: list[str | None]
    texts: list[int]

    @classmethod
    def of(cls, batches: Iterable[Sequence[RawExchange]]) -> _Read:
        counts = [sp.csr_matrix((0, 1 << _BITS), dtype=np.float32)]
        accounts: list[str] = []
        requests: list[str | None] = []
        texts: list[int] = []
        for rows in batches:
            said = prompts(rows)
            found = hashed_words(said, bits=_BITS, pairs=True)
            found.data[:] = 1  # whether, not how often
            counts.append(unit_rows(found))
            accounts += [row.account for row in rows]
            requests += [row.request_id for row in rows]
            texts += map(hash, said)
        return cls(sp.vstack(counts, format="csr"), accounts, requests, texts)

    def attacks(self, labels: Labels) -> NDArray[np.bool_]:
        return np.array([request in labels.attacks for request in self.requests], bool)


def _fitted(rows: Any, attack: NDArray[np.bool_]) -> _Array:
    """Weights and, last, the intercept; both classes weigh the same. By L-BFGS."""
    ones = int(attack.sum())
    if not ones or ones == attack.size:
        raise InputError("training needs attack prompts and others in both halves of the accounts")
    shares = np.where(attack, 0.5 / ones, 0.5 / (attack.size - ones))
    signs = np.where(attack, 1.0, -1.0)
    # columns that no row has keep the weight 0, and need no place in the search
    known = np.flatnonzero(np.bincount(rows.indices, minlength=rows.shape[1]))
    weights_of_all = np.zeros(rows.shape[1] + 1)
    rows = rows[:, known].astype(np.float64)
    across = rows.T.tocsr()

    def loss(weights: _Array) -> tuple[float, _Array]:
        margins = signs * (rows @ weights[:-1] + weights[-1])
        pulls = -shares * signs * expit(-margins)
        gradient = np.append(across @ pulls + _RIDGE * weights[:-1], pulls.sum())
        value = shares @ np.logaddexp(0, -margins) + _RIDGE / 2 * (weights[:-1] @ weights[:-1])
        return float(value), gradient

    start = np.zeros(rows.shape[1] + 1)
    options = {"maxiter": _ITERATIONS}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    weights_of_all[known], weights_of_all[-1] = found[:-1], found[-1]
    return weights_of_all


def _chances(rows: Any, weights: _Array) -> _Array:
    chances: _Array = expit(rows @ weights[:-1] + weights[-1])
    return chances


def _by_account(accounts: Sequence[str], chances: _Array) -> dict[str, float]:
    names, owners = np.unique(np.array(accounts, object), return_inverse=True)
    means = np.bincount(owners, chances) / np.bincount(owners)
    return dict(zip(names.tolist(), means.tolist(), strict=True))
