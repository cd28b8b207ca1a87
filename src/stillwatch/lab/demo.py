"""The demonstration: simulated days with hidden campaigns, scanned, with what was hidden beside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from stillwatch.campaigns import Progress, ScanOptions, ScanReport, scan
from stillwatch.campaigns.outputs import output_folder
from stillwatch.lab.scoring import Score, score_folder
from stillwatch.lab.traffic import Traffic, simulate
from stillwatch.sources import NativeWriter

__all__ = ["Demonstration", "demonstrate", "write_traffic"]

CAVEAT = (
    "This is simulated traffic: some prompts are real texts, others are composed; arrival times "
    "follow production traces; accounts and their infrastructure are invented."
)


@dataclass(frozen=True)
class Demonstration:
    """The traffic, the report and the score of one demonstration."""

    traffic: Traffic
    report: ScanReport
    score: Score


def demonstrate(
    out: Path, *, preset: str = "demo", seed: int, force: bool, progress: Progress
) -> Demonstration:
    """Simulate `preset`, scan it, score it; files go to `out`.

    ``traffic.parquet`` and ``labels.parquet`` are the simulated log, ``report/`` what ``scan``
    wrote of it.
    """
    with output_folder(out, force=force) as folder:
        progress.step("simulating two days of traffic")
        traffic = simulate(preset, seed)
        write_traffic(traffic, folder / "traffic.parquet", folder / "labels.parquet")
        options = ScanOptions([folder / "traffic.parquet"], folder / "report", caveat=CAVEAT)
        report = scan(options, progress)
        score = score_folder(folder / "report", folder / "labels.parquet")
    return Demonstration(traffic, report, score)


def write_traffic(traffic: Traffic, log: Path, labels: Path) -> None:
    """The native log and its labels, as ``simulate`` writes them."""
    with NativeWriter(log) as writer:
        for batch in traffic.batches():
            writer.write(batch)
    pq.write_table(traffic.labels(), labels, compression="zstd")
