"""Stores of collections to test on: SQLite always, PostgreSQL as a service."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillwatch.intel.store import Collection, Store, open_store
from tests.access.conftest import DAY, NOW, Clock, clock, server, state

__all__ = ["ACME", "DAY", "NOW", "OTHER", "Clock", "clock", "indicator", "server", "state"]

ACME, OTHER = "acme", "other"


def indicator(number: int, modified: int = 0, **fields: Any) -> dict[str, Any]:
    """An indicator of a number, in a version of so many seconds into its day."""
    at = f"2026-01-01T{modified // 3600:02}:{modified // 60 % 60:02}:{modified % 60:02}.000Z"
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.UUID(int=number)}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": at,
        "pattern": f"[x-stillwatch-digest:payment = '{number:032x}']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00.000Z",
    } | fields


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds nothing: to make one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("intel") / "state"
    open_store(folder, create=True).close()
    return folder


@pytest.fixture
def store(state: str, empty: Path, clock: Clock) -> Iterator[Store]:
    if "://" not in state:
        shutil.copytree(empty, state)
    with open_store(state, create=True, clock=clock) as opened:
        yield opened


@pytest.fixture
def indicators(store: Store) -> Collection:
    """A collection that two members use."""
    made = store.collections.add("indicators", keep=30 * DAY)
    for each in (ACME, OTHER):
        store.members.add(each)
        store.members.allow(each, "indicators", read=True, write=True)
    return made
