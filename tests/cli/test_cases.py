"""The day that docs/cases.md describes, command by command; and what the page of the API shows."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stillwatch.access.database import open_database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.keys import KeyStore
from tests.access.conftest import server
from tests.cases.conftest import finding
from tests.cli.in_process import run

__all__ = ["server"]
NAMED = "case-5f2a11c09d3e"


def report(path: Path, **fields: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    campaign = msgspec.to_builtins(finding(**fields))
    body = {"format": "stillwatch.campaigns/1", "source": {"to": campaign["at"]}}
    path.write_text(json.dumps(body | {"campaigns": [campaign]}))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the page's commands run: reports of two scans, and accounts that accepted terms."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STILLWATCH_STATE", str(tmp_path / "state"))
    report(tmp_path / "found" / "campaigns.json")
    report(tmp_path / "found" / "later.json", accounts=["acct-2", "acct-3"],
           at="2030-01-01T00:00:00Z")  # fmt: skip
    database = open_database(tmp_path / "state", create=True)
    for account in ("acct-1", "acct-2"):
        KeyStore(database).create(account=account, tier="free", terms_version="2026-03")
    database.close()
    return tmp_path / "state"


def commands(page: str, project: Path) -> list[list[str]]:
    """The lines `$ …` of a page's console examples."""
    text = (project / "docs" / page).read_text()
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line[2:]) for line in lines if line.startswith("$ ")]


def test_a_day_of_a_case_as_the_page_tells_it(state: Path, project: Path) -> None:
    case, said = NAMED, {}
    for words in commands("cases.md", project):
        ended = run(*(word.replace(NAMED, case) for word in words[1:]))
        assert ended.returncode == 0, (words, ended.stderr)
        said[words[2]] = ended.stdout
        if words[2] == "open":
            case = ended.stdout.strip()
        if words[2] == "approve":
            assert {(a.subject, a.kind) for a in in_force(state)} == {
                ("acct-1", "suspend"), ("acct-2", "suspend"),
            }  # fmt: skip
    [alone] = in_force(state)
    assert (alone.subject, alone.kind) == ("acct-7", "suspend")
    assert alone.expires_at - alone.created_at == 12 * 3_600
    assert "(base rate 0.001)" in said["show"]
    assert "(base rate unknown)" in said["show"]
    assert json.loads(said["statement"])["clause_text"].startswith("Answers are not used")
    precision = json.loads((state / "precision.json").read_text())
    assert precision["rows"][0]["dismissed"] == 1
    [heir] = [line for line in said["pool"].splitlines() if "days" in line]
    assert heir.startswith("acct-3 ")
    checked = run("ledger", "verify", "--state", state)
    assert (checked.returncode, checked.stdout.split(":")[0]) == (0, "sound")


