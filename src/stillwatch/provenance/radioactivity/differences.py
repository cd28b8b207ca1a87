"""What a suspect says of a position beyond what a reference says: tokens and signed weights.

Only the `kept` largest differences of a position count. They are chosen by size alone, without a
look at any key, so that scores stay independent of the choice.

A standardised difference is the mean difference after a window over √(mean of the reference +
0.001), times n^¾ for a window that occurs n times. Two models that learnt the same from other
samples differ roughly in proportion to the probability itself, after frequent windows hardly less
than after rare ones, while what a key leaves behind grows with both; of plain differences a few
likely tokens have most of the say, and most of the noise. Measured with students, whose report is
docs/benchmarks/watermark.md; the constants were fixed on other seeds than those reported.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stillwatch.provenance.radioactivity.suspects import Best

__all__ = ["Silence", "best_differences", "differences", "standardised"]

Int64s = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]

Floats = npt.NDArray[np.float64]

#: what a window's occurrences count for, and what keeps tokens that the reference thinks next to
#: impossible from counting for most
_POWER, _FLOOR = 0.75, 1e-3

#: how far a distribution's sum may be from 1; half precision is not
_OFF = 0.05


class Silence(Exception):  # noqa: N818 - no error: the suspect says nothing that can be scored
    """Why nothing can be said about a suspect."""


def standardised(means: Floats, expected: Floats, times: npt.NDArray[Any]) -> Floats:
    """Weights of mean differences, given what the reference says on average and how often.

    Arrays of any shapes that broadcast.
    """
    out: Floats = means / np.sqrt(expected + _FLOOR) * times**_POWER
    return out


def differences(
    suspect: Weights, reference: Weights | None, kept: int, *, standard: bool = False
) -> tuple[Int64s, Weights, Weights]:
    """Of rows of probabilities, float32 [n, vocabulary]: three arrays [n, kept].

    Tokens, their weights, and what the reference says of them (0 without one).

    Args:
        standard: whether those are kept whose standardised differences are largest.

    Raises:
        Silence: rows that are no distributions.
    """
    _distributions(suspect, "the suspect")
    weights, expected = suspect, np.zeros((1, 1), np.float32)
    if reference is not None:
        _distributions(reference, "the reference")
        if suspect.shape != reference.shape:
            raise Silence(
                f"the suspect speaks of {suspect.shape[1]} tokens, the reference of "
                f"{reference.shape[1]}"
            )
        weights, expected = suspect - reference, reference
    many = min(kept, weights.shape[1])
    tokens = np.argpartition(-_size(weights, expected, standard), many - 1, axis=1)[:, :many]
    expected = np.take_along_axis(np.broadcast_to(expected, weights.shape), tokens, axis=1)
    return tokens, np.take_along_axis(weights, tokens, axis=1), expected


def _size(weights: Weights, expected: Weights, standard: bool) -> Weights:
    """How large differences are, for the choice of which are kept."""
    size: Weights = np.abs(weights)
    return size / np.sqrt(expected + np.float32(_FLOOR)) if standard else size


def best_differences(
    suspect: Best, reference: Best | None, kept: int, vocabulary: int, *, standard: bool = False
) -> tuple[Int64s, Weights, Weights]:
    """The same of the likeliest tokens alone.

    A token that one of the two does not list is taken to have an even share of what its list
    leaves, at most as much as the least that it lists.

    Raises:
        Silence: rows that are no probabilities.
    """
    here = _listed(suspect, vocabulary, "the suspect")
    if reference is None:
        tokens, weights = here.tokens, here.probabilities
        expected = np.zeros_like(weights)
    else:
        there = _listed(reference, vocabulary, "the reference")
        if len(there.tokens) != len(here.tokens):
            raise Silence("suspect and reference do not speak of as many positions")
        again = (there.tokens[:, :, None] == here.tokens[:, None, :]).any(axis=2)
        tokens = np.concatenate([here.tokens, np.where(again, -1, there.tokens)], axis=1)
        expected = _said(there, tokens, vocabulary)
        weights = _said(here, tokens, vocabulary) - expected
    weights = np.where(tokens < 0, np.float32(0), weights)
    many = min(kept, weights.shape[1])
    order = np.argpartition(-_size(weights, expected, standard), many - 1, axis=1)[:, :many]
    tokens = np.take_along_axis(tokens, order, axis=1)
    expected = np.take_along_axis(expected, order, axis=1)
    return np.maximum(tokens, 0), np.take_along_axis(weights, order, axis=1), expected


def _said(best: Best, tokens: Int64s, vocabulary: int) -> Weights:
    """The probability of each token by this list, float32 [n, tokens]."""
    same = tokens[:, :, None] == best.tokens[:, None, :]
    listed = (same * best.probabilities[:, None, :]).sum(axis=2)
    known = best.tokens >= 0
    left = np.maximum(1 - best.probabilities.sum(axis=1), 0)
    even = left / np.maximum(vocabulary - known.sum(axis=1), 1)
    least = np.where(known, best.probabilities, np.inf).min(axis=1, initial=np.inf)
    other = np.where(np.isfinite(least), np.minimum(even, least), even)[:, None]
    out: Weights = np.where(same.any(axis=2), listed, other).astype(np.float32)
    return out


def _listed(best: Best, vocabulary: int, who: str) -> Best:
    tokens = np.asarray(best.tokens, np.int64)
    said = np.asarray(best.probabilities, np.float32)
    if tokens.ndim != 2 or tokens.shape != said.shape:
        raise ValueError("the best tokens and their probabilities are [length, n]")
    said = np.where(tokens < 0, np.float32(0), said)
    if not np.isfinite(said).all() or (said < 0).any():
        raise Silence(f"{who} gives probabilities that are none (NaN, infinite or negative)")
    if tokens.size and tokens.max() >= vocabulary:
        raise Silence(f"{who} names the token {tokens.max()}, beyond a vocabulary of {vocabulary}")
    sums = said.sum(axis=1)
    if (sums > 1 + _OFF).any():
        raise Silence(f"{who} gives probabilities that add up to {sums.max():.3g}")
    if not (sums > 0).all():
        raise Silence(f"{who} gives no probability at all at a position")
    return Best(tokens, said)


def _distributions(rows: Weights, who: str) -> None:
    if rows.ndim != 2 or not rows.shape[1]:
        raise ValueError(f"probabilities are [length, vocabulary], not {list(rows.shape)}")
    if not np.isfinite(rows).all() or (rows < 0).any():
        raise Silence(f"{who} gives probabilities that are none (NaN, infinite or negative)")
    sums = rows.sum(axis=1, dtype=np.float64)
    if (np.abs(sums - 1) > _OFF).any():
        off = sums[np.abs(sums - 1).argmax()]
        raise Silence(f"{who} gives probabilities that add up to {off:.3g}, not to 1")
