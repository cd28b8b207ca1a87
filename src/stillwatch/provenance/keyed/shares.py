"""How much each option of a context speaks for its being the key's, by how often it was taken.

A diluted student keeps its own habits and takes the key's option a little more often than they
say. Counts alone decide the scores, never a key: under the null the favourite of each context is
any of its options, whatever the counts and therefore whatever the scores are, so that the tail of
their sum is exact (:func:`stillwatch.statistics.scored_tails`). A bad model of habits costs power,
not validity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, logsumexp

from stillwatch.provenance.keyed.counting import Contexts

__all__ = ["Scores", "scores"]

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

#: shares of the teacher in what was learnt that scores are made for
_DILUTIONS = (0.05, 0.15, 0.5)
#: how alike habits of one kind may be, in sightings that the kind-wide habit counts for
_ALIKE = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 512.0)
#: what a sighting in the reference counts for
_BELIEVED = (0.0, 0.03, 0.1, 0.25, 0.5, 1.0)
_SMOOTH = 0.5
#: steps of the lattice between no and full say of one context
_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Whole-numbered scores of the options of contexts.

    Attributes:
        values: int64 [n, most options]; 0 beyond the options of a context.
        options: how many there were, int64 [n].
    """

    values: Int64s
    options: Int64s

    def of(self, favourites: Int64s) -> int:
        """The sum over contexts of the score of these options."""
        return int(self.values[np.arange(len(favourites)), favourites].sum())

    def height(self, favourites: Int64s) -> float:
        """Standard deviations above what is expected of a random key."""
        there = np.arange(self.values.shape[1]) < self.options[:, None]
        means = self.values.sum(axis=1) / self.options
        spread = np.where(there, self.values - means[:, None], 0.0)
        deviation = float(np.sqrt(((spread * spread).sum(axis=1) / self.options).sum()))
        return (self.of(favourites) - float(means.sum())) / deviation if deviation else 0.0


def scores(contexts: Contexts, reference: Contexts | None = None) -> tuple[Scores, ...]:
    """The scores of the options of `contexts`, from the counts of all of them, by dilution.

    Of an option the log of the probability of the counts of its context, were this option the key's
    and the dilution the share of the teacher in what was learnt; the rest by a habit that is drawn
    around the kind-wide one and, as far as it tells, that of the reference in this context
    (Dirichlet and multinomial). How far is fitted to the counts by maximum likelihood, kind by
    kind, without a key.

    Args:
        reference: of a model that cannot have learnt from the teacher.
    """
    values = np.zeros((len(_DILUTIONS), *contexts.counts.shape))
    known = dict(zip(reference.names, reference.counts, strict=True)) if reference else {}
    kinds = np.array([kind for kind, _ in contexts.names], object)
    for kind in dict.fromkeys(kinds.tolist()):
        rows = np.flatnonzero(kinds == kind)
        size = int(contexts.options[rows[0]])
        counts = contexts.counts[rows, :size].astype(np.float64)
        habits = _habits(counts, [contexts.names[row] for row in rows.tolist()], known)
        for said, dilution in zip(values, _DILUTIONS, strict=True):
            said[rows, :size] = _told(counts, habits, dilution)
    return tuple(Scores(_whole(said), contexts.options) for said in values)


def _habits(
    counts: Floats, names: list[tuple[str, str]], known: Mapping[tuple[str, str], Int64s]
) -> Floats:
    """Pseudo-counts of the options of each context, float64 [n, size]."""
    size = counts.shape[1]
    shares = counts.sum(axis=0) + _SMOOTH
    shares /= shares.sum()
    none = np.zeros(size, np.int64)
    told = np.array([known.get(name, none)[:size] for name in names], np.float64)
    best, out = -np.inf, np.empty(0)
    for believed in _BELIEVED if known else (0.0,):
        for alike in _ALIKE:
            prior = alike * shares + believed * told
            likely = float(_likely(counts, prior).sum())
            if likely > best:
                best, out = likely, prior
    return out


def _likely(counts: Floats, prior: Floats) -> Floats:
    """The log likelihood of counts under Dirichlet and multinomial, up to a constant, [n]."""
    out: Floats = (gammaln(counts + prior) - gammaln(prior)).sum(axis=1) + (
        gammaln(prior.sum(axis=1)) - gammaln(counts.sum(axis=1) + prior.sum(axis=1))
    )
    return out


def _told(counts: Floats, prior: Floats, dilution: float) -> Floats:
    """ln P(counts | this option is the key's) less the mean over options, [n, options].

    Of the sightings of an option any number j may be the key's own doing:
    Σ_j C(c, j) εʲ (1-ε)ⁿ⁻ʲ · DirichletMultinomial(counts less j there).
    """
    of, whole = counts.sum(axis=1)[:, None, None], prior.sum(axis=1)[:, None, None]
    taken, habit = counts[:, :, None], prior[:, :, None]
    j = np.arange(int(counts.max(initial=0)) + 1, dtype=np.float64)
    own = np.maximum(taken - j, 0.0)
    terms = (
        gammaln(taken + 1) - gammaln(j + 1) - gammaln(own + 1)
        + j * np.log(dilution) + (of - j) * np.log1p(-dilution)
        + gammaln(own + habit) - gammaln(taken + habit)
        + gammaln(of + whole) - gammaln(np.maximum(of - j, 0.0) + whole)
    )  # fmt: skip
    told = logsumexp(np.where(j <= taken, terms, -np.inf), axis=2)
    return np.asarray(told - told.mean(axis=1, keepdims=True), np.float64)


def _whole(values: Floats) -> Int64s:
    largest = float(np.abs(values).max(initial=0.0))
    return np.rint(values * (_STEPS / largest if largest else 0.0)).astype(np.int64)
