"""Prompts as vectors, once a period, for every baseline that looks at text.

A tf-idf bag of hashed words under a Gaussian random projection, rarity and projection fitted on the
calibration period: it stands where the published methods have a sentence encoder, and knows no
synonyms. See ``docs/baselines.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.lab.baselines import rows_of
from stillwatch.lab.baselines.words import hashed_words, prompts
from stillwatch.lab.bench.cell import CALIBRATION, REFERENCE
from stillwatch.lab.bench.detector import Periods
from stillwatch.lab.bench.view import View

__all__ = ["Embedded", "calibration", "embedded"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_BITS = 14
_DIMENSIONS = 128


@dataclass(frozen=True)
class Embedded:
    """The prompts of a log in the order of time.

    Attributes:
        values: prompts × 128, of unit length, or 0 where a prompt has no word.
        owners: whose each is, a place in `names`.
        at: when, µs since 1970.
    """

    values: Floats
    owners: Ints
    names: tuple[str, ...]
    at: Ints

    def seen(self, view: View) -> Embedded:
        """The prompts of `view`, all accounts keeping their places."""
        return self.some(self.places(view))

    def places(self, view: View) -> Ints:
        """Which of the prompts are seen in `view`."""
        accounts = pa.array(self.names).take(pa.array(self.owners))
        seen = view.sees(accounts, pa.array(self.at)).to_numpy(zero_copy_only=False)
        return np.flatnonzero(seen)

    def some(self, rows: Ints) -> Embedded:
        """Only `rows`."""
        return Embedded(self.values[rows], self.owners[rows], self.names, self.at[rows])

    def by_account(self) -> list[tuple[int, Ints]]:
        """Each account that sent something, with its rows in the order of time."""
        order = np.argsort(self.owners, kind="stable")
        found, starts = np.unique(self.owners[order], return_index=True)
        return list(zip(found.tolist(), np.split(order, starts[1:]), strict=True))


def embedded(periods: Periods, period: int) -> Embedded:
    """The prompts of a whole period of a seed, all campaigns included."""
    key = ("prompts", period)
    if key not in periods.memory:
        earlier = period in (REFERENCE, CALIBRATION)
        log = periods.log(period) if earlier else periods.world(period).log
        periods.progress.note(f"seed {periods.seed}: embedding the prompts of period {period}")
        periods.memory[key] = _read(log, _weights(periods))
    found: Embedded = periods.memory[key]
    return found


def calibration(periods: Periods) -> Embedded:
    """The prompts of the calibration period, in which nothing is hidden."""
    return embedded(periods, CALIBRATION)


def _weights(periods: Periods) -> Floats:
    """Hashed words × 128: rarity in the calibration period times a random direction."""
    if "weights" not in periods.memory:
        documents = np.zeros(1 << _BITS)
        total = 0
        for rows in rows_of(periods.log(CALIBRATION)):
            counts = hashed_words(prompts(rows), bits=_BITS)
            documents += np.bincount(counts.indices, minlength=counts.shape[1])
            total += len(rows)
        rarity = np.log((1 + total) / (1 + documents)).astype(np.float32)
        chance = np.random.default_rng(periods.seed)
        directions = chance.standard_normal((1 << _BITS, _DIMENSIONS), np.float32)
        periods.memory["weights"] = rarity[:, None] * directions
    found: Floats = periods.memory["weights"]
    return found


def _read(log: Path, weights: Floats) -> Embedded:
    numbers: dict[str, int] = {}
    owners: list[int] = []
    at: list[int] = []
    values = [np.zeros((0, _DIMENSIONS), np.float32)]
    for rows in rows_of(log):
        counts = hashed_words(prompts(rows), bits=_BITS)
        counts.data = 1 + np.log(counts.data)
        projected = counts @ weights
        lengths = np.linalg.norm(projected, axis=1, keepdims=True)
        values.append((projected / np.maximum(lengths, 1e-9)).astype(np.float32))
        owners += [numbers.setdefault(row.account, len(numbers)) for row in rows]
        at += [row.at for row in rows]
    return Embedded(
        np.concatenate(values),
        np.array(owners, np.int64),
        tuple(numbers),
        np.array(at, np.int64),
    )
