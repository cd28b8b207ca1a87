"""`stillwatch watch` as its users run it: statuses, signals, kills, growing logs, refusals."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stillwatch.sketches import SketchKey
from tests.campaigns.logs import Log
from tests.campaigns.watching.standin import answers, lines
from tests.cli.running import command, run
from tests.cli.test_scan_endings import disk as disk  # a fixture
from tests.cli.test_scan_endings import limited

TIDY = "\nstillwatch: interrupted; nothing half-written was left behind\n"
#: what lies in the state beside the files of the latest look
OWN = {"events", "findings.jsonl", "lock", "rejects.jsonl", "sketch.key", "state.sqlite",
       "waiting", "work"}  # fmt: skip
LATEST = {"accounts.parquet", "campaigns.json", "report.html"}


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days with a campaign."""
    log = Log(1)
    log.people(150)
    log.pool(20)
    return log.write(tmp_path_factory.mktemp("pool") / "log.jsonl")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    SketchKey(bytes(range(32))).write(tmp_path / "key")
    return tmp_path / "key"


def watch(source: Path, state: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return run("watch", "--source", source, "--state", state, "--once", *options)


@contextlib.contextmanager
def watching(source: Path, state: Path, *options: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A watch that does not end by itself."""
    process = subprocess.Popen(
        command("watch", "--source", source, "--state", state, *options),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"it ended without '{words}'")


def test_a_campaign_is_found_and_the_status_says_so(pool: Path, tmp_path: Path) -> None:
    ended = watch(pool, tmp_path / "state", "--every", "1d", "--quiet")
    assert ended.returncode == 3
    found = lines(tmp_path / "state")
    assert found[0]["event"] == "new"
    assert found[0]["at"] in ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
    assert sum(name.startswith("pool-") for name in found[-1]["accounts"]) >= 15
    assert not any(name.startswith("person-") for each in found for name in each["accounts"])
    assert ended.stdout == f"{len(found)} findings: {tmp_path / 'state' / 'findings.jsonl'}\n"
    names = {path.name for path in (tmp_path / "state").iterdir()}
    assert names == OWN | LATEST
    assert all(not path.stat().st_mode & 0o077 for path in (tmp_path / "state").iterdir())


@pytest.mark.slow
def test_a_quiet_log_gives_no_findings_and_status_0(tmp_path: Path) -> None:
    log = Log(21)
    log.people(30)
    path = log.write(tmp_path / "log.parquet")
    ended = watch(path, tmp_path / "state", "--every", "1d", "--pseudonymous")
    assert (ended.returncode, lines(tmp_path / "state")) == (0, [])
    assert "look 2026-01-02 00:00 UTC: " in ended.stderr
    assert b"person-" not in (tmp_path / "state" / "state.sqlite").read_bytes()


@pytest.mark.slow
def test_the_last_look_finds_what_a_scan_finds(pool: Path, tmp_path: Path, key: Path) -> None:
    watch(pool, tmp_path / "state", "--every", "1d", "--key-file", key)
    run("scan", pool, "--out", tmp_path / "out", "--key-file", key, "--quiet")
    watched, scanned = (
        json.loads((tmp_path / where / "campaigns.json").read_text()) for where in ("state", "out")
    )
    assert watched["source"] == scanned["source"]
    for each in watched["campaigns"] + scanned["campaigns"]:
        del each["id"]
    assert watched["campaigns"] == scanned["campaigns"]


@pytest.mark.slow
def test_killed_at_random_moments_it_says_what_an_uninterrupted_watch_says(
    pool: Path, tmp_path: Path, key: Path
) -> None:
    """kill -9, with the real detections; another test goes step by step, with a stand-in."""
    options = ("--every", "12h", "--key-file", key)
    began = time.monotonic()
    assert watch(pool, tmp_path / "whole", *options).returncode == 3
    took = time.monotonic() - began
    rng = random.Random(1)
    for _ in range(3):
        with watching(pool, tmp_path / "state", *options, "--once") as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=rng.uniform(0.3, 0.7) * took)
            process.kill()
    assert watch(pool, tmp_path / "state", *options).returncode == 3
    whole, again = answers(tmp_path / "whole"), answers(tmp_path / "state")
    for part, said in whole.items():
        assert again[part] == said, part


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_watch_that_is_asked_to_stop_ends_with_130(
    pool: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    with watching(pool, tmp_path / "state", "--every", "12h") as process:
        until(process, "look 2026-01-01 12:00 UTC")
        process.send_signal(ending)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert ("\n" + said).endswith(TIDY)
    assert watch(pool, tmp_path / "state", "--every", "12h").returncode == 3


@pytest.mark.slow
def test_what_is_appended_to_a_log_and_put_into_a_folder_is_read_while_it_runs(
    pool: Path, tmp_path: Path
) -> None:
    rows = pool.read_text("utf-8").splitlines(keepends=True)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_text("".join(rows[:300]) + rows[300][:40])
    with watching(folder, tmp_path / "state", "--every", "1d") as process:
        until(process, "look 2026-01-02 00:00 UTC: 300 new of 300 exchanges")
        with (folder / "a.jsonl").open("a") as file:
            file.write(rows[300][40:] + "".join(rows[301:500]))
        until(process, "200 new of 500 exchanges")
        (folder / "b.part").write_text("".join(rows[500:]))
        (folder / "b.part").rename(folder / "b.jsonl")
        until(process, f"new of {len(rows):,} exchanges")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    said = answers(tmp_path / "state")
    assert len(said["exchanges"]) == len(rows) == len(set(said["exchanges"]))
    assert said["rejects.jsonl"] == b""


@pytest.mark.slow
def test_a_second_watch_with_the_same_state_is_refused(pool: Path, tmp_path: Path) -> None:
    with watching(pool, tmp_path / "state", "--every", "1d") as process:
        until(process, "look ")
        ended = watch(pool, tmp_path / "state")
        assert ended.returncode == 2
        assert "another process watches with this state" in ended.stderr
        assert ended.stderr.endswith("[SW302]\n")


def test_a_duration_has_a_unit(pool: Path, tmp_path: Path) -> None:
    ended = watch(pool, tmp_path / "state", "--every", "1.5h")
    assert ended.returncode == 2
    assert "is no duration such as 90s, 5m, 1h or 14d" in ended.stderr


@pytest.mark.slow
def test_a_file_that_may_not_grow_is_named_and_more_room_is_all_that_is_needed(
    pool: Path, tmp_path: Path, key: Path
) -> None:
    options = ("--every", "1d", "--key-file", key)
    watch(pool, tmp_path / "whole", *options)
    for kilobytes in (60, 400):
        ended = run(
            "watch", "--source", pool, "--state", tmp_path / "state", "--once", *options,
            preexec_fn=limited(kilobytes),
        )  # fmt: skip
        assert ended.returncode == 1, ended.stderr
        assert ended.stderr.endswith("[SW300]\n")
    assert watch(pool, tmp_path / "state", *options).returncode == 3
    assert answers(tmp_path / "state") == answers(tmp_path / "whole")


@pytest.mark.service
def test_a_full_disk_is_named_and_more_room_is_all_that_is_needed_to_go_on(
    pool: Path,
    tmp_path: Path,
    key: Path,
    disk: Callable[[int], Path],
) -> None:
    options = ("--every", "1d", "--key-file", key)
    watch(pool, tmp_path / "whole", *options)
    for kilobytes in (300, 900):
        ended = watch(pool, disk(kilobytes) / "state", *options)
        assert ended.returncode == 1, ended.stderr
        assert "the disk is full" in ended.stderr
        assert ended.stderr.endswith("[SW300]\n")
    state = disk(60_000) / "state"
    assert watch(pool, state, *options).returncode == 3
    assert answers(state) == answers(tmp_path / "whole")
