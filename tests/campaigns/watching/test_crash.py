"""kill -9: whatever the moment, a watch that goes on says what an uninterrupted one says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from stillwatch.campaigns.watching import WatchOptions, watch
from tests.campaigns.watching.gateways import Recording
from tests.campaigns.watching.standin import HOUR, KEY, answers, lines, row, run, write

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
def test_killed_before_any_step_it_goes_on_as_if_nothing_had_been(
    quick: None, tmp_path: Path
) -> None:
    """Before every sixteenth step."""
    log = eventful(tmp_path)
    run(log, tmp_path / "whole", every=12 * HOUR)
    assert len(lines(tmp_path / "whole")) >= 4
    assert len(killed(log, tmp_path, "16", "0")) > 10


@pytest.mark.slow
def test_killed_while_it_follows_a_gateway_it_goes_on_as_if_nothing_had_been(
    quick: None, tmp_path: Path
) -> None:
    """Hot rows and rolled ones, some known and some new; an account that was erased meanwhile."""
    names = {f"crew-{crew}-{n}" for crew in (1, 2, 3) for n in range(4)}
    gateway = Recording(tmp_path / "gateway", names)
    rows = [row(1 + n, f"crew-1-{n}") for n in range(4)] + [row(26, "erased"), row(27, "stays")]
    gateway.record(*rows)
    begun = tmp_path / "begun"
    options = WatchOptions([gateway.path], begun, every=12 * HOUR, grace=0, once=True)
    watch(options, clock=lambda: rows[-1].at)
    gateway.record(row(20, "late"), *[row(28 + n, f"crew-2-{n}") for n in range(4)])
    gateway.store.roll(date(2026, 1, 2))
    gateway.record(*[row(52 + n, f"crew-3-{n}") for n in range(4)])
    gateway.store.erase([KEY.digest("account", "erased")])
    shutil.copytree(begun, tmp_path / "whole")
    run(gateway.path, tmp_path / "whole", every=12 * HOUR)
    assert len(answers(tmp_path / "whole")["exchanges"]) == 14
    assert len(lines(tmp_path / "whole")) >= 3
    assert len(killed(gateway.path, tmp_path, "12", "0", begun)) > 10


def killed(source: Path, folder: Path, *arguments: str | Path) -> list[str]:
    """The steps before which a watch was killed; all ended like the one in ``whole``."""
    whole = answers(folder / "whole")
    done = subprocess.run(
        [sys.executable, CRASH, source, folder / "copies", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{PROJECT / 'src'}{os.pathsep}{PROJECT}"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    steps = done.stdout.split()
    for step in steps:
        again = answers(folder / "copies" / step)
        for part, said in whole.items():
            assert again[part] == said, (step, part)
    return steps
