"""What very many accounts cost: seconds and peak memory of a scan, one exchange an account.

    python benchmarks/scan_accounts.py [--accounts N …] [--crowd N] [--work DIR]

Writes a native log (Parquet, 500,000 rows a file) of N accounts with one exchange each, then runs
`stillwatch scan` on it in a process of its own. Texts are random words, but a tenth are greetings
that thousands send; two accounts share an address, or with --crowd as many as chance would have it
around a mean of N. Nobody is a campaign: what is measured is what an account costs, and whether a
campaign is made up.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_LOGS = runpy.run_path(
    str(Path(__file__).parent.parent / "tests" / "campaigns" / "wide_logs.py"), {}, "wide_logs"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--crowd", type=float, default=0, help="accounts behind an address")
    parser.add_argument("--work", type=Path, help="folder with room: 1.5 kB an account")
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    for accounts in options.accounts:
        root = Path(tempfile.mkdtemp(dir=options.work))
        try:
            print(measured(accounts, options.crowd, root), flush=True)
        finally:
            shutil.rmtree(root)


def measured(accounts: int, crowd: float, root: Path) -> str:
    """Write the log, scan it, and say in a line what that took."""
    log = _LOGS["write_wide_log"](root / "log", accounts, crowd=crowd)
    started = time.perf_counter()
    scan = subprocess.Popen(
        [sys.executable, "-m", "stillwatch", "scan", str(log), "--out", str(root / "out")],
        stdout=subprocess.DEVNULL,
    )
    ended = stored = 0
    while not ended:
        stored = max(stored, _stored(root / ".out.partial"))
        time.sleep(0.5)
        ended, status, usage = os.wait4(scan.pid, os.WNOHANG)
    seconds = time.perf_counter() - started
    scan.returncode = os.waitstatus_to_exitcode(status)
    if scan.returncode not in (0, 3):
        sys.exit(f"the scan ended with {scan.returncode}")
    found = json.loads((root / "out" / "campaigns.json").read_text("utf-8"))
    return (
        f"{accounts:>12,} accounts: log {_stored(log) / 1e9:.2f} GB, {seconds:.1f} s, "
        f"peak {usage.ru_maxrss / 1e6:.2f} GB, working files at most {stored / 1e9:.2f} GB, "
        f"{found['source']['rows']:,} rows read, {len(found['campaigns'])} campaigns"
    )


def _stored(folder: Path) -> int:
    """Bytes of the files below `folder`, some of which may be going away."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


if __name__ == "__main__":
    main()
