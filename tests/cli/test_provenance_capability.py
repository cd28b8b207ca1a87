"""`stillwatch provenance tasks` and `capability`: drawn, asked, compared; costs beside shares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stillwatch.provenance import Transcripts
from stillwatch.provenance.capability import TaskSet, make_tasks, read_task_set
from tests.cli.in_process import run
from tests.provenance.capability.models import model


def write(folder: Path, said: Transcripts) -> Path:
    path = folder / f"{said.model}.jsonl"
    lines = ({"prompt": p, "answer": a, "model": said.model} for p, a in said.answers.items())
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def drawn(tmp_path: Path) -> TaskSet:
    made = run("provenance", "tasks", tmp_path / "tasks.jsonl", "--seed", "cli", "--each", "40")
    assert made.returncode == 0
    assert "tasks.jsonl: 240 tasks, SHA-256 " in made.stderr
    return read_task_set(tmp_path / "tasks.jsonl")


@pytest.fixture
def command(tmp_path: Path, drawn: TaskSet) -> list[str | Path]:
    teacher, base = model("teacher", drawn, 0.9), model("base", drawn, 0.3)
    for name, share in (("march", 0.1), ("june", 0.9)):
        write(tmp_path, model(name, drawn, 0.3, of=(teacher, share)))
    return [
        "provenance", "capability", "--tasks", tmp_path / "tasks.jsonl",
        "--teacher", write(tmp_path, teacher), "--base", write(tmp_path, base),
    ]  # fmt: skip


def test_the_seed_alone_decides_the_tasks(drawn: TaskSet) -> None:
    assert drawn.digest == make_tasks("cli", 40).digest


def test_a_table_says_by_which_stage_and_cost_a_share_was_reached(
    tmp_path: Path, command: list[str | Path]
) -> None:
    ended = run(
        *command, "--suspect", tmp_path / "march.jsonl", "--spent", "exchanges=40000,usd=210",
        "--suspect", tmp_path / "june.jsonl", "--spent", "exchanges=310000,usd=1650",
    )  # fmt: skip
    assert ended.returncode == 3
    assert "50%          june        310,000 exchanges, 1,650 usd  june" in ended.stdout
    assert "found: a suspect is better than its base" in ended.stdout
    assert "calendars" in ended.stdout


def test_the_json_holds_grades_and_no_text(tmp_path: Path, command: list[str | Path]) -> None:
    ended = run(*command, "--suspect", tmp_path / "june.jsonl", "--json")
    report = json.loads(ended.stdout)["suspects"]
    assert ended.returncode == 3
    assert report["models"] == ["teacher", "june", "base"]
    assert len(report["rows"]) == 240
    assert "Answer" not in ended.stdout


def test_a_control_that_is_better_than_the_base_is_named_beside_what_was_found(
    tmp_path: Path, command: list[str | Path], drawn: TaskSet
) -> None:
    control = write(tmp_path, model("more-of-its-own", drawn, 0.6))
    suspect = ("--suspect", tmp_path / "june.jsonl")
    ended = run(*command, *suspect, "--control", control)
    assert ended.returncode == 3
    assert "but so is more-of-its-own, a control" in ended.stdout
    clean = run(*command, *suspect, "--control", write(tmp_path, model("still", drawn, 0.3)))
    assert "found: a suspect is better than its base on these tasks" in clean.stdout


def test_a_suspect_that_is_its_base_ends_with_status_zero(
    tmp_path: Path, command: list[str | Path]
) -> None:
    ended = run(*command, "--suspect", tmp_path / "base.jsonl")
    assert ended.returncode == 0
    assert "not found, which shows nothing" in ended.stdout


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        ("lots", "is no list of unit=number"),
        ("usd=-1", "no cost"),
        ("usd=1,usd=2", "names a unit twice"),
        ("usd=nan", "no cost"),
    ],
)
def test_a_cost_that_is_none_is_told(
    tmp_path: Path, command: list[str | Path], spent: str, said: str
) -> None:
    ended = run(*command, "--suspect", tmp_path / "june.jsonl", "--spent", spent)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_tasks_that_are_there_are_not_overwritten(tmp_path: Path, drawn: TaskSet) -> None:
    again = run("provenance", "tasks", tmp_path / "tasks.jsonl", "--seed", "other")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert read_task_set(tmp_path / "tasks.jsonl").digest == drawn.digest
