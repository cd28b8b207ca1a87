"""The laws of one score under a null, as cumulants: what weighted sums of such scores need.

A score is centred on its nominal mean. `cumulants` gives the logarithm of the moment generating
function of a centred score, and its first two derivatives, at each of many arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["BernoulliScores", "ExponentialScores", "LatticeScores", "ScoreLaw"]

Floats = npt.NDArray[np.float64]


class ScoreLaw(Protocol):
    """The law of one score."""

    @property
    def mean(self) -> float:
        """What is taken off each score."""
        ...

    @property
    def reach(self) -> float:
        """Arguments from here on have no moment generating function; infinite if all do."""
        ...

    def log_mgf(self, at: Floats) -> Floats:
        """ln E exp(at · (S - mean)), or a bound above it."""
        ...

    def slopes(self, at: Floats) -> tuple[Floats, Floats]:
        """The first and second derivative of that."""
        ...


@dataclass(frozen=True, slots=True)
class ExponentialScores:
    """Mean 1, as -ln U of a uniform number.

    Args:
        steps: scores are -ln(k / steps) of a whole number k from 1 to `steps`, each as likely. That
            is below an exponential score by a little, which would make sums with negative weights
            larger than they seem: their moment generating function is bounded, the excess being at
            most (1 - steps^-s / (1 + s)) / steps at -s (a Riemann sum of an increasing function).

    Raises:
        ValueError: fewer steps than 2.
    """

    steps: int | None = None

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 2:
            raise ValueError("a score has at least two steps")

    @property
    def mean(self) -> float:
        return 1.0

    @property
    def reach(self) -> float:
        return 1.0

    def log_mgf(self, at: Floats) -> Floats:
        out: Floats = -np.log1p(-at) - at
        if self.steps is not None:
            below = np.maximum(-at, 0.0)
            excess = np.minimum(1.0, below * (np.log(self.steps) + 1)) / self.steps
            out += np.log1p((1 + below) * excess)
        return out

    def slopes(self, at: Floats) -> tuple[Floats, Floats]:
        left = 1 / (1 - at)
        return at * left, left * left


@dataclass(frozen=True, slots=True)
class BernoulliScores:
    """1 with probability `share`, otherwise 0.

    Raises:
        ValueError: a share that does not lie between 0 and 1.
    """

    share: float

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError("a share lies between 0 and 1")

    @property
    def mean(self) -> float:
        return self.share

    @property
    def reach(self) -> float:
        return np.inf

    def log_mgf(self, at: Floats) -> Floats:
        out: Floats = np.logaddexp(np.log1p(-self.share), np.log(self.share) + at) - self.share * at
        return out

    def slopes(self, at: Floats) -> tuple[Floats, Floats]:
        odds = np.exp(-np.abs(at))
        up, down = np.where(at > 0, 1.0, odds), np.where(at > 0, odds, 1.0)
        hit = self.share * up / (self.share * up + (1 - self.share) * down)
        return hit - self.share, hit * (1 - hit)


@dataclass(frozen=True, slots=True)
class LatticeScores:
    """0, 1, 2 … with these probabilities.

    Raises:
        ValueError: what are no probabilities that add up to 1.
    """

    masses: tuple[float, ...]

    def __post_init__(self) -> None:
        law = np.asarray(self.masses)
        if law.ndim != 1 or len(law) < 2 or not (law >= 0).all() or not np.isclose(law.sum(), 1):
            raise ValueError("masses are probabilities of 0, 1, 2 … and add up to 1")

    @property
    def mean(self) -> float:
        return float(np.arange(len(self.masses)) @ np.asarray(self.masses))

    @property
    def reach(self) -> float:
        return np.inf

    def log_mgf(self, at: Floats) -> Floats:
        _, top, norm = self._tilted(at)
        out: Floats = top + np.log(norm)
        return out

    def slopes(self, at: Floats) -> tuple[Floats, Floats]:
        weights, _, norm = self._tilted(at)
        values = np.arange(len(self.masses)) - self.mean
        first: Floats = weights @ values / norm
        second: Floats = weights @ values**2 / norm - first * first
        return first, second

    def _tilted(self, at: Floats) -> tuple[Floats, Floats, Floats]:
        law = np.asarray(self.masses)
        powers = np.multiply.outer(at, np.arange(len(law)) - self.mean)
        top: Floats = powers.max(axis=-1)
        weights = law * np.exp(powers - top[..., None])
        return weights, top, weights.sum(axis=-1)
