"""A watch over what a gateway records says what a watch over the same log says, come what may."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.erasure import erase_account
from stillwatch.campaigns.watching import WatchOptions, watch
from stillwatch.errors import InputError, KeyFileError, SettingsError, StillwatchError
from stillwatch.events import EventStore
from stillwatch.exchange import RawExchange
from stillwatch.sketches import SketchKey
from tests.campaigns.watching.gateways import Recording
from tests.campaigns.watching.standin import DAY, KEY, answers, lines, row, run, write

pytestmark = pytest.mark.usefixtures("quick")

#: looks with something new, grown and withdrawn; late rows; days that leave the window
ROWS = [
    row(0.5, "person-1"), row(0.7, "person-2"),
    *[row(1.5 + n / 10, f"crew-1-{n}") for n in range(3)],
    row(13, "crew-1-9"), row(1.2, "late-1"), row(14, "person-1"),
    *[row(30 + n, f"crew-2-{n}") for n in range(4)],
    row(50, "crew-2-cleared"),
    *[row(24 * 15 + n, f"crew-3-{n}") for n in range(3)],
]  # fmt: skip
NAMES = {each.account for each in ROWS}
#: what must not depend on where exchanges came from
SAME = ("findings.jsonl", "campaigns.json", "accounts.parquet", "exchanges", "days")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a watch over the log says."""
    with pytest.MonkeyPatch.context() as patch:
        from stillwatch.campaigns.watching import look
        from tests.campaigns.watching.standin import find

        patch.setattr(look, "find_campaigns", find)
        folder = tmp_path_factory.mktemp("log")
        run(write(folder / "log.jsonl", *ROWS), folder / "state")
        return answers(folder / "state")


@pytest.fixture
def gateway(tmp_path: Path) -> Recording:
    return Recording(tmp_path / "gateway", NAMES)


def follow(gateway: Recording, **more: Any) -> list[Any]:
    return run(gateway.path, gateway.path.parent / "state", **{"key": None} | more)


def said(gateway: Recording) -> dict[str, Any]:
    return answers(gateway.path.parent / "state")


def agree(gateway: Recording, expected: dict[str, Any]) -> None:
    found = said(gateway)
    for part in SAME:
        assert found[part] == expected[part], part
    assert found["rejects.jsonl"] == b""


def test_what_is_hot_says_what_its_log_says(gateway: Recording, expected: dict[str, Any]) -> None:
    gateway.record(*ROWS, at_once=4)
    follow(gateway)
    agree(gateway, expected)
    assert len(expected["findings.jsonl"].splitlines()) >= 4


def test_the_store_may_be_named_in_place_of_the_folder_around_it(
    gateway: Recording, expected: dict[str, Any]
) -> None:
    gateway.record(*ROWS)
    run(gateway.events, gateway.path.parent / "state", key=None)
    agree(gateway, expected)


def test_what_is_rolled_says_the_same(gateway: Recording, expected: dict[str, Any]) -> None:
    gateway.record(*ROWS)
    gateway.store.roll()
    follow(gateway)
    agree(gateway, expected)


@pytest.mark.parametrize("roll", [None, 0, 1])
def test_rows_that_are_appended_and_rolled_between_runs_count_once(
    gateway: Recording, expected: dict[str, Any], roll: int | None
) -> None:
    """Before a run, after it, or never."""
    for start in range(0, len(ROWS), 3):
        gateway.record(*ROWS[start : start + 3])
        if roll == 0:
            gateway.store.roll()
        follow(gateway)
        if roll == 1:
            gateway.store.roll()
    agree(gateway, expected)
