"""The corpus, divided: by period, between innocent accounts and campaigns, and among activities.

A text is in exactly one period, on one side, and goes to one activity, so that no prompt is sent by
two accounts by chance. Public sets are the exception: everybody may send them, in every period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from weakref import WeakKeyDictionary

import numpy as np

from stillwatch.errors import InputError
from stillwatch.lab.corpus import Corpus, Kind
from stillwatch.lab.traffic.problems import nouns, public_problems
from stillwatch.lab.traffic.request import Stock, digest
from stillwatch.lab.traffic.scenario import PERIODS

__all__ = ["Shelves", "Want"]

_Units = list[tuple[list[list[str]], list[list[str]]]]

#: one text in so many is kept for campaigns
_FOR_CAMPAIGNS = 8
#: pools with at least this many groups are divided by group: dialogues and documents stay whole
_GROUPS = 200
#: pool → one text in so many is public, the rest is private
_PUBLIC = {"humaneval": 1, "questions": 1, "gsm8k": 1, "maths": 3}
#: texts that an activity gets at least; small accounts join parts of these
_FEWEST = 2


class Want:
    """An activity's request for texts: pool → how many, some of them optional.

    `hidden`: for an account of a campaign. `rng`: the activity's own. `share`: wants of one number
    divide their side of a pool among themselves, those of another have all of it again.
    """

    __slots__ = ("counts", "hidden", "optional", "rng", "share")

    def __init__(
        self,
        counts: dict[str, int],
        optional: tuple[str, ...],
        hidden: bool,
        rng: Random,
        share: int = 0,
    ) -> None:
        self.counts = counts
        self.optional = optional
        self.hidden = hidden
        self.rng = rng
        self.share = share


class Shelves:
    """Hands out the texts of one period. The same seed and wants give the same texts."""

    def __init__(self, corpus: Corpus, seed: int, period: int) -> None:
        self._corpus = corpus
        self._seed = seed
        self._period = period
        self._public: dict[str, Sequence[str]] = {}

    def public(self, name: str) -> Sequence[str]:
        """A public set, in its own order: that is how sets are replayed.

        "problems" are the user's pool ``gsm8k``, or composed ones where there is none; "nouns" are
        words and no set; every other name is the public part of that pool.
        """
        if name not in self._public:
            self._public[name] = self._read_public(name)
        return self._public[name]

    def _read_public(self, name: str) -> Sequence[str]:
        if name == "nouns":
            return nouns(self._corpus)
        if name == "problems" and "gsm8k" not in self._corpus.names():
            return public_problems(self._corpus)
        name = {"problems": "gsm8k"}.get(name, name)
        texts = (text.text for text in self._corpus.pool(name))
        return [text for text in texts if _is_public(name, text)]

    def divide(self, wants: Sequence[Want]) -> list[dict[str, Stock]]:
        """Stocks for every want, in order. A pool that is too small is shared out in proportion.

        Raises:
            InputError: a pool cannot give two texts to each activity that needs it.
        """
        stocks: list[dict[str, Stock]] = [{} for _ in wants]
        for name in sorted({name for want in wants for name in want.counts}):
            if name not in self._corpus.names() and self._all_optional(name, wants):
                continue
            composed = self._corpus.pool(name).kind is Kind.COMPOSED
            for hidden, texts in enumerate(self._sides(name)):
                sharing: dict[int, list[int]] = {}
                for i, want in enumerate(wants):
                    if name in want.counts and want.hidden == bool(hidden):
                        sharing.setdefault(want.share, []).append(i)
                for askers in sharing.values():
                    if len(texts) < _FEWEST * len(askers):
                        askers = self._neediest(name, texts, askers, wants)
                    counts = [wants[i].counts[name] for i in askers]
                    for i, part in zip(askers, _shares(texts, counts), strict=True):
                        stocks[i][name] = Stock(part, wants[i].rng, composed)
        return stocks

    @staticmethod
    def _all_optional(name: str, wants: Sequence[Want]) -> bool:
        return all(name in want.optional for want in wants if name in want.counts)

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

    def _sides(self, name: str) -> list[list[str]]:
        """The texts of this period for innocent accounts, and those for campaigns."""
        sides = []
        rng = np.random.default_rng([self._seed, self._period, digest(name)])
        for units in _divided(self._corpus, name)[self._period]:
            order = rng.permutation(len(units)).tolist()
            sides.append([text for at in order for text in units[at]])
        return sides


#: corpus → pool → period → side → units; a unit is a text, or a group that stays whole
_DIVIDED: WeakKeyDictionary[Corpus, dict[str, _Units]] = WeakKeyDictionary()


def _divided(corpus: Corpus, name: str) -> _Units:
    known = _DIVIDED.setdefault(corpus, {})
    if name not in known:
        pool = corpus.pool(name)
        whole = len(pool.groups()) >= _GROUPS
        units: dict[str, list[str]] = {}
        for text in pool:
            if not _is_public(name, text.text):
                units.setdefault((whole and text.group) or text.text, []).append(text.text)
        division: _Units = [([], []) for _ in range(PERIODS)]
        for key, texts in units.items():
            mark = digest(key)
            division[mark % PERIODS][(mark >> 8) % _FOR_CAMPAIGNS == 0].append(texts)
        known[name] = division
    return known[name]


def _is_public(name: str, text: str) -> bool:
    return name in _PUBLIC and (digest(text) >> 4) % _PUBLIC[name] == 0


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
