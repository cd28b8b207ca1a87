"""A mark that leaves alone what leaves no choice: rows of little entropy are sampled without it.

An unbiased mark needs no gate for the sake of quality: where the model is all but sure of a token,
the mark takes that token, too. A gate is for biased marks, which force a choice there, and for
whoever does not want code and figures to depend on a key at all. The detector cannot see which
contexts were gated and scores them as chance: the null holds, and the text shows less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stillwatch.watermark.entropies import entropies
from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.laws import Law
from stillwatch.watermark.mark import Bools, Floats, Int64s, Logits, Mark, UInt64s
from stillwatch.watermark.rows import Rows, sample_unmarked

__all__ = ["GatedMark"]


@dataclass(frozen=True, slots=True)
class GatedMark:
    """A mark behind a gate; the protocol is :class:`.mark.Mark`.

    What it puts on is found with it and with `mark` alike. A context that was gated counts as met
    (:class:`.windows.History`): it is not marked later either, since detection takes the first
    window of each.

    Args:
        mark: of any scheme that samples; for layers, gate each of them.
        entropy_floor: nats, after temperature and among the top k; a row below is not marked.

    Raises:
        ValueError: a floor that is not positive and finite.
    """

    mark: Mark
    entropy_floor: float

    def __post_init__(self) -> None:
        if not 0 < self.entropy_floor < np.inf:
            raise ValueError("an entropy floor is positive and finite")

    @property
    def key(self) -> MarkKey:
        return self.mark.key

    @property
    def scheme(self) -> str:
        return self.mark.scheme

    @property
    def context(self) -> int:
        return self.mark.context

    @property
    def law(self) -> Law:
        return self.mark.law

    def with_key(self, key: MarkKey) -> GatedMark:
        return replace(self, mark=self.mark.with_key(key))

    def sample(
        self,
        logits: Logits,
        contexts: Int64s,
        *,
        temperature: float | Floats = 1.0,
        top_k: int | Int64s | None = 64,
        rng: np.random.Generator,
        keys: UInt64s | None = None,
    ) -> Int64s:
        """See :meth:`.mark.Mark.sample`; rows below the floor are drawn by `rng`."""
        rows = Rows.checked(logits, contexts, self.context, temperature, top_k)
        own = rows.keys(self.key, keys)
        nats = entropies(rows)
        shut = nats < self.entropy_floor
        if not shut.any() or np.isnan(nats).any():  # the mark says which row is wrong, and how
            return self._marked(rows, slice(None), own, rng)
        out = np.empty(len(shut), np.int64)
        out[shut] = sample_unmarked(
            rows.logits[shut], temperature=rows.temperatures[shut], top_k=rows.top_k[shut], rng=rng
        )
        if not shut.all():
            out[~shut] = self._marked(rows, ~shut, own, rng)
        return out

    def _marked(
        self, rows: Rows, at: slice | Bools, keys: UInt64s, rng: np.random.Generator
    ) -> Int64s:
        return self.mark.sample(
            rows.logits[at], rows.contexts[at], temperature=rows.temperatures[at],
            top_k=rows.top_k[at], rng=rng, keys=keys[at],
        )  # fmt: skip

    def scores(self, contexts: Int64s, tokens: Int64s) -> Floats:
        return self.mark.scores(contexts, tokens)

    def totals(self, contexts: Int64s, tokens: Int64s, keys: UInt64s) -> Floats:
        return self.mark.totals(contexts, tokens, keys)

    def carries(self, contexts: Int64s) -> Bools:
        return self.mark.carries(contexts)
