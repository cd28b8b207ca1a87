"""How a request wants its tokens sampled, for engines that call hooks before they do any of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stillwatch.watermark.mark import Bools, Floats, Logits

__all__ = ["AS_IT_IS", "Sampling"]

#: temperatures below are greedy, as vLLM has it
_COLDEST: Final = 1e-5
#: how many of the likeliest tokens are looked at first for a nucleus
_FIRST: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Settings of one request. They are applied as vLLM does: penalties, temperature, min p, top k,
    top p. `top_k` is 0 for the whole vocabulary; the other defaults change nothing either.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    presence: float = 0.0
    frequency: float = 0.0
    repetition: float = 1.0

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is the only choice, so that no mark can be put on."""
        return self.temperature < _COLDEST or self.top_k == 1

    @property
    def penalising(self) -> bool:
        return bool(self.presence or self.frequency or self.repetition != 1.0)

    def shaped(self, row: Logits, prompt: Sequence[int], output: Sequence[int]) -> Logits:
        """The logits of one row, float32 [vocabulary], with -inf where min p and top p leave a
        token out, and under penalties for the tokens in `prompt` and `output`. Temperature and
        top k remain to be applied. `row` itself is not changed."""
        if self.penalising:
            row = self._penalised(row, prompt, output)
        if self.min_p <= 0 and self.top_p >= 1:
            return row
        cold = row.astype(np.float64) / self.temperature
        keep = cold > -np.inf
        if self.min_p > 0:
            keep &= cold >= cold.max() + np.log(self.min_p)
        if self.top_p < 1:
            keep &= self._nucleus(np.where(keep, cold, -np.inf))
        return np.where(keep, row, np.float32(-np.inf)).astype(np.float32)

    def _penalised(self, row: Logits, prompt: Sequence[int], output: Sequence[int]) -> Logits:
        row, known = row.copy(), len(row)
        counts = {token: n for token, n in Counter(output).items() if 0 <= token < known}
        if self.repetition != 1.0:
            met = np.fromiter({*counts, *(t for t in prompt if 0 <= t < known)}, np.int64)
            some = row[met]
            row[met] = np.where(some > 0, some / self.repetition, some * self.repetition)
        if counts:
            tokens = np.fromiter(counts, np.int64)
            times = np.fromiter(counts.values(), np.float32)
            row[tokens] -= np.float32(self.frequency) * times + np.float32(self.presence)
        return row

    def _nucleus(self, cold: Floats) -> Bools:
        """Which tokens are in the smallest set of likeliest ones that has the mass `top_p` among
        the top k, bool [vocabulary]; ties at its edge are in it."""
        mass = np.exp(cold - cold.max())
        many = min(self.top_k, len(mass)) if self.top_k else len(mass)
        looked = min(_FIRST, many)
        total = mass.sum() if many == len(mass) else None
        while True:
            top = -np.sort(np.partition(-mass, looked - 1)[:looked])
            if looked == many:
                total = top.sum() if total is None else total
                break
            if total is not None and top.sum() >= self.top_p * total:
                break
            looked = min(looked * 16, many)
        sums = np.cumsum(top)
        last = min(int(np.searchsorted(sums, self.top_p * total)), looked - 1)
        inside: Bools = mass >= top[last]
        return inside


#: for hooks that come last, when everything has been applied
AS_IT_IS: Final = Sampling()
