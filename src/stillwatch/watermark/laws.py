"""The law of a score under the null, by which a total becomes a p-value.

Null of all: the key took no part in the choice of the text. Then the scores of distinct windows are
independent draws from the law, whatever the text says, as far as the keyed function looks random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from stillwatch.statistics import binomial_tail, gamma_tail, lattice_tail

__all__ = ["Bernoulli", "Exponential", "Lattice", "Law", "Tries"]

Floats = npt.NDArray[np.float64]


class Law(Protocol):
    """The law of one score; totals are sums of independent ones."""

    @property
    def mean(self) -> float:
        """What a score is on average."""
        ...

    def log10_p(
        self, total: npt.ArrayLike, scored: npt.ArrayLike, rng: np.random.Generator | None = None
    ) -> Floats:
        """log10 of P(sum of `scored` scores ≥ `total`), exact; arguments broadcast.

        With a generator, p-values of a discrete law are randomised (uniform under the null, for
        calibration); those of a continuous law do not change.
        """
        ...


@dataclass(frozen=True, slots=True)
class Exponential:
    """Mean 1, as -ln(1 - u) of a uniform number: sums are Gamma.

    The uniform numbers of a mark have 24 bits. A score so drawn is smaller than or equal to an
    exponential one of the same draw, but for 2^-24: p-values are conservative to that.
    """

    @property
    def mean(self) -> float:
        return 1.0

    def log10_p(
        self, total: npt.ArrayLike, scored: npt.ArrayLike, rng: np.random.Generator | None = None
    ) -> Floats:
        return gamma_tail(total, scored)


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """1 with probability `share`, otherwise 0: sums are binomial.

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

    def log10_p(
        self, total: npt.ArrayLike, scored: npt.ArrayLike, rng: np.random.Generator | None = None
    ) -> Floats:
        return binomial_tail(total, scored, self.share, rng)


@dataclass(frozen=True, slots=True)
class Tries:
    """How many of `tries` hit, each with probability `share`: sums are binomial.

    Raises:
        ValueError: fewer tries than one, a share that does not lie between 0 and 1.
    """

    tries: int
    share: float

    def __post_init__(self) -> None:
        if self.tries < 1 or not 0 < self.share < 1:
            raise ValueError("there is a try at least, and a share lies between 0 and 1")

    @property
    def mean(self) -> float:
        return self.tries * self.share

    def log10_p(
        self, total: npt.ArrayLike, scored: npt.ArrayLike, rng: np.random.Generator | None = None
    ) -> Floats:
        return binomial_tail(total, np.asarray(scored) * self.tries, self.share, rng)


@dataclass(frozen=True, slots=True)
class Lattice:
    """0, 1, 2 … with these probabilities, as weighted green bits that are scaled to whole numbers.

    Raises:
        ValueError: what are no probabilities that add up to 1.
    """

    masses: tuple[float, ...]

    def __post_init__(self) -> None:
        lattice_tail(0, 0, self.masses)

    @property
    def mean(self) -> float:
        return float(np.arange(len(self.masses)) @ np.asarray(self.masses))

    def log10_p(
        self, total: npt.ArrayLike, scored: npt.ArrayLike, rng: np.random.Generator | None = None
    ) -> Floats:
        return lattice_tail(total, scored, self.masses, rng)
