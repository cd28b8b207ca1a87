"""A gateway as it is run records what others can compare; what is told later meets it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from stillwatch.events import EventStore
from stillwatch.exchange import RawExchange
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.profile import Author, Detector, Seal, Tlp, revoked
from stillwatch.ledger import SigningKey
from stillwatch.sketches import Sketcher
from tests.cli.running import command, run
from tests.gateway.conftest import Client
from tests.gateway.engine import Engine, served
from tests.intel.received.conftest import hidden

KEY = CommunityKey("forum", "2026-q4", bytes(range(32)))
SENDER = "identity--00000000-0000-4000-8000-000000000001"
BUNDLE = "bundle--00000000-0000-4000-8000-000000000001"
SEAL = SigningKey(b"\x01" * 32)
SETTINGS = """
backends:
  - {name: engine, url: "URL"}
gateway:
  trusted_hops: {networks: [127.0.0.0/8], payment_header: x-card}
  communities: [forum.json]
"""
PROMPT = "You grade the answer of a student, step by step, against the rubric that follows below."
WORDING = (
    "please solve the following task and write down every single step of the reasoning and then "
    "finish with one line that holds nothing but the final result of it all"
)


@contextmanager
def serving(folder: Path, engine: str) -> Iterator[str]:
    """`stillwatch serve`, a process of its own; its address."""
    (folder / "stillwatch.yaml").write_text(SETTINGS.replace("URL", engine))
    words = ("serve", "-c", folder / "stillwatch.yaml", "--state", folder / "state", "--port", "0")
    process = subprocess.Popen(command(*words), stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"serving (http://127\.0\.0\.1:\d+)", line):
                yield found[1]
                break
        else:
            raise AssertionError("the gateway did not start")
    finally:
        process.terminate()
        process.communicate(timeout=60)


def keys(state: Path, *accounts: str) -> dict[str, str]:
    database = open_database(state, create=True)
    try:
        return {name: KeyStore(database).create(account=name)[0] for name in accounts}
    finally:
        database.close()


def told() -> list[dict[str, Any]]:
    """What the sender tells: a card, a system prompt, a wording."""
    now = datetime.now(UTC) - timedelta(minutes=5)
    about: dict[str, Any] = {
        "accounts": "10-99", "detector": Detector("d", "1"), "valid_from": now, "now": now,
        "valid_until": now + timedelta(days=30),
    }  # fmt: skip
    author = Author(SENDER, SEAL, Tlp.AMBER)
    row = RawExchange(at=0, account="a", prompt=WORDING)
    [cells] = Sketcher(KEY.sketch_key()).sketch([row])["cells"].to_pylist()
    return [
        author.digest(KEY.scheme, "payment", KEY.digest("payment", hidden("card")), **about),
        author.digest(KEY.scheme, "system", KEY.digest("system", PROMPT), **about),
        author.template(KEY.scheme, 3, cells, k=5, **about),
    ]


def taken_in(folder: Path, *objects: dict[str, Any]) -> None:
    bundle = {"type": "bundle", "id": BUNDLE, "objects": list(objects)}
    (folder / "told.json").write_text(json.dumps(bundle))
    ended = run("intel", "import", folder / "told.json", "--state", folder / "state")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_what_is_told_after_exchanges_were_recorded_meets_them_until_it_is_taken_back(
    tmp_path: Path,
) -> None:
    KEY.write(tmp_path / "forum.json")
    state = tmp_path / "state"
    secrets = keys(state, "paid", "prompted", "worded", "other")
    engine = Engine()
    with served(engine) as url, serving(tmp_path, url) as base:
        client = Client(base, state, engine)

        def ask(account: str, text: str, system: str | None = None, **headers: str) -> None:
            messages = [{"role": "system", "content": system}] if system else []
            messages.append({"role": "user", "content": text})
            body = {"model": "m", "messages": messages}
            answer = client.send(
                "POST", "/v1/chat/completions", body, key=secrets[account], **headers
            )
            assert answer.status == 200, answer.body

        ask("paid", "what is a still", x_card=hidden("card"))
        ask("prompted", "what is an alembic", PROMPT.upper())
        ask("worded", WORDING + " 4711")
        ask("other", "what is a retort", x_card=hidden("another card"))
        limit = time.monotonic() + 30
        with EventStore.open(state / "events", tidy=False) as store:
            while store.rows() < 4 and time.monotonic() < limit:
                time.sleep(0.05)
        whoami = ("--identity", SENDER, "--key", SEAL.public, "--state", state, "--by", "bo")
        assert run("intel", "members", "add", "a", *whoami).returncode == 0
        things = told()
        taken_in(tmp_path, *things)
        match = (
            "intel", "match", state, "--community", tmp_path / "forum.json", "--state", state,
        )  # fmt: skip
        ended = run(*match, "--out", tmp_path / "hits.jsonl")
        assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in (tmp_path / "hits.jsonl").read_text().splitlines()]
    assert [(hit["account"], hit["kind"]) for hit in lines] == [
        ("paid", "payment"), ("prompted", "system"), ("worded", "wording"),
    ]  # fmt: skip
    text = (hidden("card"), "rubric")
    with EventStore.open(state / "events") as store:
        store.roll()
        kept = b"".join(path.read_bytes() for path in store.parquet_files())
    assert not any(part.encode() in kept for part in text)
    export = run("privacy", "export", "paid", "--state", state)
    [exchange] = [
        each["held"] for each in map(json.loads, export.stdout.splitlines())
        if each["kind"] == "exchange"
    ]  # fmt: skip
    assert len(exchange["compared"][0]["digests"]) == 1
    assert run("privacy", "erase", "paid", "--state", state).returncode == 0
    ended = run(*match, "--dry-run", "--out", tmp_path / "hits.jsonl")
    assert ended.returncode == 0, ended.stderr
    left = (tmp_path / "hits.jsonl").read_text()
    assert "worded" in left
    assert "paid" not in left
    later = datetime.now(UTC) - timedelta(minutes=1)
    taken_in(tmp_path, *(Seal.sign(revoked(each, later), SEAL) for each in things))
    ended = run(*match, "--dry-run", "--out", tmp_path / "hits.jsonl")
    assert "0 of 3 accounts meet 0 of 0 indicators" in ended.stdout
