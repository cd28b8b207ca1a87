"""What a gateway counts, for Prometheus. No label holds anything that a client chose freely."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["Measures"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


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
