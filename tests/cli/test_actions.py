"""`stillwatch actions`: put, undone, listed, imported from a file; suspended only by a person."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.in_process import run

WHY = ("--for", "7d", "--reason", "case-17", "--by", "ana", "--message", "Please call us.")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def put(state: Path, *options: str) -> str:
    """The id of a new action."""
    ended = run("actions", "put", "--state", state, *options, *WHY)
    assert ended.returncode == 0, ended.stderr
    return str(ended.stdout.removesuffix("\n"))


def listed(state: Path, *options: str) -> list[dict[str, Any]]:
    ended = run("actions", "list", "--state", state, "--json", *options)
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (["--account", "a", "--slow", "2.5"], {"kind": "slow", "seconds": 2.5}),
        (
            [
                *("--cluster", "c", "--narrow", "logprobs=0", "--narrow", "models=small-*,tiny"),
                *("--narrow", "reasoning=none", "--narrow", "tools=false"),
            ],
            {
                "kind": "narrow",
                "subject_kind": "cluster",
                "surface": {
                    "logprobs": 0,
                    "models": ["small-*", "tiny"],
                    "reasoning": "none",
                    "tools": False,
                },
            },
        ),
        (
            ["--account", "a", "--verify", "24h", "--person"],
            {"kind": "verify", "seconds": 86_400.0, "person": True},
        ),
        (["--key", "k", "--mark"], {"kind": "mark", "subject_kind": "key", "subject": "k"}),
    ],
)
def test_every_kind_is_put_on_every_subject(
    state: Path, options: list[str], fields: dict[str, Any]
) -> None:
    action_id = put(state, *options)
    [found] = listed(state)
    assert {name: found[name] for name in fields} == fields
    assert (found["id"], found["reason"], found["by"]) == (action_id, "case-17", "ana")
    assert abs(found["expires_at"] - time.time() - 7 * 86_400) < 60


def test_an_undone_action_is_listed_only_when_all_are_asked_for(state: Path) -> None:
    action_id = put(state, "--account", "acme", "--mark")
    table = run("actions", "list", "--state", state).stdout
    assert action_id in table
    assert "account acme" in table
    assert "in force" in table
    assert run("actions", "undo", action_id, "--by", "bo", "--state", state).returncode == 0
    assert listed(state) == []
    assert [each["undone_by"] for each in listed(state, "--all")] == ["bo"]
    assert "undone by bo" in run("actions", "list", "--all", "--state", state).stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--account", "a", "--suspend", "--person"], "a suspension takes two people"),
        (["--account", "a", "--verify", "0s", "--person"], "takes two people"),
        (["--account", "a"], "name one of --verify, --slow"),
        (["--mark"], "name one of --account"),
        (["--account", "a", "--org", "o", "--mark"], "name one of --account"),
        (["--account", "a", "--mark", "--slow", "1"], "name one of --verify, --slow"),
        (["--account", "a", "--slow", "600"], "at most 60"),
        (["--account", "a", "--narrow", "logprobs"], "write each field once"),
        (["--account", "a", "--narrow", "colour=red"], "there is no field 'colour'"),
        (["--account", "a", "--mark", "--for", "91d"], "more than 90 days away"),
    ],
)
def test_what_must_not_be_put_ends_with_2_and_says_why(
    state: Path, options: list[str], said: str
) -> None:
    ended = run("actions", "put", "--state", state, *WHY, *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr


def test_an_action_that_does_not_exist_cannot_be_undone(state: Path) -> None:
    put(state, "--account", "a", "--mark")
    ended = run("actions", "undo", "act-x", "--by", "bo", "--state", state)
    assert ended.returncode == 2
    assert "there is no action 'act-x'" in ended.stderr


def test_a_list_is_imported_whole_or_not_at_all(state: Path, tmp_path: Path) -> None:
    line = {
        "id": "v-1", "subject_kind": "account", "subject": "a", "kind": "mark", "reason": "r",
        "message": "m", "by": "scan", "expires_at": int(time.time()) + 3600,
    }  # fmt: skip
    path = tmp_path / "verdicts.jsonl"
    bad = line | {"id": "v-2", "kind": "suspend"}
    path.write_text(json.dumps(line) + "\n" + json.dumps(bad))
    ended = run("actions", "import", path, "--state", state)
    assert ended.returncode == 2
    assert f"{path}:2: a suspension takes two people" in ended.stderr
    assert listed(state) == []
    path.write_text(json.dumps(line))
    assert "1 actions put in force" in run("actions", "import", path, "--state", state).stderr
    assert [each["id"] for each in listed(state)] == ["v-1"]
