"""Tasks that have one right answer, so that no judge is needed but a reader of numbers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from stillwatch.errors import InputError, OutputError
from stillwatch.provenance.capability.grading import Kind, can_be_right

__all__ = ["Task", "TaskSet", "read_task_set", "write_task_set"]


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task.

    Attributes:
        prompt: what is asked, with how the answer is to be given.
        expected: the right answer: ``3/4``, ``B``, ``Thursday``.
        kind: how it is compared, see :func:`.grade`.
        domain: what it is about; domains are reported apart.
    """

    prompt: str
    expected: str
    kind: Kind = "number"
    domain: str = "all"


@dataclass(frozen=True, slots=True)
class TaskSet:
    """Tasks, each prompt once.

    Attributes:
        name: what a report calls it.
        tasks: in the order of the file.
        digest: SHA-256 over prompts, right answers, kinds and domains, 64 hexadecimal digits.
    """

    name: str
    tasks: tuple[Task, ...]
    digest: str

    @classmethod
    def of(cls, name: str, tasks: Sequence[Task]) -> TaskSet:
        """Raises ValueError where a prompt stands twice."""
        if len({each.prompt for each in tasks}) < len(tasks):
            raise ValueError("a prompt stands in the set twice")
        digest = hashlib.sha256(b"stillwatch-tasks-v1")
        for each in tasks:
            digest.update(msgspec.json.encode([each.prompt, each.expected, each.kind, each.domain]))
        return cls(name, tuple(tasks), digest.hexdigest())


class _Line(msgspec.Struct):
    """A line of ours, or of GSM8K: ``question``, and ``answer`` that ends with ``#### 18``."""

    prompt: str | None = None
    expected: str | None = None
    kind: Kind = "number"
    domain: str = "all"
    question: str | None = None
    answer: str | None = None

    def task(self) -> Task:
        prompt, expected = self.prompt, self.expected
        if prompt is None and self.answer is not None:
            prompt, expected = self.question, self.answer.rpartition("####")[2].strip()
        if prompt is None or expected is None:
            raise ValueError('has neither "prompt" and "expected", nor a "question" of GSM8K')
        if not can_be_right(self.kind, expected):
            raise ValueError(f"'{expected[:40]}' is no {self.kind} that an answer could give")
        return Task(prompt, expected, self.kind, self.domain)


def read_task_set(path: Path) -> TaskSet:
    """The tasks of a file of JSON lines: ``{"prompt": …, "expected": …, "kind": …, "domain": …}``.

    `kind` (``number``, ``choice``, ``words``) and `domain` may be left out. Lines of GSM8K are read
    as they are.

    Raises:
        InputError: it cannot be read, holds no task, a line is none, or a prompt stands twice.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    tasks = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                tasks.append(msgspec.json.decode(line, type=_Line).task())
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
                raise InputError(f"is no task: {error}", path=path, line=number) from error
    if not tasks:
        raise InputError("holds no task", path=path)
    try:
        return TaskSet.of(path.stem, tasks)
    except ValueError as error:
        raise InputError(str(error), path=path) from error


def write_task_set(tasks: TaskSet, path: Path) -> None:
    """Write a file that :func:`read_task_set` reads; it is made, never overwritten.

    Raises:
        OutputError: there is one, or it cannot be written.
    """
    content = b"".join(msgspec.json.encode(each) + b"\n" for each in tasks.tasks)
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise OutputError("is there already; name another file", path=path) from error
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(f"cannot be written: {error.strerror}", path=path) from error