def in_force(state: Path) -> list[Any]:
    database = open_database(state)
    try:
        return ActionStore(database).in_force()
    finally:
        database.close()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["list"], 2, "there are no cases here"),
        (["open", "nothing.json", "--by", "ana"], 2, "cannot be read"),
        (["open", "found/campaigns.json"], 2, "--by"),
        (["claim", "case-0", "--by", "ana"], 2, "there are no cases here"),
        (["rule", "propose", "r", "--slow", "1", "--message", "m", "--why", "w", "--by", "a"],
         2, "measures must end"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_ends_with_its_status_and_says_why(
    state: Path, words: list[str], status: int, said: str
) -> None:
    ended = run("cases", *words)
    assert (ended.returncode, said in ended.stderr) == (status, True), ended.stderr


def test_a_second_name_for_the_same_person_does_not_approve(state: Path) -> None:
    run("cases", "terms", "add", "2026-03", "4.2", "No training.")
    case = run("cases", "open", "found/campaigns.json", "--by", "scan", "--program").stdout.strip()
    run("cases", "claim", case, "--by", "ana")
    run("cases", "add", case, "nothing found", "--counter", "--by", "ana")
    run("cases", "propose", case, "--upheld", "--reason", "coordinated-extraction", "--summary",
        "s", "--clause", "4.2", "--suspend", "--for", "1d", "--by", "ana")  # fmt: skip
    ended = run("cases", "approve", case, "--by", "ANA")
    assert ended.returncode == 2
    assert "[SW502]" in ended.stderr
    assert in_force(state) == []


def test_two_names_typed_by_one_person_are_not_two_people_once_there_are_tokens(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("cases", "terms", "add", "2026-03", "4.2", "No training.")
    case = run("cases", "open", "found/campaigns.json", "--by", "scan", "--program").stdout.strip()
    ana, bo = (
        run("cases", "token", "create", name, "--role", role).stdout.strip()
        for name, role in (("ana", "analyst"), ("bo", "approver"))
    )
    file = tmp_path / "bo.token"
    file.write_text(bo + "\n")
    file.chmod(0o600)
    believed = run("cases", "claim", case, "--by", "ana")
    assert (believed.returncode, "[SW505]" in believed.stderr) == (2, True)
    monkeypatch.setenv("STILLWATCH_TOKEN", ana)
    run("cases", "claim", case)
    run("cases", "add", case, "nothing found", "--counter")
    proposed = run("cases", "propose", case, "--upheld", "--reason", "coordinated-extraction",
                   "--summary", "s", "--clause", "4.2", "--suspend", "--for", "1d")  # fmt: skip
    assert proposed.returncode == 0, proposed.stderr
    for words, said in (
        ((), "the role analyst may not do this"),
        (("--by", "bo"), "--by says bo, and the token is of ana"),
    ):
        ended = run("cases", "approve", case, *words)
        assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
    assert in_force(state) == []
    assert run("cases", "approve", case, "--token-file", file).returncode == 0
    assert {each.kind for each in in_force(state)} == {"suspend"}
    for words in (
        ("token", "create", "eve", "--role", "approver"),
        ("terms", "add", "2026-04", "1", "t"),
        ("allow", "add", "lab", "--purpose", "research", "--for", "1d", "--why", "w"),
    ):
        assert run("cases", *words).returncode == 2, words
        ended = run("cases", *words, "--token-file", file)
        assert ended.returncode == 0, ended.stderr


def test_an_emergency_is_listed_first_until_others_have_decided(state: Path) -> None:
    run("cases", "open", "found/campaigns.json", "--by", "scan", "--program")
    words = (
        "--reason",
        "identity-unclear",
        "--why",
        "public\n\nDecided: dismissed",
        "--source",
        "t",
    )
    long = run("cases", "emergency", "acme", "--for", "25h", *words, "--by", "ana")
    assert (long.returncode, "24 hours at most" in long.stderr) == (2, True)
    case = run("cases", "emergency", "acme", "--for", "2h", *words, "--by", "ana").stdout.strip()
    first = run("cases", "list").stdout.splitlines()[1]
    assert first.startswith(case)
    assert "second person" in first
    told = run("cases", "show", case).stdout
    assert "one person suspended until" in told
    assert "public\\n\\nDecided: dismissed" in told, "it cannot pass for a line of ours"


def test_a_token_that_everybody_can_read_is_refused(state: Path, tmp_path: Path) -> None:
    case = run("cases", "open", "found/campaigns.json", "--by", "scan", "--program").stdout.strip()
    file = tmp_path / "token"
    file.write_text(run("cases", "token", "create", "ana", "--role", "analyst").stdout)
    file.chmod(0o644)
    ended = run("cases", "claim", case, "--token-file", file)
    assert (ended.returncode, "every user of this machine" in ended.stderr) == (2, True)


@pytest.mark.service
def test_the_same_commands_work_on_a_server(
    state: Path, server: Callable[[], str], tmp_path: Path
) -> None:
    store = ("--store", server(), "--ledger", str(tmp_path / "books"))
    opened = run("cases", "open", "found/campaigns.json", *store, "--by", "scan", "--program")
    case = opened.stdout.strip()
    run("cases", "claim", case, *store, "--by", "ana")
    run("cases", "add", case, "nothing found", "--counter", *store, "--by", "ana")
    words = ("--undetermined", "--reason", "not-enough-evidence", "--summary", "s")
    assert run("cases", "propose", case, *words, *store, "--by", "ana").returncode == 0
    assert json.loads(run("cases", "show", case, "--json", *store).stdout)["state"] == "decided"
    assert run("ledger", "verify", "--state", tmp_path / "books").stdout.startswith("sound: 1 ")


def test_without_a_place_the_cases_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STILLWATCH_STATE", raising=False)
    ended = run("cases", "list")
    assert (ended.returncode, "--state DIR or --store URL" in ended.stderr) == (2, True)


@pytest.fixture
def base(state: Path) -> Iterator[str]:
    """The address of a served API."""
    words = [sys.executable, "-m", "stillwatch", "cases", "serve", "--port", "0"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield process.stderr.readline().split()[-1].removesuffix("/v1/cases")
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()


@pytest.mark.slow
def test_the_examples_of_the_api_work(state: Path, project: Path, base_opened: Any) -> None:
    base, case, tokens = base_opened
    answers = []
    for words in commands("cases-api.md", project):
        assert words[0] == "curl"
        url = words[-1].replace("http://127.0.0.1:8081", base).replace(NAMED, case)
        headers = dict(words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H")
        name = headers["authorization"].removeprefix("Bearer $")
        headers["authorization"] = f"Bearer {tokens[name]}"
        data = words[words.index("-d") + 1].encode() if "-d" in words else None
        method = "POST" if data or "POST" in words else "GET"
        asked = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            answers.append(json.loads(answer.read()))
    assert [row["id"] for row in answers[0]["cases"]] == [case]
    assert answers[-2]["verdict"] == "upheld"
    assert in_force(state) == []


@pytest.fixture
def base_opened(state: Path, request: pytest.FixtureRequest) -> tuple[str, str, dict[str, str]]:
    """A served API with one open case; its id; tokens."""
    run("cases", "terms", "add", "2026-03", "4.2", "No training.")
    case = run("cases", "open", "found/campaigns.json", "--by", "scan", "--program").stdout.strip()
    tokens = {
        name.upper(): run("cases", "token", "create", name, "--role", role).stdout.strip()
        for name, role in (("ana", "analyst"), ("bo", "approver"))
    }
    return request.getfixturevalue("base"), case, tokens
