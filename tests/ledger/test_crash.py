"""kill -9 at any moment: what was acknowledged is there, what was not is whole or absent."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stillwatch.ledger import Ledger
from tests.ledger.conftest import verdicts

APPEND = Path(__file__).with_name("append_forever.py")
STEPS = Path(__file__).with_name("crash.py")
BATCH = 7


def killed(state: Path, after: float) -> list[int]:
    """The numbers that a writer acknowledged which was killed so many seconds after the first."""
    command = [sys.executable, str(APPEND), str(state), str(BATCH)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        lines = (first + process.stdout.read()).splitlines(keepends=True)
    return [int(line) for line in lines if line.endswith("\n")]


def check(state: Path, acknowledged: list[int], before: int) -> int:
    """What holds of a ledger of `before` entries whose writer was killed; how many there are."""
    with Ledger.open(state) as ledger:
        heads = ledger.heads()
        found = ledger.check(heads)
        turns = [entry.body["of"] for _, entry in ledger.entries()]
        assert acknowledged == list(range(before, before + len(acknowledged)))
        extra = found.size - before - len(acknowledged)
        assert extra <= BATCH, "at most the batch in flight is more"
        assert turns == [*range(BATCH)] * (found.size // BATCH), "and batches are whole"
        for head in heads[-2:]:
            if head.size:
                ledger.prove(head.size - 1, head).check(ledger.raw(head.size - 1), head)
    return found.size


def test_a_writer_that_is_killed_leaves_what_it_acknowledged(tmp_path: Path) -> None:
    said = killed(tmp_path, after=0.1)
    assert said
    check(tmp_path, said, 0)


@pytest.mark.slow
def test_writers_that_are_killed_at_random_moments_leave_a_sound_ledger(tmp_path: Path) -> None:
    moments, size = random.Random(3), 0
    for _ in range(15):
        said = killed(tmp_path, after=moments.uniform(0, 0.15))
        size = check(tmp_path, said, size)
    assert size > 15 * BATCH


@pytest.mark.slow
def test_killed_at_each_step_an_append_is_whole_or_absent(tmp_path: Path) -> None:
    template = tmp_path / "template"
    with Ledger.open(template, create=True) as ledger:
        ledger.append(verdicts(250))
        held = ledger.head()
    copies = tmp_path / "copies"
    copies.mkdir()
    ended = subprocess.run(
        [sys.executable, STEPS, template, "append", copies],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    sizes = []
    for number in range(int(ended.stdout)):
        copy = copies / str(number)
        with Ledger.open(copy) as ledger:
            sizes.append(ledger.check([held]).size)
            ledger.append(verdicts(3))
            assert ledger.check([held, ledger.head()]).size == sizes[-1] + 3
        shutil.rmtree(copy)
    assert set(sizes) == {250, 260}
    assert sizes == sorted(sizes), "once the transaction has ended it stays"


@pytest.mark.slow
def test_killed_at_each_step_a_ledger_is_made_by_the_next(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    (tmp_path / "nothing").mkdir()
    ended = subprocess.run(
        [sys.executable, STEPS, tmp_path / "nothing", "create", copies],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    steps = int(ended.stdout)
    assert steps > 8
    for number in range(steps):
        with Ledger.open(copies / str(number), create=True) as ledger:
            ledger.append(verdicts(2))
            assert ledger.check([ledger.head()]).size == 2
