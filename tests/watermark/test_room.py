"""The room as a whole."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"aiohttp", "duckdb", "ibis", "pyarrow", "sqlalchemy", "starlette", "torch"}


def test_the_room_loads_arrays_and_a_compiler_and_nothing_else_that_is_heavy() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, stillwatch.watermark; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "stillwatch.watermark" in loaded
    assert HEAVY & {name.partition(".")[0] for name in loaded} == set()
