"""`stillwatch watch --source STATE` as operators run it, while a gateway records."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import time
from datetime import date
from pathlib import Path

import pytest

from tests.campaigns.logs import Log
from tests.campaigns.watching.gateways import Recording
from tests.campaigns.watching.standin import KEY, answers
from tests.cli.running import run
from tests.cli.test_watch import until, watch, watching


@pytest.fixture(scope="module")
def log() -> Log:
    """Two days with a campaign."""
    log = Log(1)
    log.people(150)
    log.pool(20)
    log.rows.sort(key=lambda row: row.at)
    return log


@pytest.fixture
def gateway(tmp_path: Path, log: Log) -> Recording:
    return Recording(tmp_path / "gateway", {row.account for row in log.rows})


@pytest.mark.slow
def test_rows_are_read_as_they_are_recorded_and_rolled(
    gateway: Recording, log: Log, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    gateway.record(*log.rows[:300], at_once=50)
    with watching(gateway.path, state, "--every", "1d") as process:
        until(process, "look 2026-01-02 00:00 UTC: 300 new of 300 exchanges")
        gateway.record(*log.rows[300:500], at_once=50)
        until(process, "200 new of 500 exchanges")
        gateway.record(*log.rows[500:], at_once=200)
        gateway.store.roll(date(2026, 1, 2))
        until(process, f"new of {len(log.rows):,} exchanges")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 130
    assert len(answers(state)["exchanges"]) == len(log.rows)
    found = json.loads((state / "campaigns.json").read_text())["campaigns"]
    assert sum(name.startswith("pool-") for name in found[0]["accounts"]) >= 15


@pytest.mark.slow
def test_killed_at_random_moments_it_says_what_a_watch_over_the_log_says(
    gateway: Recording, log: Log, tmp_path: Path
) -> None:
    """kill -9, with the real detections; hot rows and rolled ones."""
    KEY.write(tmp_path / "key")
    options = ("--every", "12h", "--key-file", tmp_path / "key")
    written = log.write(tmp_path / "log.jsonl")
    began = time.monotonic()
    assert watch(written, tmp_path / "whole", *options).returncode == 3
    took = time.monotonic() - began
    gateway.record(*log.rows, at_once=100)
    gateway.store.roll(date(2026, 1, 2))
    rng = random.Random(1)
    for _ in range(3):
        with watching(gateway.path, tmp_path / "state", *options, "--once") as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=rng.uniform(0.3, 0.7) * took)
            process.kill()
    assert watch(gateway.path, tmp_path / "state", *options).returncode == 3
    whole, again = answers(tmp_path / "whole"), answers(tmp_path / "state")
    for part in ("findings.jsonl", "campaigns.json", "accounts.parquet", "exchanges", "days"):
        assert again[part] == whole[part], part


@pytest.mark.slow
def test_another_key_is_named_and_ends_with_2(gateway: Recording, log: Log, tmp_path: Path) -> None:
    gateway.record(*log.rows[:2])
    (tmp_path / "key").write_bytes(b"another key of thirty-two bytes!")
    (tmp_path / "key").chmod(0o600)
    ended = watch(gateway.path, tmp_path / "state", "--key-file", tmp_path / "key")
    assert ended.returncode == 2
    assert "their digests do not meet" in ended.stderr
    assert ended.stderr.endswith("[SW102]\n")
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
def test_a_scan_takes_the_folder_and_names_accounts(
    gateway: Recording, log: Log, tmp_path: Path
) -> None:
    gateway.record(*log.rows, at_once=500)
    ended = run("scan", gateway.path, "--out", tmp_path / "out", "--quiet")
    assert ended.returncode == 3
    found = json.loads((tmp_path / "out" / "campaigns.json").read_text())["campaigns"]
    assert sum(name.startswith("pool-") for name in found[0]["accounts"]) >= 15
