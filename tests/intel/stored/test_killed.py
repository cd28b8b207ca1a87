"""kill -9 of a watch that looks for indicators: it says what one says that was left alone."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillwatch.intel.compared import ComparedKey
from stillwatch.intel.profile import Author, Detector, Tlp
from stillwatch.sketches import Sketcher
from tests.campaigns.logs import Log
from tests.campaigns.watching.gateways import Recording
from tests.campaigns.watching.standin import KEY as OWN
from tests.campaigns.watching.standin import answers
from tests.cli.test_watch import watch, watching
from tests.intel.received.conftest import KEY, A, hidden

CARDS = 4


@pytest.fixture
def log() -> Log:
    """Two days with a pool whose cards another provider knows."""
    log = Log(1)
    log.people(150)
    log.pool(12, payments=CARDS)
    log.rows.sort(key=lambda row: row.at)
    for row in log.rows:
        if row.payment is not None:
            row.payment = hidden(row.payment)
    return log


def told(log: Log, path: Path) -> Path:
    """A bundle of what A tells of the cards of the pool."""
    cards = sorted({row.payment for row in log.rows if row.account.startswith("pool-")} - {None})
    assert len(cards) == CARDS
    now = datetime.now(UTC) - timedelta(minutes=5)
    author = Author(A.identity, A.key, Tlp.AMBER)
    things = [
        author.digest(
            KEY.scheme, "payment", KEY.digest("payment", card), accounts="10-99", now=now,
            detector=Detector("d", "1"), valid_from=now, valid_until=now + timedelta(days=30),
        )
        for card in cards if card is not None
    ]  # fmt: skip
    bundle = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001"}
    path.write_text(json.dumps({**bundle, "objects": things}))
    return path


@pytest.mark.slow
def test_killed_at_random_moments_a_watch_of_a_gateway_says_what_a_watch_of_the_log_says(
    tmp_path: Path, log: Log
) -> None:
    OWN.write(tmp_path / "key")
    KEY.write(tmp_path / "forum.json")
    options = (
        "--every", "12h", "--key-file", tmp_path / "key", "--indicators",
        told(log, tmp_path / "told.json"), "--community", tmp_path / "forum.json",
    )  # fmt: skip
    written = log.write(tmp_path / "log.jsonl")
    began = time.monotonic()
    ended = watch(written, tmp_path / "whole", *options)
    assert ended.returncode in (0, 3), ended.stderr
    took = time.monotonic() - began
    gateway = Recording(tmp_path / "gateway", {row.account for row in log.rows})
    sketcher = Sketcher(OWN, compared=[ComparedKey(KEY)])
    for start in range(0, len(log.rows), 200):
        gateway.store.append(sketcher.sketch(log.rows[start : start + 200]))
    rng = random.Random(1)
    for _ in range(3):
        with watching(gateway.path, tmp_path / "state", *options, "--once") as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=rng.uniform(0.3, 0.7) * took)
            process.kill()
    ended = watch(gateway.path, tmp_path / "state", *options)
    assert ended.returncode in (0, 3), ended.stderr
    whole, again = answers(tmp_path / "whole"), answers(tmp_path / "state")
    for part in ("findings.jsonl", "campaigns.json", "accounts.parquet", "exchanges", "days"):
        assert again[part] == whole[part], part
    found = json.loads(whole["campaigns.json"])
    spoke = {
        each["detection"] for part in ("campaigns", "review") for campaign in found[part]
        for each in campaign["evidence"]
    }  # fmt: skip
    assert "indicators" in spoke
