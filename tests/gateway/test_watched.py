"""A watch and a scan read what a gateway records while it runs, and call accounts by name."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns import ScanOptions, scan
from stillwatch.campaigns.watching import Look, WatchOptions, look, watch
from stillwatch.events import EventStore
from tests.campaigns.watching.standin import find, lines
from tests.gateway.conftest import Client

Until = Callable[[Callable[[], object]], None]
HOUR = 3_600_000_000


def test_what_goes_through_a_gateway_is_watched_and_scanned_by_name(
    client: Client, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "find_campaigns", find)
    names = [f"crew-7-{number}" for number in range(3)]
    secrets = [client.key(account=name) for name in names]
    looks: list[Look] = []
    hours = itertools.count(2, 2)

    def followed() -> list[str]:
        """Watch as if hours had passed; the accounts that are reported. In two of them there is a
        look after the grace, whatever minute it is."""
        clock = time.time_ns() // 1000 + next(hours) * HOUR
        options = WatchOptions([client.state], tmp_path / "state", once=True)
        watch(options, clock=lambda: clock, seen=looks.append)
        return [name for line in lines(tmp_path / "state")[-1:] for name in line["accounts"]]

    def recorded(rows: int) -> None:
        with EventStore.open(client.state / "events", tidy=False) as store:
            until(lambda: store.rows() >= rows)

    with EventStore.open(client.state / "events", tidy=False) as store:
        before = store.rows()
    for secret in secrets[:2]:
        assert client.chat(secret).status == 200
    recorded(before + 2)
    assert followed() == []
    assert client.chat(secrets[2]).status == 200
    recorded(before + 3)
    assert followed() == names
    assert sum(each.fresh for each in looks) == looks[-1].rows >= before + 3

    scan(ScanOptions([client.state], tmp_path / "out"))
    accounts = pq.read_table(tmp_path / "out" / "accounts.parquet")["account"].to_pylist()
    assert {*names} <= {*accounts}
