"""Which tokens a mark prefers after which, guessed without its key.

Pan et al. (Can LLM watermarks robustly prevent unauthorized knowledge distillation?, ACL 2025,
arXiv:2502.11598): short prefixes that the data has often are where a student inherits a mark, and
there what it inherited shows in the difference between it and the model it was made from. From the
data alone the same is seen by counting, against a model of unmarked text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from stillwatch.lab.attacks.attack import Floats, Int64s
from stillwatch.lab.attacks.bigrams import Bigrams
from stillwatch.statistics import fisher_tail

__all__ = ["RARE", "Preferences", "Student"]

#: the share of the data below which a prefix is passed over; Pan et al.
RARE: Final = 5e-5
#: how little a rare prefix weighs beside the most frequent; Pan et al.
_FADING: Final = 0.3
#: tokens of a prefix that are looked at, the likeliest; Pan et al.
_MOST: Final = 50
_LEAST_CHANCE: Final = 1e-9
_NONE: Final = (np.empty(0, np.int64), np.empty(0, np.float64))

Prefix = tuple[int, ...]


class Student(Protocol):
    """A model whose probabilities can be read."""

    @property
    def vocabulary(self) -> int: ...

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[npt.NDArray[np.float32]]:
        """For each text, float32 [length, vocabulary]: row j is of what follows its tokens to j."""
        ...


class Preferences:
    """For some prefixes, how much some tokens are preferred: what to take off their logits.

    Args:
        tables: prefix → tokens, ascending, and their values; prefixes of any lengths.
    """

    def __init__(self, tables: Mapping[Prefix, tuple[Int64s, Floats]]) -> None:
        self._tables = dict(tables)
        self._windows: dict[Prefix, float] | None = None
        self.widths = tuple(sorted({len(prefix) for prefix in self._tables}))

    def __len__(self) -> int:
        return len(self._tables)

    def after(self, prefix: Prefix) -> tuple[Int64s, Floats]:
        """The tokens that are known after a prefix, and their values."""
        return self._tables.get(prefix, _NONE)

    def values(self, before: Int64s, tokens: Int64s) -> Floats:
        """How much each of some tokens is preferred after a text, summed over prefixes of it."""
        out = np.zeros(len(tokens))
        for width in self.widths:
            if width > len(before):
                continue
            known, values = self.after(tuple(before[len(before) - width :].tolist()))
            if len(known):
                places = np.minimum(np.searchsorted(known, tokens), len(known) - 1)
                out += np.where(known[places] == tokens, values[places], 0.0)
        return out

    def value(self, before: Sequence[int], token: int) -> float:
        """The same of one token; quick where each has other tokens before it."""
        if self._windows is None:
            self._windows = {
                (*prefix, known): value
                for prefix, (tokens, values) in self._tables.items()
                for known, value in zip(tokens.tolist(), values.tolist(), strict=True)
            }
        return sum(
            self._windows.get((*before[len(before) - width :], token), 0.0)
            for width in self.widths
            if width <= len(before)
        )

    @classmethod
    def counted(
        cls,
        marked: Sequence[Int64s],
        clean: Bigrams,
        *,
        width: int = 1,
        level: float = 0.05,
        rare: float = RARE,
    ) -> Preferences:
        """From the data: what follows a prefix more often than unmarked text would have it.

        A token counts where Fisher's exact test of its share after the prefix against that in the
        unmarked text says at most `level`; its value is the logarithm of the ratio, one observation
        added to both.

        Args:
            marked: the data that carries the mark.
            clean: of unmarked text; knows the last token of a prefix only, and is not trusted
                where it has seen little.
            width: tokens of a prefix.
            level: for each pair apart, uncorrected: a wrong guess costs the attacker little.
            rare: the share of the data below which a prefix is passed over.

        Raises:
            ValueError: a width below 1.
        """
        if width < 1:
            raise ValueError("a prefix has a token at least")
        tables: dict[Prefix, tuple[Int64s, Floats]] = {}
        for prefix, tokens, times in _followers(marked, width, rare):
            total, (others, of) = times.sum(), clean.counts(prefix[-1], tokens)
            usual = total * clean.chances(prefix[-1], tokens)
            kept = fisher_tail(times, total, others, of) <= math.log10(level)
            if kept.any():
                tables[prefix] = tokens[kept], np.log((times[kept] + 1) / (usual[kept] + 1))
        return cls(tables)

    @classmethod
    def compared(
        cls,
        before: Student,
        after: Student,
        texts: Sequence[Int64s],
        *,
        widths: Sequence[int] = (1, 2),
        rare: float = RARE,
        capped: bool = False,
    ) -> Preferences:
        """From a student before and after its training: how its answer to short prefixes moved.

        Args:
            before, after: read over the same texts, their probabilities averaged for each prefix.
            texts: the data, or what else has its prefixes.
            widths: lengths of prefixes; the values of all add up.
            rare: the share of the texts below which a prefix is passed over.
            capped: as Pan et al. have it: only what rose counts, with half of its ratio, at most 1,
                fading for rarer prefixes. Otherwise the logarithm of the ratio, either sign.

        Holds 16 bytes × vocabulary for each prefix that is not rare.

        Raises:
            ValueError: the two have different vocabularies.
        """
        if before.vocabulary != after.vocabulary:
            raise ValueError("the students have different vocabularies")
        sums = _averaged(before, after, texts, widths, rare)
        total = sum(len(text) for text in texts)
        commonest = max((count for count, _, _ in sums.values()), default=1) / max(total, 1)
        tables: dict[Prefix, tuple[Int64s, Floats]] = {}
        for prefix, (count, was, now) in sums.items():
            tokens = np.sort(np.argsort(-now, kind="stable")[:_MOST])
            ratios = (now[tokens] / count + _LEAST_CHANCE) / (was[tokens] / count + _LEAST_CHANCE)
            if capped:
                rose = ratios > 1
                values = _weight(count / total, commonest) * 0.5 * np.minimum(ratios[rose], 2.0)
                tables[prefix] = tokens[rose], values
            else:
                tables[prefix] = tokens, np.log(ratios)
        return cls(tables)


def _weight(share: float, commonest: float) -> float:
    """1 for the commonest prefix, less for rarer ones."""
    if share >= 1 or commonest >= 1:
        return 1.0
    return float((math.log(share) / math.log(commonest)) ** -_FADING)


def _followers(
    texts: Iterable[Int64s], width: int, rare: float
) -> Iterator[tuple[Prefix, Int64s, Int64s]]:
    """Each prefix that is not rare, the tokens after it, ascending, and how often each came."""
    windows = np.concatenate(
        [np.empty((0, width + 1), np.int64)]
        + [np.lib.stride_tricks.sliding_window_view(t, width + 1) for t in texts if len(t) > width]
    )
    found, times = np.unique(windows, axis=0, return_counts=True)
    changes = (found[1:, :-1] != found[:-1, :-1]).any(axis=1)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(found)]]).astype(np.int64)
    for start, end in pairwise(starts.tolist()):
        if end > start and times[start:end].sum() >= max(rare * len(windows), 2):
            yield tuple(found[start, :-1].tolist()), found[start:end, -1], times[start:end]


def _averaged(
    before: Student, after: Student, texts: Sequence[Int64s], widths: Sequence[int], rare: float
) -> dict[Prefix, tuple[int, Floats, Floats]]:
    """For each prefix that is not rare: how often, and the sums of both students' probabilities."""
    total = sum(len(text) for text in texts)
    often = {
        prefix
        for width in widths
        for prefix, count in _prefixes(texts, width).items()
        if count >= max(rare * total, 2)
    }
    sums: dict[Prefix, tuple[int, Floats, Floats]] = {}
    rows = zip(texts, before.probabilities(texts), after.probabilities(texts), strict=True)
    for text, was, now in rows:
        said = text.tolist()
        for width in widths:
            for end in range(width, len(said) + 1):
                prefix = tuple(said[end - width : end])
                if prefix not in often:
                    continue
                if prefix not in sums:
                    sums[prefix] = 0, np.zeros(before.vocabulary), np.zeros(before.vocabulary)
                count, first, second = sums[prefix]
                first += was[end - 1]
                second += now[end - 1]
                sums[prefix] = count + 1, first, second
    return sums


def _prefixes(texts: Sequence[Int64s], width: int) -> dict[Prefix, int]:
    windows = [
        np.lib.stride_tricks.sliding_window_view(text, width)
        for text in texts
        if len(text) >= width
    ]
    if not windows:
        return {}
    found, times = np.unique(np.concatenate(windows), axis=0, return_counts=True)
    return dict(zip(map(tuple, found.tolist()), times.tolist(), strict=True))
