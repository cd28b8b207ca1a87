"""The corpus, divided: by period, between innocent accounts and campaigns, and among activities.

A text is in exactly one period, on one side, and goes to one activity, so that no prompt is sent by
two accounts by chance. Public sets are the exception: everybody may send them, in every period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import numpy as np

from stillwatch.errors import InputError
from stillwatch.lab.corpus import Corpus
from stillwatch.lab.traffic.request import Stock, digest
from stillwatch.lab.traffic.scenario import PERIODS

__all__ = ["Shelves", "Want"]

#: one text in so many is kept for campaigns
_FOR_CAMPAIGNS = 8
#: pools with at least this many groups are divided by group: dialogues and documents stay whole
_GROUPS = 200
#: texts that an activity gets at least: with three, joined parts give enough variety
_FEWEST = 3


class Want:
    """An activity's request for texts: pool → how many, some of them optional.

    `hidden`: for an account of a campaign. `rng`: the activity's own.
    """

    __slots__ = ("counts", "hidden", "optional", "rng")

    def __init__(
        self, counts: dict[str, int], optional: tuple[str, ...], hidden: bool, rng: Random
    ) -> None:
        self.counts = counts
        self.optional = optional
        self.hidden = hidden
        self.rng = rng


class Shelves:
    """Hands out the texts of one period. The same seed and wants give the same texts."""

    def __init__(self, corpus: Corpus, seed: int, period: int) -> None:
        self._corpus = corpus
        self._seed = seed
        self._period = period
        self._public: dict[str, Sequence[str]] = {}

    def public(self, name: str) -> Sequence[str]:
        """All texts of a public set, in the order of the corpus; a random order would hide it."""
        if name not in self._public:
            self._public[name] = [text.text for text in self._corpus.pool(name)]
        return self._public[name]

    def divide(self, wants: Sequence[Want]) -> list[dict[str, Stock]]:
        """Stocks for every want, in order. A pool that is too small is shared out in proportion.

        Raises:
            InputError: a pool cannot give three texts to each activity that needs it.
        """
        stocks: list[dict[str, Stock]] = [{} for _ in wants]
        for name in sorted({name for want in wants for name in want.counts}):
            for hidden, texts in enumerate(self._sides(name)):
                askers = [
                    i for i, w in enumerate(wants) if name in w.counts and w.hidden == bool(hidden)
                ]
                if len(texts) < _FEWEST * len(askers):
                    askers = self._neediest(name, texts, askers, wants)
                counts = [wants[i].counts[name] for i in askers]
                for i, part in zip(askers, _shares(texts, counts), strict=True):
                    stocks[i][name] = Stock(part, wants[i].rng)
        return stocks

    def _neediest(
        self, name: str, texts: list[str], askers: list[int], wants: Sequence[Want]
    ) -> list[int]:
        """As many of `askers` as there are texts for: all who need this pool, then some others."""
        needy = [i for i in askers if name not in wants[i].optional]
        room = len(texts) // _FEWEST - len(needy)
        if room < 0:
            raise InputError(
                f"the pool '{name}' holds {len(texts)} texts of this period for {len(needy)} "
                "accounts; simulate fewer accounts, or add texts with --prompts"
            )
        needed = set(needy)
        others = [i for i in askers if i not in needed]
        rng = np.random.default_rng([self._seed, self._period, digest(name), 1])
        return sorted(needy + rng.permutation(others)[:room].tolist())

    def _sides(self, name: str) -> tuple[list[str], list[str]]:
        """The texts of this period for innocent accounts, and those for campaigns."""
        pool = self._corpus.pool(name)
        whole = len(pool.groups()) >= _GROUPS
        units: dict[str, list[str]] = {}
        for text in pool:
            units.setdefault((whole and text.group) or text.text, []).append(text.text)
        sides: tuple[list[str], list[str]] = ([], [])
        names = list(units)
        rng = np.random.default_rng([self._seed, self._period, digest(name)])
        for at in rng.permutation(len(names)).tolist():
            mark = digest(names[at])
            if mark % PERIODS == self._period:
                sides[(mark >> 8) % _FOR_CAMPAIGNS == 0].extend(units[names[at]])
        return sides


def _shares(texts: list[str], counts: list[int]) -> Iterable[list[str]]:
    """Slices of `texts` in proportion to `counts`, none shorter than the fewest."""
    more = np.maximum(np.array(counts, dtype=np.float64) - _FEWEST, 0)
    spare = len(texts) - _FEWEST * len(counts)
    factor = min(1.0, spare / max(1.0, more.sum()))
    given = np.arange(1, len(counts) + 1) * _FEWEST
    start = 0
    for end in (np.floor(np.cumsum(more) * factor).astype(np.int64) + given).tolist():
        yield texts[start:end]
        start = end
