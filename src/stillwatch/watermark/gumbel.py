"""The Gumbel-max mark: the likeliest of temperature-scaled logits plus keyed Gumbel noise.

Aaronson's scheme (2022), as vLLM has it: over keys, tokens are drawn exactly as sampling does, so
that one answer is not distorted. One key and one context always give the same noise: sample a
context that was there before in the same request unmarked (:class:`.windows.History`), and expect
that the same prompt is answered with less variety than without a mark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.laws import Exponential, Law
from stillwatch.watermark.mark import Bools, Floats, Int64s, Logits, UInt64s
from stillwatch.watermark.prf import DEFAULT, SGLANG, gumbel_scores, gumbel_totals, number_of
from stillwatch.watermark.rows import Rows, choose

__all__ = ["GumbelMark", "scheme_under"]


def scheme_under(prf: str) -> str:
    """The scheme that keys of Gumbel-max with this keyed function are derived for."""
    return "gumbel-murmur3" if prf == SGLANG else "gumbel"


@dataclass(frozen=True, slots=True)
class GumbelMark:
    """Gumbel-max under one key; the protocol is :class:`.mark.Mark`.

    Args:
        key: from a :class:`.keys.KeyRing`.
        context: tokens before a token that its noise depends on. 4 is what engines take by default:
            detectable in text, while little but the text that a student was fed with brings out
            its traces. 1 and 2 leave more; they are easier to steal.
        prf: the keyed function, a name in :data:`.prf.NAMES`.

    Raises:
        ValueError: a context below 1, a keyed function that is not known.
    """

    key: MarkKey
    context: int = 1
    prf: str = DEFAULT

    def __post_init__(self) -> None:
        if self.context < 1:
            raise ValueError("a context has at least one token")
        number_of(self.prf)

    @property
    def scheme(self) -> str:
        """Keys for SGLang's function, which is no cryptographic one, are no keys of another."""
        return scheme_under(self.prf)

    @property
    def law(self) -> Law:
        return Exponential()

    def with_key(self, key: MarkKey) -> GumbelMark:
        return replace(self, key=key)

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
        """See :meth:`.mark.Mark.sample`; nothing is drawn from `rng`: the key decides."""
        rows = Rows.checked(logits, contexts, self.context, temperature, top_k)
        return choose(rows, self.prf, rows.keys(self.key, keys))

    def scores(self, contexts: Int64s, tokens: Int64s) -> Floats:
        """-ln(1 - u) of each window."""
        return gumbel_scores(self.prf, self.key.value, contexts, tokens)

    def totals(self, contexts: Int64s, tokens: Int64s, keys: UInt64s) -> Floats:
        return gumbel_totals(self.prf, keys, contexts, tokens)

    def carries(self, contexts: Int64s) -> Bools:
        return np.ones(len(contexts), np.bool_)
