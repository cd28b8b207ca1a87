"""Two providers, as docs/intel.md tells it: found, told, found there, blocked, taken back."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.enforcement import ActionStore
from tests.cli.in_process import run

PLACEHOLDERS = {
    "case-5f2a11c09d3e": "case of a",
    "case-0b0b0b0b0b0b": "case of b",
    "identity--00000000-0000-5000-8000-00000000000a": "identity of a",
    "identity--00000000-0000-5000-8000-00000000000b": "identity of b",
    "a" * 64: "key of a",
    "b" * 64: "key of b",
}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[list[str]]:
    lines = [
        line
        for block in blocks(page, "console")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return [shlex.split(line[2:]) for line in lines if line.startswith("$ ")]


def slowed(state: str) -> set[str]:
    database = open_database(state)
    try:
        return {each.subject for each in ActionStore(database).in_force() if each.kind == "slow"}
    finally:
        database.close()


def accounts(folder: str) -> set[str]:
    """Everybody whom a scan names, promised or for review."""
    found: dict[str, Any] = json.loads(Path(folder, "campaigns.json").read_text("utf-8"))
    return {name for part in ("campaigns", "review") for c in found[part] for name in c["accounts"]}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[[list[str]], str]]:
    """Starts a server as the page does, on a free port; gives the port."""
    running: list[subprocess.Popen[str]] = []

    def start(words: list[str]) -> str:
        words = ["0" if word == "8082" else word for word in words]
        process = subprocess.Popen(
            [sys.executable, "-m", "stillwatch", *words], stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                return found[1]
        raise AssertionError("the server did not start")

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.slow
def test_two_providers_find_tell_block_and_take_back_as_the_page_tells_it(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch,
    serving: Callable[[list[str]], str],
) -> None:  # fmt: skip
    import pyarrow.parquet as pq

    monkeypatch.chdir(tmp_path)
    page = (project / "docs" / "intel.md").read_text()
    for name, text in zip(("sharing.yaml", "b.yaml"), blocks(page, "yaml"), strict=True):
        (tmp_path / name).write_text(text)
    known: dict[str, str] = {}
    blocked: list[set[str]] = []
    for words in commands(page):
        said = [known.get(PLACEHOLDERS.get(word, ""), word) for word in words[1:]]
        said = [word.replace(":8082/", f":{known.get('port')}/") for word in said]
        if words[2] == "serve":
            known["port"] = serving(said)
            continue
        ended = run(*said)
        assert ended.returncode in ((0, 3) if words[1] == "scan" else (0,)), (said, ended.stderr)
        if words[1:3] == ["cases", "open"]:
            known[f"case of {said[said.index('--state') + 1]}"] = ended.stdout.split()[0]
        if words[2] == "whoami":
            known["identity of a"], known["key of a"] = ended.stdout.split()
        if words[2] == "sightings":  # B told A its id and its key by another way
            own = run("intel", "whoami", "--as", "provider-b", "--state", "b")
            known["identity of b"], known["key of b"] = own.stdout.split()
        if words[2:4] == ["token", "create"]:
            (tmp_path / f"{words[4]}.token").touch(0o600)
            (tmp_path / f"{words[4]}.token").write_text(ended.stdout.split()[-1])
        if words[2] == "seen":
            assert "confirmed" in ended.stdout
        if words[2] == "blocks":
            blocked.append(slowed("b"))
    labels = pq.read_table("rehearsal/b-labels.parquet").to_pylist()
    members = {row["account"] for row in labels if row["campaign"]}
    assert accounts("b-alone") & members == set()
    found = accounts("b-found")
    assert len(found) >= 3
    assert found <= members
    before, after = blocked
    assert before
    assert before <= members
    assert after == set()
