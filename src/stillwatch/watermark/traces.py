"""What a trace says: of each cluster, of each hypothesis, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from stillwatch.watermark.hypotheses import ClusterHypothesis
from stillwatch.watermark.mark import Floats, Int64s

__all__ = ["Trace", "TracedCluster", "TracedHypothesis"]


@dataclass(frozen=True, slots=True)
class TracedCluster:
    """What the trace says of one cluster.

    Attributes:
        total: the sum of its scores.
        log10_p, corrected_log10_p: of its test, and after Holm over all that was asked.
        decoy_rank: 1 where no decoy scores as high; at most `decoys` + 1. A p-value of its own,
            ``decoy_rank / (decoys + 1)``, uncorrected, that assumes no law.
        found: the corrected p-value is at most the alpha of the plan.
    """

    name: str
    total: float
    log10_p: float
    corrected_log10_p: float
    decoy_rank: int | None
    decoys: int
    found: bool


@dataclass(frozen=True, slots=True)
class TracedHypothesis:
    """What the trace says of the members of one hypothesis together.

    Attributes:
        log10_p, corrected_log10_p: of the null that no member took part. One guilty member alone
            makes them small: that is what they say, and all.
        log10_p_beside: of the null that at most one member took part, uncorrected.
        at_least: so many members took part, at the plan's alpha for the whole trace.
        decoy_rank: among groups of as many decoys as there are members; None where these would be
            too many.
        found: the corrected p-value is at most the alpha of the plan.
    """

    hypothesis: ClusterHypothesis
    log10_p: float
    corrected_log10_p: float
    log10_p_beside: float
    at_least: int
    decoy_rank: int | None
    decoys: int
    found: bool


@dataclass(frozen=True, eq=False)
class Trace:
    """What a plan's questions were answered; iterate over its clusters, the most evident first.

    Attributes:
        plan: the digest of the plan.
        evidence: the digest of the evidence.
        scored: windows that were scored, over all epochs.
        names: of the clusters, as in the plan; the arrays are in this order.
        abstained: why nothing is said, if so: then there is no p-value.
    """

    plan: str
    evidence: str
    alpha: float
    decoys: int
    scored: int
    names: tuple[str, ...]
    hypotheses: tuple[TracedHypothesis, ...] = ()
    abstained: str | None = None
    totals: Floats = field(default_factory=lambda: np.empty(0))
    log10_p: Floats = field(default_factory=lambda: np.empty(0))
    corrected_log10_p: Floats = field(default_factory=lambda: np.empty(0))
    decoy_ranks: Int64s = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.totals)

    def __iter__(self) -> Iterator[TracedCluster]:
        for place in np.argsort(self.log10_p, kind="stable"):
            yield self._at(int(place))

    def __getitem__(self, name: str) -> TracedCluster:
        if self.abstained is not None:
            raise KeyError(name)
        try:
            return self._at(self.names.index(name))
        except ValueError:
            raise KeyError(name) from None

    @property
    def found(self) -> list[TracedCluster]:
        """The clusters that were found, the most evident first."""
        count = int((self.corrected_log10_p <= np.log10(self.alpha)).sum())
        return [each for each, _ in zip(self, range(count), strict=False)]

    def _at(self, place: int) -> TracedCluster:
        corrected = float(self.corrected_log10_p[place])
        return TracedCluster(
            self.names[place], float(self.totals[place]), float(self.log10_p[place]), corrected,
            int(self.decoy_ranks[place]) if self.decoys else None, self.decoys,
            bool(corrected <= np.log10(self.alpha)),
        )  # fmt: skip
