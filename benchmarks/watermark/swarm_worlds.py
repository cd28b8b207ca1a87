"""Worlds of the swarm benchmark: a teacher, accounts that were fed by it, a student of their text.

Everything is the count model (:class:`stillwatch.lab.students.CountModel`), which keeps every fact
that it was shown: error rates carry over to other students, power is an upper bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.lab.students import CountModel
from stillwatch.watermark import Evidence, GumbelMark, KeyRing

__all__ = ["PRF", "World", "ring_of"]

PRF = "premix-v1"
LENGTH = 60
#: tokens that what a student knew before is worth in each context
PRIOR = 50.0

Int64s = npt.NDArray[np.int64]
Table = npt.NDArray[np.float32]


def ring_of(seed: int) -> KeyRing:
    """Keys that no other seed has."""
    return KeyRing(seed.to_bytes(32, "big"), "2026-11")


@dataclass(frozen=True, eq=False)
class World:
    """A teacher, and the model that students and references start from.

    Attributes:
        kept: tokens of each context that evidence weighs.
    """

    teacher: CountModel
    base: CountModel
    kept: int

    @classmethod
    def of(cls, vocabulary: int, nats: float, kept: int, seed: int) -> World:
        """Students know half of what the teacher does, and half of something else."""
        teacher = CountModel.synthetic(vocabulary, nats=nats, seed=seed)
        other = CountModel.synthetic(vocabulary, nats=nats, seed=seed + 1)
        return cls(teacher, teacher.mixed(other, 0.5), kept)

    def clean(self, tokens: int, rng: np.random.Generator) -> Table:
        """What a student counts in so many tokens that nobody marked."""
        rows = -(-tokens // LENGTH)
        return self.counts(self.teacher.write([None] * rows, LENGTH, rng=rng))

    def marked(
        self, ring: KeyRing, names: Sequence[str], tokens: int, rng: np.random.Generator
    ) -> Int64s:
        """So many tokens in all under the keys of clusters, int64 [texts, length], alike for each.

        The texts of clusters take turns, and are short where there are many clusters.
        """
        length = max(2, min(LENGTH, tokens // len(names)))
        each = max(1, round(tokens / len(names) / length))
        marks = [GumbelMark(ring.key(name), 1, PRF) for name in names]
        return self.teacher.write(marks * each, length, rng=rng)

    def counts(self, texts: Int64s) -> Table:
        """How often each token followed each, float32 [vocabulary, vocabulary]."""
        size = self.teacher.vocabulary
        facts = (texts[:, :-1] * size + texts[:, 1:]).ravel()
        return np.bincount(facts, minlength=size * size).reshape(size, size).astype(np.float32)

    def student(self, fed: Table) -> CountModel:
        """What the base becomes that is fed these counts; as :meth:`CountModel.taught`."""
        prior = np.float32(PRIOR)
        table = (fed + prior * self.base.table) / (fed.sum(axis=1, keepdims=True) + prior)
        return CountModel(table, self.base.start)

    def evidence(self, suspect: CountModel, reference: CountModel | None) -> Evidence:
        """Open evidence: of each context the tokens that differ most from the reference.

        As if fresh text had shown every context. Without a reference, the likeliest tokens.
        """
        weights = suspect.table.astype(np.float64)
        if reference is not None:
            weights = weights - reference.table
        tokens = np.argpartition(-np.abs(weights), self.kept, axis=1)[:, : self.kept]
        contexts = np.repeat(np.arange(len(weights)), self.kept)
        chosen = np.take_along_axis(weights, tokens, axis=1)
        return Evidence.of_windows(contexts[:, None], tokens.ravel(), chosen.ravel())
