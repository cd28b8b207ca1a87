"""Tasks are drawn anew from a seed, or read from files, and each can be answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.errors import InputError, OutputError
from stillwatch.provenance.capability import (
    DOMAINS,
    Task,
    TaskSet,
    grade,
    make_tasks,
    making,
    read_task_set,
    write_task_set,
)
from stillwatch.provenance.questions import read_questions


def test_a_seed_gives_the_same_tasks_in_every_version_of_python() -> None:
    digest = make_tasks("pinned", 20).digest
    assert digest == "3e28d93ad9a301eb1644f6e9a636f329e2689d8694fb83a294dbe9a5054ea280"


def test_another_seed_gives_other_tasks() -> None:
    one, other = ({t.prompt for t in make_tasks(seed, 40).tasks} for seed in ("a", "b"))
    assert len(one & other) < 0.1 * len(one)


def test_every_domain_has_as_many_tasks_as_were_asked_for() -> None:
    tasks = make_tasks(3, 200).tasks
    assert [sum(t.domain == name for t in tasks) for name in DOMAINS] == [200] * len(DOMAINS)


def test_every_task_is_right_when_its_answer_is_said_and_wrong_when_another_is() -> None:
    for task in make_tasks(4, 100).tasks:
        said = f"I think so.\nAnswer: {task.expected}"
        assert grade(task.kind, task.expected, said) == "right", task
        other = "17.125" if task.kind == "number" else "Nobody"
        assert grade(task.kind, task.expected, f"Answer: {other}") == "wrong", task


def test_more_tasks_than_there_are_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(making._MAKERS, "stories", lambda _: Task("One and one?", "2"))
    with pytest.raises(ValueError, match="there are no 3 different tasks of stories"):
        make_tasks(1, 3)


def test_what_is_written_is_read_and_can_be_asked(tmp_path: Path) -> None:
    drawn, path = make_tasks(5, 10), tmp_path / "tasks.jsonl"
    write_task_set(drawn, path)
    assert read_task_set(path).digest == drawn.digest
    assert list(read_questions(path)) == [task.prompt for task in drawn.tasks]
    with pytest.raises(OutputError, match="is there already"):
        write_task_set(drawn, path)


def test_lines_of_gsm8k_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text('{"question": "How many?", "answer": "600 + 600 = 1200\\n#### 1,200"}\n')
    [task] = read_task_set(path).tasks
    assert task == Task("How many?", "1,200")
    assert grade(task.kind, task.expected, "1200 of them") == "right"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is no task"),
        ('{"prompt": "a"}', 'neither "prompt" and "expected"'),
        ('{"prompt": "a", "expected": "many"}', "'many' is no number"),
        ('{"prompt": "a", "expected": "K", "kind": "choice"}', "'K' is no choice"),
        ('{"prompt": "a", "expected": "…", "kind": "words"}', "is no words"),
        ('{"prompt": "a", "expected": "1", "kind": "essay"}', "essay"),
        ('{"question": "a", "answer": "so it is"}', "is no number"),
        ('{"prompt": "a", "expected": "1"}\n{"prompt": "a", "expected": "1"}', "twice"),
        ("\n", "holds no task"),
        ("\udcff", "is no task"),
    ],
)
def test_what_is_no_task_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(line, "utf-8", "surrogateescape")
    with pytest.raises(InputError, match=said):
        read_task_set(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_task_set(tmp_path / "none.jsonl")


def test_a_set_is_told_by_all_that_is_in_it() -> None:
    digests = {
        TaskSet.of("x", [task]).digest
        for task in (Task("a", "1"), Task("a", "2"), Task("b", "1"), Task("a", "1", "words"),
                     Task("a", "1", domain="d"))
    }  # fmt: skip
    assert len(digests) == 5
