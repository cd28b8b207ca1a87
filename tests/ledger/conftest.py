"""Entries to record, and ledgers to record them in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stillwatch.ledger import Entry, Ledger


def verdict(number: int = 0) -> Entry:
    """A decision, different for each number."""
    return Entry(
        kind="verdict",
        at="2026-11-22T10:00:00Z",
        by="ana",
        body={"account": f"c1-{number:064x}", "case": f"case-{number}", "score": 0.25},
    )


def verdicts(end: int, start: int = 0) -> list[Entry]:
    return [verdict(number) for number in range(start, end)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty one, in the folder `state`."""
    with Ledger.open(tmp_path / "state", create=True) as new:
        yield new
