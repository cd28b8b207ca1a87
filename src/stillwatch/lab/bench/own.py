"""The detector of this project, on rows that were sketched before."""

from __future__ import annotations

import time
from pathlib import Path

from stillwatch.campaigns import ScanOptions, Silent
from stillwatch.campaigns.scan import search
from stillwatch.detections import load_detections
from stillwatch.engines import open_engine
from stillwatch.errors import StorageError
from stillwatch.lab.bench.detector import DetectorError, Periods, Spent
from stillwatch.lab.bench.view import View
from stillwatch.lab.bench.world import key_of

__all__ = ["Own"]


class Own:
    """``stillwatch scan`` from where the log has been read; the files are those of a scan."""

    name = "stillwatch"

    def run(self, view: View, out: Path, periods: Periods) -> Spent:
        """Find the campaigns of `view`; the files go to the new folder `out`.

        Raises:
            DetectorError: whatever went wrong, but a full disk.
        """
        try:
            return self._run(view, out)
        except StorageError:
            raise
        except Exception as error:
            raise DetectorError(f"{type(error).__name__}: {error}") from error

    def _run(self, view: View, out: Path) -> Spent:
        work = out / "work"
        work.mkdir(parents=True)
        began, busy = time.perf_counter(), time.process_time()
        with open_engine("duckdb", work, memory_mb=3_000) as engine:
            search(  # without the words of cells: they are for readers, no verdict depends on them
                ScanOptions([view.world.log], out, key=key_of(view.world.seed)),
                engine,
                view,
                load_detections(),
                view.names(),
                view.read(),
                out,
                lambda _: {},
                Silent(),
            )
        rows = view.rows()
        state = sum(file.stat().st_size for file in (work / "stages").rglob("*.parquet"))
        return Spent(
            seconds=time.perf_counter() - began,
            processor=time.process_time() - busy + view.world.sketching * rows,
            state=state,
        )
