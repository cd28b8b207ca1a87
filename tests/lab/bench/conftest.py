"""One small world, and detectors that are a few lines long."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from stillwatch.campaigns import Silent
from stillwatch.lab.bench import Cell, Periods, Size
from stillwatch.lab.bench.cell import DRIFT
from stillwatch.lab.traffic import Tier

TINY = Size(
    name="tiny",
    accounts=150,
    days=2.0,
    cells=(
        Cell(
            name="harvest",
            tier=Tier.T1,
            family="reasoning_harvest",
            accounts=12,
            exchanges=20,
            log_sd=0.2,
        ),
        Cell(name="public", tier=Tier.T3, family="reasoning_harvest", accounts=6, exchanges=40),
        Cell(
            name="moving",
            tier=Tier.T1,
            family="judge_harvest",
            accounts=6,
            exchanges=40,
            adaptive=True,
        ),
        Cell(name="quiet"),
        Cell(name="drift", period=DRIFT),
    ),
)

_SCRIPT = """
import json, sys, pathlib
import pyarrow as pa, pyarrow.parquet as pq
log, out = sys.argv[-3], pathlib.Path(sys.argv[-1])
accounts = pq.read_table(log, columns=["account"])["account"].to_pylist()
counts = {name: accounts.count(name) for name in sorted(set(accounts))}
out.mkdir()
"""
_REPORT = """
(out / "campaigns.json").write_text(json.dumps({"campaigns": [{"id": "a", "accounts": named}]}))
pq.write_table(pa.table({"account": list(counts), "score": [float(c) for c in counts.values()]}),
               out / "accounts.parquet")
sys.exit(3)
"""


@pytest.fixture(scope="session")
def tiny() -> Size:
    return TINY


@pytest.fixture(scope="session")
def periods(tmp_path_factory: pytest.TempPathFactory) -> Periods:
    """Seed 3 of the tiny size."""
    return Periods(tmp_path_factory.mktemp("worlds"), TINY, 3, Silent())


class Scripts:
    """Writes a detector and gives the command that runs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def named(self, body: str) -> str:
        """`body` sets `named`, from `counts` (exchanges by account); files follow."""
        return self.written(_SCRIPT + body + _REPORT)

    def written(self, text: str) -> str:
        """A program that is exactly `text`."""
        path = self._folder / f"detector-{len(list(self._folder.iterdir()))}.py"
        path.write_text(text)
        return shlex.join([sys.executable, str(path)])


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    folder = tmp_path / "scripts"
    folder.mkdir()
    return Scripts(folder)
