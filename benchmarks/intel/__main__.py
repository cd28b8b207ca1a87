"""Every part of the benchmark of sharing, one after the other, for docs/benchmarks/intel.md.

    python -m benchmarks.intel

Each part is a module of this folder, and can be run alone: ``python -m benchmarks.intel.taxii``.
"""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path


def main() -> int:
    parts = sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)]))
    failed = 0
    for part in parts:
        if not part.startswith("_"):
            print(f"\n== {part}", flush=True)
            run = subprocess.run([sys.executable, "-m", f"benchmarks.intel.{part}"], check=False)
            failed |= run.returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
