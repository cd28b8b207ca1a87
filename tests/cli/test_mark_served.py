"""`stillwatch mark served`: contexts are noted, text is not, and one folder takes many files."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from stillwatch.watermark import KeyRing, ServedSketch
from stillwatch.watermark.served import SCHEME
from tests.cli.in_process import run

EPOCH = "2026-11"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "mark.key"
    assert run("mark", "keygen", file).returncode == 0
    return file


def noted(key: Path, lines: list[object], cluster: str, *more: str) -> CompletedProcess[str]:
    answers = key.with_name("answers.jsonl")
    answers.write_text("\n".join(map(json.dumps, lines)))
    return run(
        "mark", "served", answers, "--cluster", cluster, "--out", key.with_name("sketches"),
        "--key-file", key, "--epoch", EPOCH, "--cells", "1024", *more,
    )  # fmt: skip


def test_answers_of_two_days_are_one_sketch_and_prompts_are_not_served(key: Path) -> None:
    assert noted(key, [{"prompt": [1, 2], "answer": [3, 4]}], "c-1").returncode == 0
    ended = noted(key, [[5, 6, 7]], "c-1")
    assert ended.returncode == 0
    assert "2 answers" in ended.stderr
    served = ServedSketch.read(
        key.with_name("sketches") / "c-1.served", KeyRing.from_file(key, EPOCH).key("c-1", SCHEME)
    )
    asked = np.array([[1], [2], [3], [5], [6], [7]])
    assert served.contains(asked).tolist() == [False, True, True, True, True, False]


def test_a_cluster_is_no_path(key: Path) -> None:
    assert noted(key, [[1, 2, 3]], "../c/1").returncode == 0
    [file] = key.with_name("sketches").iterdir()
    assert file.name == "..%2Fc%2F1.served"


def test_contexts_of_another_width_are_refused(key: Path) -> None:
    noted(key, [[1, 2, 3]], "c-1")
    ended = noted(key, [[1, 2, 3]], "c-1", "--context", "2")
    assert ended.returncode == 2
    assert "contexts of 1 tokens, not 2" in ended.stderr


def test_cells_that_are_no_power_of_two_are_refused(key: Path) -> None:
    ended = noted(key, [[1, 2, 3]], "c-1", "--cells", "1000")
    assert ended.returncode == 2
    assert "power of two" in ended.stderr
