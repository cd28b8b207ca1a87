"""When requests arrive: volumes, rhythms of a day, bursts, conversations.

Figures come from ``arrivals.toml``, which ``tools/derive_arrivals.py`` derived from production
traces: ServeGen (per-client rates, burstiness, shape of a day), Mooncake (turns of a conversation
and the pauses between them), Azure (tokens). Medians per kind are our assumption and stand with
the kinds. Times are microseconds since 1970, lengths are in the unit that their name says.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY", "HOUR", "SECOND", "Rhythm", "Span", "Turns", "Volume", "arrivals", "figures"]

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
_CELL = 15 * 60 * SECOND  # resolution of the intensity

Times = NDArray[np.int64]


class Span(NamedTuple):
    """A stretch of time, the end excluded."""

    start: int
    end: int

    @property
    def days(self) -> float:
        return (self.end - self.start) / DAY


class Rhythm(StrEnum):
    """How an account's load moves over a day."""

    HUMAN = "human"  #: the measured day, in the account's own time zone, seven days a week
    OFFICE = "office"  #: the same with a fifth of the load at the weekend
    MACHINE = "machine"  #: nearly flat
    NIGHT = "night"  #: evening to morning, as overnight jobs run


class Volume(NamedTuple):
    """Requests a day over the accounts of a kind: log-normal, cut at `cap`."""

    median: float
    log_sd: float
    cap: float

    def draw(self, rng: np.random.Generator, days: float) -> int:
        """Requests of one account in `days`, at least 1. Poisson around its own rate."""
        rate = min(self.cap, self.median * float(np.exp(rng.normal(0.0, self.log_sd))))
        return max(1, int(rng.poisson(rate * days)))


class Turns(NamedTuple):
    """Requests of one conversation, and the pause between two of them.

    With `median` None the length follows the Mooncake trace; otherwise it is log-normal (an
    agent's loop, which that trace does not hold). Pauses are log-normal, in seconds.
    """

    median: float | None = None
    log_sd: float = 0.8
    longest: int = 40
    pause: float = 131.0  # exp(4.875), Mooncake
    pause_log_sd: float = 0.979

    def lengths(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        if self.median is not None:
            drawn = np.exp(rng.normal(np.log(self.median), self.log_sd, count))
            return np.clip(drawn.round(), 1, self.longest).astype(np.int64)
        shares = np.array(figures()["mooncake"]["turns"])
        lengths = rng.choice(shares.size, count, p=shares / shares.sum()).astype(np.int64) + 1
        tail = lengths == shares.size
        lengths[tail] += rng.geometric(0.15, int(tail.sum()))
        return lengths.clip(1, self.longest)

    def pauses(self, rng: np.random.Generator, count: int) -> Times:
        seconds = np.exp(rng.normal(np.log(self.pause), self.pause_log_sd, count))
        return (np.clip(seconds, 0.4, 7_200) * SECOND).astype(np.int64)


@cache
def figures() -> dict[str, Any]:
    """The derived figures, as they stand in ``arrivals.toml``."""
    return tomllib.loads(files(__package__).joinpath("arrivals.toml").read_text("utf-8"))


def quantile(section: str, name: str, u: float) -> float:
    """The value at level `u` of a table of quantiles, linear between its levels."""
    return float(np.interp(u, figures()["levels"], figures()[section][name]))


def arrivals(
    rng: np.random.Generator, count: int, span: Span, rhythm: Rhythm, zone: float = 0.0
) -> Times:
    """`count` ascending times in `span`: a renewal process under a daily intensity.

    Gaps are Gamma or Weibull with a coefficient of variation from the ServeGen clients, in
    operational time; the inverse of the cumulated intensity turns that into time. `zone` is the
    account's offset from UTC in hours.
    """
    gaps = _gaps(rng, count)
    edges, cumulated = _intensity(rng, span, rhythm, zone)
    # turned by a random part of the circle: else long gaps would push load to the two ends
    circle = np.sort((np.cumsum(gaps) / gaps.sum() + rng.random()) % 1.0)
    times: Times = np.interp(circle * cumulated[-1], cumulated, edges).astype(np.int64)
    return times.clip(span.start, span.end - 1)


def _gaps(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    if rng.random() < figures()["servegen"]["weibull_share"]:
        shape = quantile("servegen", "weibull_shape", rng.random())
        return rng.weibull(shape, count) + 1e-9
    cv = quantile("servegen", "interarrival_cv", rng.random())
    return rng.gamma(1.0 / cv**2, cv**2, count) + 1e-9


def _intensity(
    rng: np.random.Generator, span: Span, rhythm: Rhythm, zone: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges of cells, and the intensity cumulated up to each."""
    edges = np.linspace(span.start, span.end, max(2, int((span.end - span.start) / _CELL) + 1))
    hours = ((edges[:-1] + edges[1:]) / 2 / HOUR) + zone
    of_day = hours % 24
    if rhythm is Rhythm.NIGHT:
        load = np.where((of_day >= 20) | (of_day < 8), 1.0, 0.03)
    else:
        shape, unit = _day()
        level = rng.uniform(0.55, 0.9) if rhythm is not Rhythm.MACHINE else rng.uniform(0.05, 0.3)
        amplitude = quantile("servegen", "daily_amplitude", level)
        late = rng.normal(0.0, 1.5)  # people differ in when their day is
        turned = np.interp((of_day - late) % 24, np.arange(25), shape)
        load = np.maximum(0.004, 1.0 + (turned - 1.0) * amplitude / unit)
    if rhythm is Rhythm.OFFICE:
        weekday = (np.floor(hours / 24).astype(np.int64) + 3) % 7  # day 0 of 1970 was a Thursday
        load = load * np.where(weekday >= 5, 0.2, 1.0)
    return edges, np.concatenate([[0.0], np.cumsum(load)])


@cache
def _day() -> tuple[NDArray[np.float64], float]:
    """The measured day over 24 hours (closed), and the amplitude of its first harmonic."""
    shape = np.array(figures()["servegen"]["daily_shape"])
    unit = float(abs(np.fft.rfft(shape)[1]) / 12)
    return np.append(shape, shape[0]), unit
