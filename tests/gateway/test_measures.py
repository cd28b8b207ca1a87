"""The lag of commits is told of exchanges, however many a commit holds."""

from __future__ import annotations

import pytest

from stillwatch.gateway.measures import CommitLag, Measures


def told(measures: Measures, name: str, **labels: str) -> float | None:
    return measures.registry.get_sample_value(f"stillwatch_commit_lag_seconds_{name}", labels)


def test_each_exchange_of_a_commit_counts() -> None:
    measures = Measures()
    measures.commit_lag.observe(300, 0.045)
    measures.commit_lag.observe(1, 2.0)
    assert told(measures, "count") == 301
    assert told(measures, "sum") == pytest.approx(300 * 0.045 + 2.0)
    assert told(measures, "bucket", le="0.04") == 0
    assert told(measures, "bucket", le="0.05") == 300
    assert told(measures, "bucket", le="2.5") == 301


def test_a_bound_holds_its_own_value_and_nothing_is_lost_beyond_the_last() -> None:
    measures = Measures()
    measures.commit_lag.observe(2, CommitLag.BOUNDS[0])
    measures.commit_lag.observe(3, CommitLag.BOUNDS[-1] + 1)
    assert told(measures, "bucket", le=str(CommitLag.BOUNDS[0])) == 2
    assert told(measures, "bucket", le=str(float(CommitLag.BOUNDS[-1]))) == 2
    assert told(measures, "bucket", le="+Inf") == told(measures, "count") == 5
