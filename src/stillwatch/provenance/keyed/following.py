"""How closely distinct contexts follow one key: first places, second places, scores of shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from stillwatch.provenance.keyed.counting import Contexts
from stillwatch.provenance.keyed.shares import Scores
from stillwatch.provenance.registration import Statistic
from stillwatch.statistics import average, choice_e_values, choice_tail, scored_tails
from stillwatch.watermark.choices import KeyedMark

__all__ = ["Following", "following"]

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Following:
    """Choices under one key, in the order in which their contexts were settled.

    ``keyed-majority`` is about first places alone. ``keyed-rank`` is about both: a student of
    diluted text keeps its own habit, and takes the teacher's option next. Where the favourite is
    not first, it is any of the others under the null, so that second places are bets of their own.
    The better of the two p-values counts twice (Bonferroni); of the two e-values, the mean.
    ``keyed-shares`` is about how often each option was taken. Its scores are made for several
    dilutions, and the best p-value counts as often as there are (Bonferroni).

    Attributes:
        hits, shares: bool and float64 [n]: whether the favourite was taken most often, and the
            probability of that under the null.
        second_hits, second_shares: the same of the second place, [m] contexts where the favourite
            is not first and a second can be told.
        favourites: the key's option in each context, int64 [n].
        scored: the scores of all options, for each dilution (keyed-shares).
    """

    hits: Mask
    shares: Floats
    second_hits: Mask
    second_shares: Floats
    favourites: Int64s
    scored: tuple[Scores, ...] = ()

    @classmethod
    def of(cls, favourites: Int64s, contexts: Contexts, scored: Sequence[Scores] = ()) -> Self:
        """How contexts follow a key that has these options as its own, int64 [n]."""
        hits = favourites == contexts.firsts
        places = np.flatnonzero(~hits & (contexts.seconds >= 0))
        return cls(
            hits, 1 / contexts.options, (favourites == contexts.seconds)[places],
            1 / (contexts.options[places] - 1), favourites, tuple(scored),
        )  # fmt: skip

    def log10_p(self, statistic: Statistic) -> float:
        """Exact for ``keyed-majority``, a bound for the others; one look."""
        if statistic == "keyed-shares":
            tails = [
                float(scored_tails(each.of(self.favourites), each.values, each.options))
                for each in self.scored
            ]
            return min(0.0, min(tails) + float(np.log10(len(tails))))
        first = choice_tail(int(self.hits.sum()), self.shares)
        if statistic == "keyed-majority":
            return first
        second = choice_tail(int(self.second_hits.sum()), self.second_shares)
        return min(0.0, min(first, second) + float(np.log10(2)))

    def log10_e(self, statistic: Statistic) -> float:
        """The e-value after the last context; it may be read after any."""
        first = _last(self.hits, self.shares)
        if statistic == "keyed-majority":
            return first / float(np.log(10))
        both = np.array([first, _last(self.second_hits, self.second_shares)])
        return float(average(both)) / float(np.log(10))

    def height(self, statistic: Statistic) -> float:
        """To put keys in order: standard deviations above what is expected, where it is most."""
        if statistic == "keyed-shares":
            return max(each.height(self.favourites) for each in self.scored)
        first = _deviation(self.hits, self.shares)
        if statistic == "keyed-majority":
            return first
        return max(first, _deviation(self.second_hits, self.second_shares))


def following(mark: KeyedMark, contexts: Contexts, scored: Sequence[Scores] = ()) -> Following:
    """How these contexts follow the key of `mark`.

    Args:
        scored: of `contexts`, what ``keyed-shares`` goes by (:func:`.shares.scores`).
    """
    sizes = contexts.options.tolist()
    favourites = [
        mark.favourite(*name, size) for name, size in zip(contexts.names, sizes, strict=True)
    ]
    return Following.of(np.array(favourites, np.int64), contexts, scored)


def _last(hits: Mask, shares: Floats) -> float:
    return float(choice_e_values(hits, shares)[-1]) if len(hits) else 0.0


def _deviation(hits: Mask, shares: Floats) -> float:
    spread = float(np.sqrt((shares * (1 - shares)).sum()))
    return float(hits.sum() - shares.sum()) / spread if spread else 0.0
