"""An activity: what one account does of one kind, as times and conversations, before any text."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from stillwatch.lab.traffic.accounts import Account
from stillwatch.lab.traffic.arrivals import SECOND, Rhythm, Span, Turns, arrivals
from stillwatch.lab.traffic.kinds import Kind

__all__ = ["Activity", "Events", "converse", "repeat"]

Times = NDArray[np.int64]


class Events(msgspec.Struct):
    """Requests in the order of time.

    Attributes:
        times: microseconds since 1970.
        threads: number of the conversation of each request.
        retries: whether a request repeats the one before it, which failed.
    """

    times: Times
    threads: NDArray[np.int64]
    retries: NDArray[np.bool_]

    def lengths(self) -> dict[int, int]:
        """Conversation → requests that are no retries."""
        threads, counts = np.unique(self.threads[~self.retries], return_counts=True)
        return dict(zip(threads.tolist(), counts.tolist(), strict=True))


class Activity(msgspec.Struct):
    """Requests of one kind by one account.

    `path` names it in seeds. `campaign` is an index of the scenario's campaigns, -1 for innocent
    accounts; `attack` is False for the cover traffic of a campaign's account.
    """

    account: Account
    kind: Kind
    events: Events
    path: tuple[str | int, ...]
    group: int = 0
    campaign: int = -1
    attack: bool = False


def converse(
    rng: np.random.Generator,
    count: int,
    span: Span,
    rhythm: Rhythm,
    zone: float,
    turns: Turns | None,
) -> Events:
    """About `count` requests in `span`, in conversations where `turns` says so."""
    if turns is None:
        times = arrivals(rng, count, span, rhythm, zone)
        return Events(times, np.arange(count), np.zeros(count, bool))
    lengths = turns.lengths(rng, count)
    ends = np.cumsum(lengths)
    talks = int(np.searchsorted(ends, count)) + 1
    lengths = lengths[:talks].copy()
    lengths[-1] -= int(ends[talks - 1]) - count
    starts = arrivals(rng, talks, span, rhythm, zone)
    return spread_turns(rng, starts, lengths, span, turns)


def spread_turns(
    rng: np.random.Generator, starts: Times, lengths: NDArray[np.int64], span: Span, turns: Turns
) -> Events:
    """Conversations that begin at `starts`; what would come after the end of `span` is left out."""
    count = int(lengths.sum())
    first = np.cumsum(lengths) - lengths
    pauses = turns.pauses(rng, count)
    pauses[first] = 0
    elapsed = np.cumsum(pauses)
    times = np.repeat(starts - elapsed[first], lengths) + elapsed
    threads = np.repeat(np.arange(lengths.size), lengths)
    kept = np.flatnonzero(times < span.end)
    order = kept[np.argsort(times[kept], kind="stable")]
    return Events(times[order], threads[order], np.zeros(order.size, bool))


def repeat(rng: np.random.Generator, events: Events, rate: float) -> Events:
    """Let `rate` of the requests be retries of the one before, seconds after it."""
    count = events.times.size
    retries = rng.random(count) < rate
    retries[:1] = False
    if not retries.any():
        return events
    times = events.times.copy()
    at = np.flatnonzero(retries)
    pauses = (np.exp(rng.normal(1.5, 1.0, at.size)) * SECOND).astype(np.int64)
    for i, pause in zip(at.tolist(), pauses.tolist(), strict=True):
        times[i] = min(times[i], times[i - 1] + pause)
    return Events(times, events.threads, retries)
