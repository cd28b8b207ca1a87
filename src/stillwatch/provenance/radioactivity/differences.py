"""What a suspect says of a position beyond what a reference says: tokens and signed weights.

Only the `kept` largest differences of a position count. They are chosen by size alone, without a
look at any key, so that scores stay independent of the choice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stillwatch.provenance.radioactivity.suspects import Best

__all__ = ["Silence", "best_differences", "differences"]

Int64s = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]

#: how far a distribution's sum may be from 1; half precision is not
_OFF = 0.05


class Silence(Exception):  # noqa: N818 - no error: the suspect says nothing that can be scored
    """Why nothing can be said about a suspect."""


def differences(suspect: Weights, reference: Weights | None, kept: int) -> tuple[Int64s, Weights]:
    """Of rows of probabilities, float32 [n, vocabulary]: tokens and weights, both [n, kept].

    Raises:
        Silence: rows that are no distributions.
    """
    _distributions(suspect, "the suspect")
    weights = suspect
    if reference is not None:
        _distributions(reference, "the reference")
        if suspect.shape != reference.shape:
            raise Silence(
                f"the suspect speaks of {suspect.shape[1]} tokens, the reference of "
                f"{reference.shape[1]}"
            )
        weights = suspect - reference
    many = min(kept, weights.shape[1])
    tokens = np.argpartition(-np.abs(weights), many - 1, axis=1)[:, :many]
    return tokens, np.take_along_axis(weights, tokens, axis=1)


def best_differences(
    suspect: Best, reference: Best | None, kept: int, vocabulary: int
) -> tuple[Int64s, Weights]:
    """The same of the likeliest tokens alone.

    A token that one of the two does not list is taken to have an even share of what its list
    leaves, at most as much as the least that it lists.

    Raises:
        Silence: rows that are no probabilities.
    """
    here = _listed(suspect, vocabulary, "the suspect")
    if reference is None:
        tokens, weights = here.tokens, here.probabilities
    else:
        there = _listed(reference, vocabulary, "the reference")
        if len(there.tokens) != len(here.tokens):
            raise Silence("suspect and reference do not speak of as many positions")
        again = (there.tokens[:, :, None] == here.tokens[:, None, :]).any(axis=2)
        tokens = np.concatenate([here.tokens, np.where(again, -1, there.tokens)], axis=1)
        weights = _said(here, tokens, vocabulary) - _said(there, tokens, vocabulary)
    weights = np.where(tokens < 0, np.float32(0), weights)
    many = min(kept, weights.shape[1])
    order = np.argpartition(-np.abs(weights), many - 1, axis=1)[:, :many]
    tokens = np.take_along_axis(tokens, order, axis=1)
    return np.maximum(tokens, 0), np.take_along_axis(weights, order, axis=1)


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
