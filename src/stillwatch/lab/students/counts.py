"""The count model: a language model that is a table, so that a thousand students take minutes.

A teacher is a bigram table with words as frequent as Zipf's law has them (Zipf, 1949), each row
sharpened to a given entropy. A student is the table that it started from, plus counts of what it
was fed (a Dirichlet prior, MacKay and Peto, 1995): after one token, or after two on top of that.
It keeps every (context, token) fact that it was shown, which a real student does not: calibration
carries over, for it needs no assumption on the student; power does not, and is an upper bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.lab.students.pairs import PairCounts
from stillwatch.lab.students.writing import write
from stillwatch.watermark import LayeredMark, Mark

__all__ = ["CountModel"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Table = npt.NDArray[np.float32]

_ZIPF_SHIFT, _ZIPF_POWER = 2.7, 1.1
#: how far rows of the table differ from plain word frequencies, in nats, before they are sharpened
_SPREAD = 2.5
_BISECTIONS, _STEPS = 12, 40


@dataclass(frozen=True, slots=True, eq=False)
class CountModel:
    """A language model as a table; an open suspect, and a teacher that can be marked.

    Attributes:
        table: float32 [vocabulary, vocabulary], row c the distribution of what follows token c.
        start: float32 [vocabulary], the distribution of a first token.
        pairs: what was counted after two tokens, on top of the table, if anything.
    """

    table: Table
    start: Table
    pairs: PairCounts | None = None

    @classmethod
    def synthetic(cls, vocabulary: int = 1_000, *, nats: float = 2.5, seed: int = 0) -> CountModel:
        """A teacher whose next token has an entropy of `nats`, on average over its own text.

        Raises:
            ValueError: an entropy that no such table has.
        """
        if not 0 < nats < 0.7 * np.log(vocabulary):
            raise ValueError(f"an entropy lies between 0 and {0.7 * np.log(vocabulary):.1f} nats")
        rng = np.random.default_rng(seed)
        ranks = rng.permutation(vocabulary).astype(np.float32)
        scores = rng.normal(0, _SPREAD, (vocabulary, vocabulary)).astype(np.float32)
        scores -= _ZIPF_POWER * np.log(ranks + 1 + _ZIPF_SHIFT)
        low, high = 0.01, 10.0
        for _ in range(_BISECTIONS):
            sharpness = float(np.sqrt(low * high))
            table = _softmax(scores * np.float32(sharpness))
            low, high = (sharpness, high) if _entropy(table) > nats else (low, sharpness)
        return cls(table, _stationary(table))

    @property
    def vocabulary(self) -> int:
        return len(self.table)

    @property
    def nats(self) -> float:
        """The entropy of the next token in nats, on average over the model's own text."""
        return _entropy(self.table)

    def mixed(self, other: CountModel, share: float) -> CountModel:
        """The model whose probabilities are these but for a `share` of `other` (tables alone)."""
        part = np.float32(share)
        return CountModel(
            (1 - part) * self.table + part * other.table,
            (1 - part) * self.start + part * other.start,
        )

    def write(
        self,
        marks: Sequence[Mark | LayeredMark | None],
        length: int,
        *,
        rng: np.random.Generator,
        prompts: Int64s | None = None,
        temperature: float = 1.0,
        top_k: int | None = 64,
    ) -> Int64s:
        """One text for each mark (None is unmarked), int64 [marks, length]; see :func:`write`."""
        return write(
            self.table, self.start, marks, length, rng=rng, prompts=prompts,
            temperature=temperature, top_k=top_k,
        )  # fmt: skip

    def taught(
        self, texts: Sequence[Int64s] | Int64s, *, weight: float = 50.0, order: int = 1
    ) -> CountModel:
        """The student that starts from this model and is fed `texts`.

        Args:
            texts: int64 [length] each, or one array [texts, length].
            weight: how many tokens what it knew before is worth in each context.
            order: tokens of the longest context that it keeps counts of, 1 or 2.

        Raises:
            ValueError: another order; a weight that is not positive.
        """
        if order not in (1, 2) or not weight > 0:
            raise ValueError("a student counts after 1 or 2 tokens, beside a positive weight")
        size = self.vocabulary
        counts = np.zeros(size * size, np.int64)
        for text in texts:
            counts += np.bincount(text[:-1] * size + text[1:], minlength=size * size)
        fed = counts.reshape(size, size).astype(np.float32)
        prior = np.float32(weight)
        table = (fed + prior * self.table) / (fed.sum(axis=1, keepdims=True) + prior)
        pairs = PairCounts.of(texts, size, weight) if order == 2 else None
        return CountModel(table, self.start, pairs)

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[Table]:
        """For each text, float32 [length, vocabulary]: row j is what follows ``text[: j + 1]``."""
        for text in texts:
            tokens = np.asarray(text, np.int64)
            rows = self.table[tokens]
            if self.pairs is not None:
                self.pairs.add_to(rows, tokens)
            yield rows


def _softmax(scores: Table) -> Table:
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    out: Table = scores / scores.sum(axis=1, keepdims=True)
    return out


def _stationary(table: Table) -> Table:
    share = np.full(len(table), 1 / len(table), np.float32)
    for _ in range(_STEPS):
        share = share @ table
    out: Table = share / share.sum()
    return out


def _entropy(table: Table) -> float:
    rows = -(table * np.log(np.maximum(table, np.float32(1e-30)))).sum(axis=1)
    return float(_stationary(table) @ rows)
