"""Every command that prints a share with its interval loads this room; most need little of it."""

from __future__ import annotations

import subprocess
import sys


def test_what_is_slow_to_load_is_loaded_when_it_is_used() -> None:
    """They were half of the time that a command took to print its help."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, stillwatch.statistics; print(*sys.modules)"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert not {"scipy.optimize", "scipy.sparse", "scipy.stats"} & set(loaded)
