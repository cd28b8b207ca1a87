"""How often the reader of answers misreads: GSM8K's own solutions, with their mark and without it.

    python benchmarks/grading.py gsm8k/test.jsonl

Prints of how many solutions, all of which are right, the grade is right.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import msgspec

from stillwatch.provenance.capability import grade, read_task_set


def main(path: Path) -> None:
    tasks = read_task_set(path).tasks
    solutions = [msgspec.json.decode(line)["answer"] for line in path.read_bytes().splitlines()]
    for name, cut in (("with ####", False), ("prose alone", True)):
        said = [each.rpartition("####")[0] if cut else each for each in solutions]
        grades = Counter(
            grade(task.kind, task.expected, text) for task, text in zip(tasks, said, strict=True)
        )
        print(f"{name:<12} right {grades['right']:,} of {len(tasks):,}; {dict(grades)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
