"""What a gateway counts, for Prometheus. No label holds anything that a client chose freely."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

__all__ = ["CommitLag", "Measures"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


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
        names = [*(str(float(bound)) for bound in self.BOUNDS), "+Inf"]
        family = HistogramMetricFamily(
            "stillwatch_commit_lag_seconds",
            "From the end of a request until its exchange was on the disk, at most",
        )
        buckets = list(zip(names, accumulate(self._counts), strict=True))
        family.add_metric([], buckets, sum_value=self._sum)
        yield family


class Measures:
    """The metrics of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "stillwatch_requests", "Requests by route and HTTP status", ["route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.refusals = Counter(
            "stillwatch_refusals", "Refusals by their code", ["code"], registry=self.registry
        )
        self.rules = Counter(
            "stillwatch_rule_matches", "Requests that a rule matched; shadow rules change nothing",
            ["rule", "shadow"], registry=self.registry,
        )  # fmt: skip
        self.returned = Counter(
            "stillwatch_reasoning_returned",
            "Requests with reasoning blocks, by what these tell about where they were issued",
            ["replay"], registry=self.registry,
        )  # fmt: skip
        self.tokens = Counter(
            "stillwatch_tokens", "Tokens as the upstream counted them", ["kind"],
            registry=self.registry,
        )  # fmt: skip
        self.in_flight = Gauge(
            "stillwatch_in_flight", "Requests that are being served", registry=self.registry
        )
        self.upstream_errors = Counter(
            "stillwatch_upstream_errors", "Failures of a backend", ["backend"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "stillwatch_request_seconds", "From the head of a request to its last byte",
            ["route"], buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.commit_lag = CommitLag()
        self.registry.register(self.commit_lag)
