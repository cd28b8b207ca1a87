"""Who shares one work queue, among honest bystanders: a spike in the volumes of a group.

A group that shares links holds more than a campaign: honest accounts stand beside it, and their
volumes differ as customers' do. :func:`in_spike` says which accounts are the even ones, if there
are any: that is for :func:`stillwatch.statistics.balance_e_value` to say, of the group as a whole.
(An e-value for a spike in a mixture was tried. A crowd is a mixture of kinds of customers and not
one lognormal, so that it sees campaigns in crowds: docs/decisions/013.)

Half of the prior says that all accounts are of one queue, with log-sds as in
:data:`stillwatch.statistics.BALANCED`. Half is for mixtures: a share of the accounts has rates of a
small log-sd around a level, the others of a large one around that level and a shift. The level is
integrated out over its flat measure, so that nothing depends on it.

The integral is a sum over a lattice of levels whose place the counts do not move. Its step is finer
than the mean log count is blurred, so that no place on it is better than another. Where a mixture
at a level adds too little to matter it is left out, coarse lattices first.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from stillwatch.statistics.volume_likelihoods import Floats, Ints, log_conditional, logs_of_seen
from stillwatch.statistics.volumes import balanced_evidence

__all__ = ["in_spike"]

#: the mixtures: share of the accounts in the spike; its log-sd; how much higher than the spike the
#: level of the others is; their log-sd. All are as likely as each other beforehand
_SHARES = (0.3, 0.45, 0.6, 0.75, 0.85, 0.92, 0.96, 0.985)
_WITHIN = (0.15, 0.3, 0.5)
_SHIFTS = (-3.0, -2.25, -1.5, -0.75, 0.0, 0.75, 1.5)
_BESIDE = (1.0, 1.4)
_MIXTURES = np.array(list(itertools.product(_SHARES, _WITHIN, _SHIFTS, _BESIDE)))
_SHARE, _SPREAD, _SHIFT, _OTHER = _MIXTURES.T

#: the first lattice, and the last as a share of the standard error of the mean log rate; every
#: lattice has half the step of the one before, and each holds all shifts
_FIRST, _LAST = 0.25, 0.7
#: nats below the best mixture where another adds nothing, and what coarse counts hide an account
_NOTHING, _HIDDEN = 11.0, 0.01
#: coarse counts are alike where they differ by less (natural logarithms)
_ALIKE = 0.08
#: mixtures × counts that are looked at together
_AT_ONCE = 1_000_000


class _Volumes(NamedTuple):
    """Distinct counts by the share that was looked at, in rising order, and how often they are."""

    counts: Ints
    log_seen: Floats
    times: Floats


class _Lattice(NamedTuple):
    """Mixtures by their number, each at a level of its spike, in steps: parallel arrays."""

    mixture: Ints
    level: Ints
    step: float


class _Parts(NamedTuple):
    """What a lattice makes of the volumes: likelihoods of a count, each a row of a table."""

    share: npt.NDArray[np.float32]
    even: npt.NDArray[np.float32]
    even_row: Ints
    other: npt.NDArray[np.float32]
    other_row: Ints
    #: nats by which the likelihoods of a count were made smaller
    scale: Floats


def in_spike(counts: Ints, seen: Floats | None = None, *, least: int = 1) -> Floats:
    """Probability, an account, of being one of the even ones, if there is a spike at all.

    By Bayes' rule over mixtures, and the group without bystanders, in which everybody is one.
    All 0 where there are too few accounts to tell.

    Args:
        counts: exchanges an account, each >= `least`.
        seen: the share of each account's exchanges that was looked at, 1 where None is given.
        least: accounts with fewer were not seen.
    """
    counts, log_seen = logs_of_seen(counts, seen)
    if len(counts) < 4:
        return np.zeros(len(counts))
    volumes, which = _distinct(counts, log_seen)
    lattice = _search(volumes, least)
    parts = _parts(volumes, lattice, least)
    scores = _scores(volumes, parts) + np.log(lattice.step / len(_MIXTURES))
    mixed = float(logsumexp(scores))
    pure = float(np.exp(-np.logaddexp(0.0, mixed - balanced_evidence(counts, log_seen, least))))
    members = _members(parts, np.exp(scores - mixed))
    found: Floats = np.clip(pure + (1 - pure) * members, 0.0, 1.0)[which]
    return found


def _distinct(counts: Ints, log_seen: Floats) -> tuple[_Volumes, Ints]:
    """Distinct volumes, and for each account the number of its own."""
    pairs, which, times = np.unique(
        np.stack([log_seen, counts]), axis=1, return_inverse=True, return_counts=True
    )
    return _Volumes(pairs[1].astype(np.int64), pairs[0], times.astype(np.float64)), which


def _coarse(volumes: _Volumes) -> _Volumes:
    """Counts that are nearly alike put together at their geometric mean."""
    logs = np.log(volumes.counts)
    pairs, which = np.unique(
        np.stack([volumes.log_seen, np.round(logs / _ALIKE)]), axis=1, return_inverse=True
    )
    times: Floats = np.bincount(which, volumes.times).astype(np.float64)
    means = np.round(np.exp(np.bincount(which, volumes.times * logs) / times))
    return _Volumes(means.astype(np.int64), pairs[0], times)


def _search(volumes: _Volumes, least: int) -> _Lattice:
    """The mixtures and levels that matter, on a lattice fine enough to add them up.

    A spike holds a share of the accounts, so its level is where accounts are, or a little lower:
    of small volumes only the upper tail reaches `least`.
    """
    accounts = volumes.times.sum()
    coarse = _coarse(volumes)
    rates = np.repeat(np.log(coarse.counts) - coarse.log_seen, coarse.times.astype(np.int64))
    low, high = np.quantile(rates, 0.05) - 1.0, np.quantile(rates, 0.95) + 0.5
    levels = np.arange(np.floor(low / _FIRST), np.ceil(high / _FIRST) + 1).astype(np.int64)
    lattice = _Lattice(
        np.repeat(np.arange(len(_MIXTURES)), len(levels)),
        np.tile(levels, len(_MIXTURES)),
        _FIRST,
    )
    noise = 1 / np.quantile(np.repeat(volumes.counts, volumes.times.astype(np.int64)), 0.9)
    # how fast the likelihood falls beside its best level, as that of normal volumes does
    bend = accounts * (_SHARE / (_SPREAD**2 + noise) + (1 - _SHARE) / _OTHER**2)
    while lattice.step > _LAST / np.sqrt(accounts):
        scores = _scores(coarse, _parts(coarse, lattice, least))
        hidden = bend[lattice.mixture] * (lattice.step / 2) ** 2 / 2 + _HIDDEN * accounts
        lattice = _halved(lattice, scores >= scores.max() - _NOTHING - hidden)
    return lattice


def _halved(lattice: _Lattice, matters: npt.NDArray[np.bool_]) -> _Lattice:
    """A lattice of half the step around the places that matter."""
    level = 2 * lattice.level[matters][:, None] + np.array([-1, 0, 1])
    low, width = level.min(), np.ptp(level) + 1
    places = np.unique(lattice.mixture[matters][:, None] * width + level - low)
    return _Lattice(places // width, places % width + low, lattice.step / 2)


def _parts(volumes: _Volumes, lattice: _Lattice, least: int) -> _Parts:
    """Likelihoods of each count in and beside the spike, for every place of a lattice."""
    mixture, step = lattice.mixture, lattice.step
    beside = lattice.level + np.round(_SHIFT[mixture] / step).astype(np.int64)
    even, even_row = _table(volumes, _SPREAD[mixture], lattice.level, step, least)
    other, other_row = _table(volumes, _OTHER[mixture], beside, step, least)
    scale = np.maximum(even.max(axis=0), other.max(axis=0))
    return _Parts(
        _SHARE[mixture].astype(np.float32),
        np.exp((even - scale).astype(np.float32)),
        even_row,
        np.exp((other - scale).astype(np.float32)),
        other_row,
        scale,
    )


def _table(
    volumes: _Volumes, sigma: Floats, level: Ints, step: float, least: int
) -> tuple[Floats, Ints]:
    """Log likelihoods, log-sd and level × count, and for each place of a lattice its row."""
    rows, row = [], np.empty(len(level), dtype=np.int64)
    held = 0
    for one in np.unique(sigma):
        at = np.flatnonzero(sigma == one)
        levels, which = np.unique(level[at], return_inverse=True)
        row[at] = held + which
        held += len(levels)
        rows.append(
            np.concatenate(
                [
                    log_conditional(
                        volumes.counts[volumes.log_seen == share],
                        levels * step + share,
                        np.array([one]),
                        least,
                    )[:, 0]
                    for share in np.unique(volumes.log_seen)
                ]
            ).T
        )
    return np.concatenate(rows), row


def _scores(volumes: _Volumes, parts: _Parts) -> Floats:
    """Log likelihood of all counts at each place."""
    times = volumes.times.astype(np.float32)
    scores = np.empty(len(parts.share))
    for at in _chunks(parts):
        even, other = _shares(parts, at)
        even += other
        scores[at] = np.log(even, out=even) @ times
    return scores + float(volumes.times @ parts.scale)


def _members(parts: _Parts, weights: Floats) -> Floats:
    """Probability, a count, of being in the spike, averaged over all places."""
    found = np.zeros(parts.even.shape[1])
    for at in _chunks(parts):
        even, other = _shares(parts, at)
        found += weights[at] @ (even / (even + other))
    return found


def _chunks(parts: _Parts) -> list[slice]:
    size = max(1, _AT_ONCE // parts.even.shape[1])
    return [slice(at, at + size) for at in range(0, len(parts.share), size)]


def _shares(parts: _Parts, at: slice) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Likelihoods of each count with being in and beside the spike: place × count."""
    share = parts.share[at, None]
    even = share * parts.even[parts.even_row[at]]
    other = (1 - share) * parts.other[parts.other_row[at]]
    np.maximum(other, np.finfo(np.float32).tiny, out=other)
    return even, other
