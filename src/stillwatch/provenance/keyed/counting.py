"""From answers to distinct contexts: what was taken in each, and how often.

A model that has a habit in a context has it each time; ten sightings of it say no more about the
key than one. Counted as ten they make any z-score large: tests show 20 % of false alarms and more
at a nominal 1 %. So a context counts once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.provenance.registration import Looks
from stillwatch.watermark.choices import Reader

__all__ = ["Contexts", "count"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Contexts:
    """Distinct contexts in which a choice counts, in the order in which they were settled.

    Attributes:
        names: kind and context of each.
        options: how many there were, int64 [n].
        firsts: the option that was taken most often, int64 [n].
        seconds: the one next to it; -1 where only one was seen, or there are but two, int64 [n].
        counts: how often each option was taken, 0 beyond its options, int64 [n, most options].
        sightings: of choices in all, of whatever context.
    """

    names: tuple[tuple[str, str], ...]
    options: Int64s
    firsts: Int64s
    seconds: Int64s
    counts: Int64s
    sightings: int


def count(
    answers: Iterable[tuple[str, str]],
    reader: Reader,
    *,
    looks: Looks = "one",
    least: int = 1,
    exclusions: Collection[str] = (),
) -> Contexts:
    """The contexts of prompts and answers; no key plays a part.

    Ties go to the option that comes first in the table, whatever a key says.

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
            seen_here = taken.setdefault(name, np.zeros(seen.options, np.int64))
            seen_here[seen.taken] += 1
            if seen_here.sum() >= least:
                settled.setdefault(name)
    kept = [taken[name] for name in settled]
    counts = np.zeros((len(kept), max(map(len, kept), default=0)), np.int64)
    for row, each in zip(counts, kept, strict=True):
        row[: len(each)] = each
    return Contexts(
        tuple(settled),
        np.array([len(each) for each in kept], np.int64),
        np.array([_placed(each, 0) for each in kept], np.int64),
        np.array([
            _placed(each, 1) if len(each) > 2 and (each > 0).sum() > 1 else -1
            for each in kept
        ], np.int64),
        counts,
        sightings,
    )  # fmt: skip


def _placed(counts: Int64s, place: int) -> int:
    return int(np.argsort(-counts, kind="stable")[place])
