"""The benchmark of detection: thirty cells, four periods, any detector that keeps to the files.

In: a size, seeds, and detectors: this project's own, or a command. Out: one line of JSON a
detector, cell and seed, and a report. ``docs/bench.md`` says what a cell is, what the figures mean
and how to run it on a detector of one's own.
"""

from stillwatch.lab.bench.cell import Cell
from stillwatch.lab.bench.command import Command
from stillwatch.lab.bench.detector import Detector, DetectorError, Periods, Spent
from stillwatch.lab.bench.grid import FULL, SMOKE, choose, grid_table
from stillwatch.lab.bench.own import Own
from stillwatch.lab.bench.results import Result, Results
from stillwatch.lab.bench.run import Plan, run_bench, run_cell
from stillwatch.lab.bench.scored import Scored, score_run
from stillwatch.lab.bench.sizes import SIZES, Size

__all__ = [
    "FULL",
    "SIZES",
    "SMOKE",
    "Cell",
    "Command",
    "Detector",
    "DetectorError",
    "Own",
    "Periods",
    "Plan",
    "Result",
    "Results",
    "Scored",
    "Size",
    "Spent",
    "choose",
    "grid_table",
    "run_bench",
    "run_cell",
    "score_run",
]
