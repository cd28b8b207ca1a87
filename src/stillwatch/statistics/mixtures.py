"""Do accounts share one profile, or does each draw its own from a mixture of benign profiles?

A profile is a distribution over classes, such as topics. A benign account draws its own around one
of K typical profiles, with a Dirichlet law whose concentration says how closely it keeps to it;
its exchanges follow that profile (a mixture of Dirichlet-multinomials: Holmes, Harris and Quince,
PLoS ONE 7, 2012). Workers of one queue share one profile, so that each is as broad as all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy
from scipy.special import gammaln, logsumexp

__all__ = ["Profiles", "fit_profiles", "shared_profile"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: how closely accounts keep to a profile; on simulated traffic hardly any exceeds the largest
CONCENTRATIONS = (2.0, 8.0, 32.0, 128.0)
#: the concentration at which profiles are fitted; most accounts are near it
TYPICAL = 8.0
#: numbers of profiles that are tried
SIZES = (1, 2, 4, 8)
#: share of accounts that a profile must have to be a benign one: the sample is never clean, and a
#: campaign in it must not explain itself away
SUPPORT = 0.05
#: pseudo-exchanges of the overall shares that every learned profile starts from
PRIOR = 10.0
_ROUNDS, _FEWEST = 15, 20


class Profiles(NamedTuple):
    """What benign accounts look like.

    Attributes:
        shares: profile × class, each row sums to 1.
        weights: concentration (:data:`CONCENTRATIONS`) × profile, sums to 1.
        overall: the shares of all classes taken together.
    """

    shares: Floats
    weights: Floats
    overall: Floats


class _Tally(NamedTuple):
    """Counts as account × distinct (class, count), since few of those occur."""

    which: Ints
    times: Ints
    rows: scipy.sparse.csr_matrix
    totals: Ints


def fit_profiles(counts: Ints) -> Profiles | None:
    """A mixture of profiles by EM; their number is the one that explains held-out accounts best.

    Every second account is held out to choose the number, then all are fitted. The start is
    deterministic: accounts ordered by their most frequent class, cut into equal parts. A profile
    is fitted by moments, the pooled shares of its accounts, with :data:`PRIOR` exchanges more.
    Assumption: no campaign has :data:`SUPPORT` of the accounts; what fewer share is left out.

    Args:
        counts: account × class, in an order that says nothing (accounts by their digest).

    Returns:
        None where fewer than 20 accounts have an exchange.
    """
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < _FEWEST:
        return None
    learn, check = counts[::2], _tally(counts[1::2])
    scores = [float(_explain(check, _fit(learn, size)).sum()) for size in SIZES]
    return _fit(counts, SIZES[int(np.argmax(scores))])


def shared_profile(counts: Ints, profiles: Profiles) -> float | None:
    """Nats by which one common profile explains `counts` better than a benign one for each.

    The common profile is learned on every second account and tested on the others, then the
    other way round; the mean of both likelihood ratios counts. Its rival is the best mixture
    of :class:`Profiles`, the weights chosen on the tested accounts themselves, so that a group
    that is narrower than everybody (users of one tool) is not taken for one queue by that alone.
    Null: each account draws a profile of its own from the benign ones, in whatever proportions.
    Assumption: accounts are independent of each other, and the benign profiles and
    concentrations are roughly right. Then it is the log of an e-value: 3 nats or more have
    probability of at most 1/20 (universal inference: Wasserman, Ramdas and Balakrishnan,
    PNAS 117, 2020). What is below 0 is no e-value against one queue.

    Args:
        counts: account × class, in an order that says nothing. Cap what one account may bring.

    Returns:
        None where fewer than 4 accounts have two exchanges.
    """
    counts = counts[counts.sum(axis=1) >= 2]
    if len(counts) < 4:
        return None
    fits = _components(_tally(counts), profiles.shares)
    ratios = []
    for first in (0, 1):
        learn, test = counts[first::2], counts[1 - first :: 2]
        common = learn.sum(axis=0) + PRIOR * profiles.overall
        together = float(test.sum(axis=0) @ np.log(common / common.sum()))
        ratios.append(together - _best_mixture(fits[1 - first :: 2]))
    return float(logsumexp(ratios) - np.log(2))


def _fit(counts: Ints, size: int) -> Profiles:
    tally = _tally(counts)
    mass = scipy.sparse.csr_matrix(counts.astype(np.float64))
    overall = counts.sum(axis=0) + 0.5
    overall = overall / overall.sum()
    order = np.argsort(counts.argmax(axis=1), kind="stable")
    belongs = np.zeros((len(counts), size))
    belongs[order, np.arange(len(counts)) * size // len(counts)] = 1.0
    shares = _pooled(belongs, mass, overall)
    for _ in range(_ROUNDS if size > 1 else 0):
        weights = (belongs.sum(axis=0) + 1) / (len(counts) + size)
        fits = _log_likelihood(tally, shares, TYPICAL) + np.log(weights)
        belongs = np.exp(fits - logsumexp(fits, axis=1, keepdims=True))
        shares = _pooled(belongs, mass, overall)
    shares = shares[belongs.mean(axis=0) >= SUPPORT]
    weights, _ = _weights(_components(tally, shares))
    return Profiles(shares, weights.reshape(len(CONCENTRATIONS), len(shares)), overall)


def _pooled(belongs: Floats, mass: scipy.sparse.csr_matrix, overall: Floats) -> Floats:
    pooled = belongs.T @ mass + PRIOR * overall
    shares: Floats = pooled / pooled.sum(axis=1, keepdims=True)
    return shares


def _tally(counts: Ints) -> _Tally:
    account, which = np.nonzero(counts)
    times = counts[account, which]
    most = int(times.max(initial=0)) + 1
    pairs, column = np.unique(which * most + times, return_inverse=True)
    rows = scipy.sparse.csr_matrix(
        (np.ones(len(account)), (account, column)), shape=(len(counts), len(pairs))
    )
    return _Tally(pairs // most, pairs % most, rows, counts.sum(axis=1))


def _log_likelihood(tally: _Tally, shares: Floats, concentration: float) -> Floats:
    """Account × profile: log probability of the sequence of classes, Dirichlet-multinomial."""
    alpha = concentration * shares[:, tally.which]
    rising = gammaln(alpha + tally.times) - gammaln(alpha)
    whole = gammaln(concentration) - gammaln(concentration + tally.totals)
    out: Floats = tally.rows @ rising.T + whole[:, None]
    return out


def _components(tally: _Tally, shares: Floats) -> Floats:
    """Account × (concentration, profile), log probabilities."""
    return np.concatenate([_log_likelihood(tally, shares, c) for c in CONCENTRATIONS], axis=1)


def _explain(tally: _Tally, profiles: Profiles) -> Floats:
    fits = _components(tally, profiles.shares)
    out: Floats = logsumexp(fits + np.log(np.maximum(profiles.weights.ravel(), 1e-9)), axis=1)
    return out


def _weights(fits: Floats) -> tuple[Floats, Floats]:
    """Weights of the components by EM, and account × component odds to the mixture."""
    relative = np.exp(fits - fits.max(axis=1, keepdims=True))
    weights = np.full(fits.shape[1], 1.0 / fits.shape[1])
    for _ in range(60):
        mixed = np.einsum("ac,c->a", relative, weights)  # `@` would wake a thread on every core
        weights = weights * np.einsum("ac,a->c", relative, 1 / mixed) / len(fits)
    mixed = np.einsum("ac,c->a", relative, weights)
    return weights, relative / mixed[:, None]


def _best_mixture(fits: Floats) -> float:
    """No less than the log likelihood under the best weights: it is concave, which bounds it."""
    weights, odds = _weights(fits)
    reached = float(logsumexp(fits + np.log(np.maximum(weights, 1e-300)), axis=1).sum())
    return reached + max(0.0, float(odds.sum(axis=0).max()) - len(fits))
