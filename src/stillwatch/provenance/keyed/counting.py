"""From answers to distinct contexts: what was taken in each, and how often.

A model that has a habit in a context has it each time; ten sightings of it say no more about the
key than one. Counted as ten they make any z-score large: tests show 20 % of false alarms and more
at a nominal 1 %. So a context counts once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.provenance.keyed.sightings import Reader
from stillwatch.provenance.registration import Looks, Statistic

__all__ = ["Contexts", "count"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Contexts:
    """Distinct contexts in which a choice counts, in the order in which they were settled.

    Attributes:
        names: kind and context of each.
        options: how many there were, int64 [n].
        tops: the options that make a hit where the key favours one of them: the most frequent one,
            or the two most frequent.
        sightings: of choices in all, of whatever context.
    """

    names: tuple[tuple[str, str], ...]
    options: Int64s
    tops: tuple[frozenset[int], ...]
    sightings: int

    def shares(self) -> npt.NDArray[np.float64]:
        """The probability of a hit in each, under the null."""
        sizes = np.array([len(top) for top in self.tops], np.float64)
        return sizes / self.options


def count(
    answers: Iterable[tuple[str, str]],
    reader: Reader,
    statistic: Statistic,
    *,
    looks: Looks = "one",
    least: int = 1,
    exclusions: Collection[str] = (),
) -> Contexts:
    """The contexts of prompts and answers; no key plays a part.

    ``keyed-majority`` looks at the option that was taken most often. ``keyed-rank`` looks at the
    two most frequent, where there are three options at least and two different ones were seen: a
    student of diluted text keeps its own habit, and takes the teacher's option next. Ties go to
    the option that comes first in the table, whatever the key says.

    Args:
        looks: with ``any``, a context is settled by its first `least` sightings, so that what is
            added later changes nothing that was bet on.
        least: sightings below which a context does not count.
        exclusions: kinds that do not count.

    Raises:
        ValueError: a reader that gives one kind of choice different numbers of options, or takes
            one that there is not.
    """
    taken: dict[tuple[str, str], Int64s] = {}
    settled: dict[tuple[str, str], None] = {}
    sizes: dict[str, int] = {}
    sightings = 0
    for prompt, answer in answers:
        for seen in reader.read(prompt, answer):
            if sizes.setdefault(seen.kind, seen.options) != seen.options or not (
                0 <= seen.taken < seen.options and seen.options > 1
            ):
                raise ValueError(f"the reader disagrees with itself about {seen.kind!r}")
            sightings += 1
            name = (seen.kind, seen.context)
            if seen.kind in exclusions or (looks == "any" and name in settled):
                continue
            counts = taken.setdefault(name, np.zeros(seen.options, np.int64))
            counts[seen.taken] += 1
            if counts.sum() >= least:
                settled.setdefault(name)
    return _ranked({name: taken[name] for name in settled}, statistic, sightings)


def _ranked(
    taken: Mapping[tuple[str, str], Int64s], statistic: Statistic, sightings: int
) -> Contexts:
    top = 2 if statistic == "keyed-rank" else 1
    kept = {
        name: counts for name, counts in taken.items()
        if top == 1 or (len(counts) > 2 and (counts > 0).sum() > 1)
    }  # fmt: skip
    return Contexts(
        tuple(kept),
        np.array([len(counts) for counts in kept.values()], np.int64),
        tuple(
            frozenset(np.argsort(-counts, kind="stable")[:top].tolist())
            for counts in kept.values()
        ),
        sightings,
    )  # fmt: skip
