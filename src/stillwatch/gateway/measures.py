"""What a gateway counts, for Prometheus. No label holds anything that a client chose freely."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

__all__ = ["CommitLag", "Durations", "Measures", "Tally"]


class CommitLag(Collector):
    """Seconds until exchanges were on the disk, as a histogram of exchanges, not of commits.

    Exchanges are committed many at a time. prometheus-client's own histogram would take them one
    by one, which costs more than the commit is worth.
    """

    BOUNDS = (
        0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10, 30,
    )  # fmt: skip

    def __init__(self) -> None:
        self._counts = [0] * (len(self.BOUNDS) + 1)
        self._sum = 0.0

    def observe(self, exchanges: int, lag: float) -> None:
        """So many exchanges are on the disk; the first of them waited `lag` seconds for it."""
        self._counts[bisect_left(self.BOUNDS, lag)] += exchanges
        self._sum += exchanges * lag

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What Prometheus reads; the count is that of all exchanges that are on the disk."""
        family = HistogramMetricFamily(
            "stillwatch_commit_lag_seconds",
            "From the end of a request until its exchange was on the disk, at most",
        )
        family.add_metric([], _buckets(self.BOUNDS, self._counts), sum_value=self._sum)
        yield family


class Tally(Collector):
    """A counter with labels. Counting is one entry of a dictionary: prometheus-client's own counter
    costs more than finding the key of a request."""

    def __init__(self, name: str, documentation: str, *labels: str) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._counts: dict[tuple[str, ...], float] = {}

    def count(self, *labels: str, by: float = 1) -> None:
        """Add `by` to the count of these labels."""
        counts = self._counts
        counts[labels] = counts.get(labels, 0) + by

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What Prometheus reads."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, value in self._counts.items():
            family.add_metric(labels, value)
        yield family


class Durations(Collector):
    """Seconds by route, as a histogram."""

    BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

    def __init__(self, name: str, documentation: str) -> None:
        self._name, self._documentation = name, documentation
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, route: str, seconds: float) -> None:
        """One request took so long."""
        counts = self._counts.get(route)
        if counts is None:
            counts = self._counts[route] = [0] * (len(self.BOUNDS) + 1)
            self._sums[route] = 0.0
        counts[bisect_left(self.BOUNDS, seconds)] += 1
        self._sums[route] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What Prometheus reads."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=["route"])
        for route, counts in self._counts.items():
            family.add_metric([route], _buckets(self.BOUNDS, counts), self._sums[route])
        yield family


class Measures:
    """The metrics of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Tally(
            "stillwatch_requests", "Requests by route and HTTP status", "route", "status"
        )
        self.refusals = Tally("stillwatch_refusals", "Refusals by their code", "code")
        self.rules = Tally(
            "stillwatch_rule_matches",
            "Requests that a rule matched; shadow rules change nothing",
            "rule",
            "shadow",
        )
        self.returned = Tally(
            "stillwatch_reasoning_returned",
            "Requests with reasoning blocks, by what these tell about where they were issued",
            "replay",
        )
        self.tokens = Tally("stillwatch_tokens", "Tokens as the upstream counted them", "kind")
        self.upstream_errors = Tally(
            "stillwatch_upstream_errors", "Failures of a backend", "backend"
        )
        self.seconds = Durations(
            "stillwatch_request_seconds", "From the head of a request to its last byte"
        )
        self.commit_lag = CommitLag()
        #: requests that are being served
        self.in_flight = 0
        for each in (
            self.requests, self.refusals, self.rules, self.returned, self.tokens,
            self.upstream_errors, self.seconds, self.commit_lag,
        ):  # fmt: skip
            self.registry.register(each)
        Gauge(
            "stillwatch_in_flight", "Requests that are being served", registry=self.registry
        ).set_function(lambda: self.in_flight)


def _buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """The upper bound of each bucket, and how many are at or below it."""
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(names, accumulate(counts), strict=True))
