"""The selection mark: of several finished texts, the one with the best keyed score.

For upstreams that give text and nothing else. The model is asked n times; the key decides which
answer is sent. Each window scores -ln(1 - u), as under Gumbel-max, and a text's sum becomes its
p-value, so that long texts compete fairly with short ones. Choosing the smallest of n p-values
moves a sum by 0.57, 1.03, 1.42, 1.77 standard deviations for n = 2, 4, 8, 16: little for a choice,
and the cost is n times the model's. Choose a sentence at a time where the upstream can continue
a text.

Over keys each candidate is as likely to be sent as any other, exactly: windows that two candidates
share are left out of the choice, so that their scores are independent. (With them the odd one out
of three would be sent more often than its share.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.laws import Exponential, Law
from stillwatch.watermark.mark import Bools, Floats, Int64s, UInt64s
from stillwatch.watermark.prf import DEFAULT, gumbel_scores, gumbel_totals, number_of
from stillwatch.watermark.segmenting import word_ids
from stillwatch.watermark.windows import contexts_of, counted

__all__ = ["SelectionMark"]

_LN10 = np.log(10)


@dataclass(frozen=True, slots=True)
class SelectionMark:
    """Selection under one key; the protocol is :class:`.texts.TextMark`.

    Args:
        key: from a :class:`.keys.KeyRing`.
        context: tokens or words before one that its score depends on. A changed word takes
            `context` + 1 windows with it; few windows are distinct where it is 1.
        prf: the keyed function, a name in :data:`.prf.NAMES`.

    Raises:
        ValueError: a context below 1, a keyed function that is not known.
    """

    key: MarkKey
    context: int = 2
    prf: str = DEFAULT

    def __post_init__(self) -> None:
        if self.context < 1:
            raise ValueError("a context has at least one token")
        number_of(self.prf)

    @property
    def scheme(self) -> str:
        return "selection"

    @property
    def law(self) -> Law:
        return Exponential()

    def with_key(self, key: MarkKey) -> SelectionMark:
        return replace(self, key=key)

    def choose(
        self,
        candidates: Sequence[Int64s | str],
        *,
        before: Int64s | str | None = None,
        rng: np.random.Generator,
    ) -> int:
        """Which candidate to send; of equal ones the first.

        Args:
            candidates: token ids, int64 [length] each, or texts, which are taken word by word
                (:func:`.segmenting.word_ids`). Detection must see the same of the two.
            before: what of the same reply is already written, where the candidates continue it;
                a window that it has is no new evidence and does not count.
            rng: decides for a candidate without a window of its own.

        Raises:
            ValueError: no candidate; tokens that are no integers [length] or are negative.
            TypeError: token ids beside texts.
        """
        if len(candidates) == 0:
            raise ValueError("there is no candidate")
        given = [*candidates] if before is None else [*candidates, before]
        if len({isinstance(text, str) for text in given}) > 1:
            raise TypeError("candidates are token ids or texts, not some of both")
        ids = [_ids(text) for text in candidates]
        written = np.empty(0, np.int64) if before is None else _ids(before)
        places: dict[bytes, list[int]] = {}
        for place, tokens in enumerate(ids):
            places.setdefault(tokens.tobytes(), []).append(place)
        firsts = [members[0] for members in places.values()]
        log10_p = self._own_log10_p([ids[first] for first in firsts], written, rng)
        # a race of exponential clocks, which text i wins in proportion to how often it came
        small = 10.0 ** np.maximum(log10_p, -15.0)
        with np.errstate(divide="ignore"):
            clock = np.where(log10_p < -15.0, log10_p * _LN10, np.log(-np.log1p(-small)))
        often = np.log([len(members) for members in places.values()])
        return firsts[int(np.argmin(clock - often))]

    def scores(self, contexts: Int64s, tokens: Int64s) -> Floats:
        """-ln(1 - u) of each window."""
        return gumbel_scores(self.prf, self.key.value, contexts, tokens)

    def totals(self, contexts: Int64s, tokens: Int64s, keys: UInt64s) -> Floats:
        return gumbel_totals(self.prf, keys, contexts, tokens)

    def carries(self, contexts: Int64s) -> Bools:
        return np.ones(len(contexts), np.bool_)

    def _own_log10_p(self, texts: list[Int64s], before: Int64s, rng: np.random.Generator) -> Floats:
        """log10 p of each distinct text by the windows that no other has: independent, uniform."""
        rows, owners = [], []
        for place, text in enumerate(texts):
            whole = np.concatenate([before, text])
            at = counted(whole, self.context, once="pair")
            at = at[at >= len(before)]
            rows.append(np.column_stack([contexts_of(whole, self.context, at), whole[at]]))
            owners.append(np.full(len(at), place))
        windows, owner = np.concatenate(rows), np.concatenate(owners)
        _, kind, shared = np.unique(windows, axis=0, return_inverse=True, return_counts=True)
        own = shared[kind.ravel()] == 1
        windows, owner = windows[own], owner[own]
        scores = self.scores(windows[:, :-1], windows[:, -1])
        totals = np.bincount(owner, scores, len(texts))
        scored = np.bincount(owner, minlength=len(texts))
        drawn: Floats = np.log10(1 - rng.random(len(texts)))
        return np.where(scored > 0, self.law.log10_p(totals, scored), drawn)


def _ids(text: Int64s | str) -> Int64s:
    if isinstance(text, str):
        return word_ids(text)
    tokens = np.asarray(text)
    if tokens.ndim != 1 or (tokens.size and tokens.dtype.kind not in "iu"):
        raise ValueError(f"tokens are integers [length], not {tokens.dtype} {tokens.shape}")
    if tokens.size and tokens.min() < 0:
        raise ValueError(f"the token {tokens.min()} is none")
    return tokens.astype(np.int64, copy=False)
