"""`stillwatch access replay` as its users run it: tables, files, statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stillwatch.cli.replay import FORMAT_NAMES
from tests.cli.in_process import run as run_here
from tests.cli.running import command

RULES = """\
rules:
  - {id: many, when: n > 2, deny: true, reason: r}
  - {id: tried, when: n == 2, slow: 1, shadow: true, reason: r}
  - {id: bots, when: ja4 == 'x' && n == 1, deny: true, reason: r}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    lines = [
        json.dumps({
            "at": f"2026-03-02T12:00:0{i}Z", "account": f"acct-{i}", "prompt": "hello",
            "model": "small", "n": n, "tenant_kind": "research" if n == 3 else None,
        })
        for i, n in enumerate((1, 2, 3))
    ]  # fmt: skip
    path.write_text("\n".join([*lines, "{}"]) + "\n")
    return path


def test_the_table_says_what_happens_to_whom_and_what_nobody_can_tell(
    rules: Path, log: Path
) -> None:
    ended = run_here("access", "replay", rules, "--log", log, "--quiet")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert lines[0].startswith("3 requests of 3 accounts, 2026-03-02T12:00:00Z to")
    assert "1 rows rejected" in lines[0]
    assert "1 33.33% refused" in lines
    many = "many deny 1 1 0 1 33.33% 2026-03-02 12:00 2026-03-02 12:00"
    assert many in lines
    assert "tried (slow 1) 1 0 0 1 33.33% 2026-03-02 12:00 2026-03-02 12:00" in lines
    assert "bots deny 0 0 1 0 0.00% - -" in lines
    assert "research 1 1 1 0 1 0 0" in lines
    assert "acct-2 research 1 0 1 0 0 many" in lines
    assert "acct-0 - 1 0 0 0 1 bots?" in lines
    assert "bots could not be judged: ja4 not in the log" in lines
    assert any(line.startswith("note: clients would have behaved differently") for line in lines)


def test_the_formats_are_those_of_scan() -> None:
    from stillwatch.campaigns.configured import FORMAT_NAMES as OF_SCAN

    assert set(FORMAT_NAMES) == set(OF_SCAN)


def test_json_is_the_report_as_one_object(rules: Path, log: Path) -> None:
    ended = run_here("access", "replay", rules, "--log", log, "--json", "-q")
    report = json.loads(ended.stdout)
    assert report["format"] == "stillwatch.replay/1"
    assert report["log"]["from"] == "2026-03-02T12:00:00Z"
    assert report["outcomes"] == {
        "served": 1, "changed": 0, "refused": 1, "limited": 0, "unjudged": 1
    }  # fmt: skip


def test_files_are_made_whole_or_not_at_all(tmp_path: Path, rules: Path, log: Path) -> None:
    out = tmp_path / "out"
    arguments = ("access", "replay", rules, "--log", log, "--out", out, "-q")
    assert run_here(*arguments).returncode == 0
    assert {path.name for path in out.iterdir()} == {
        "replay.json", "accounts.parquet", "rejects.jsonl"
    }  # fmt: skip
    assert json.loads((out / "replay.json").read_text())["log"]["rejected"] == 1
    (refused, _) = pq.read_table(out / "accounts.parquet").to_pylist()
    assert (refused["account"], refused["refused"], refused["rules"]) == ("acct-0", 0, [])
    assert json.loads((out / "rejects.jsonl").read_text())["line"] == 4
    again = run_here(*arguments)
    assert again.returncode != 0
    assert "not empty" in again.stderr
    assert run_here(*arguments, "--force").returncode == 0


def test_against_shows_only_what_changes(tmp_path: Path, rules: Path, log: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(RULES.replace("n > 2", "n > 1"))
    ended = run_here("access", "replay", new, "--log", log, "--against", rules, "-q")
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert "2 66.67% come out as before" in lines
    assert "1 33.33% newly refused" in lines
    assert "acct-1 - 1 0 1 0 0 many" in lines
    assert not any(line.startswith("tried") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["absent.yaml", "--log", "LOG"], "absent.yaml"),
        (["RULES", "--log", "absent.jsonl"], "absent.jsonl"),
        (["RULES", "--log", "LOG", "--against", "LOG"], "log.jsonl"),
        (["RULES", "--log", "LOG", "--state", "nowhere"], "no store of keys"),
        (["RULES"], "--log"),
    ],
)
def test_what_cannot_be_read_is_named(
    rules: Path, log: Path, arguments: list[str], says: str
) -> None:
    named = {"RULES": str(rules), "LOG": str(log)}
    ended = run_here("access", "replay", *(named.get(each, each) for each in arguments), "-q")
    assert ended.returncode != 0
    assert says in ended.stderr


@pytest.mark.slow
def test_an_interruption_leaves_nothing_behind(tmp_path: Path, rules: Path) -> None:
    log, out, work = tmp_path / "log.jsonl", tmp_path / "out", tmp_path / "tmp"
    work.mkdir()
    line = '{"at": 1772452800, "account": "a", "prompt": "hello", "n": 1}\n'
    log.write_text(line * 400_000)
    arguments = command("access", "replay", rules, "--log", log, "--out", out)
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(work)},
    ) as process:  # fmt: skip
        limit = time.monotonic() + 60
        while not any(work.glob("stillwatch-*/rows.parquet")):
            assert time.monotonic() < limit
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert (list(work.iterdir()), out.exists()) == ([], False)
    assert not list(tmp_path.glob(".out*"))
