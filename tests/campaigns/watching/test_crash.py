"""kill -9: whatever the moment, a watch that goes on says what an uninterrupted one says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.campaigns.watching.standin import HOUR, answers, lines, row, run, write

PROJECT = Path(__file__).parents[3]
CRASH = Path(__file__).with_name("crash.py")


def eventful(folder: Path) -> Path:
    """Looks with something new, grown and withdrawn; late, repeated and unreadable rows."""
    rows = [row(0.5, "person-1", request_id="a"), row(0.7, "person-2", request_id="b")]
    rows += [row(1.5 + n / 10, f"crew-1-{n}") for n in range(3)]
    rows += [row(13, "crew-1-9"), row(1.2, "late-1"), row(14, "person-1", request_id="a")]
    rows += [row(30 + n, f"crew-2-{n}") for n in range(4)]
    rows += [row(50, "crew-2-cleared")]
    rows += [row(24 * 15 + n, f"crew-3-{n}") for n in range(3)]
    rows += [row(0.1, "much-too-late")]
    path = write(folder / "log.jsonl", *rows)
    whole = path.read_text("utf-8").splitlines(keepends=True)
    whole.insert(4, '{"at": "yesterday", "account": "x", "prompt": "y"}\n')
    path.write_text("".join(whole), "utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, 8])
def test_killed_before_any_step_it_goes_on_as_if_nothing_had_been(
    quick: None, tmp_path: Path, first: int
) -> None:
    """Each half of the steps in a test of its own."""
    log = eventful(tmp_path)
    run(log, tmp_path / "whole", every=12 * HOUR)
    whole = answers(tmp_path / "whole")
    assert len(lines(tmp_path / "whole")) >= 4
    done = subprocess.run(
        [sys.executable, CRASH, log, tmp_path / "copies", "16", str(first)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    steps = done.stdout.split()
    assert len(steps) > 10
    for step in steps:
        again = answers(tmp_path / "copies" / step)
        for part, said in whole.items():
            assert again[part] == said, (step, part)
