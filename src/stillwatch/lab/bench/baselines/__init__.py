"""Baselines as detectors of the benchmark: the same logs, the same files, calibrated beforehand.

In: a view of a world, and the calibration period. Out: the files of the design. What is published
and what is re-implemented here stands in each module and in ``docs/bench.md``.
"""

from stillwatch.lab.bench.baselines.accounts import Mmd, Prada, RuleBook, Seat
from stillwatch.lab.bench.baselines.network import SimilarityNetwork
from stillwatch.lab.bench.baselines.stream import StreamClusters
from stillwatch.lab.bench.detector import Detector

__all__ = ["BASELINES", "Mmd", "Prada", "RuleBook", "Seat", "SimilarityNetwork", "StreamClusters"]

BASELINES: tuple[Detector, ...] = (
    Mmd(),
    Prada(),
    Seat(),
    RuleBook(),
    SimilarityNetwork(),
    StreamClusters(),
)
