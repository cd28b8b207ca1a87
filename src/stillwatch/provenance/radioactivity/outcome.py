"""What a test of one mark on one set of texts says, and the correction over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stillwatch.statistics import (
    BernoulliScores,
    ExponentialScores,
    LatticeScores,
    ScoreLaw,
    holm_log10,
)
from stillwatch.watermark import Bernoulli, Exponential, Lattice, Law, Mark

__all__ = ["Outcome", "corrected", "decoy_keys", "score_law"]

#: a mark's uniform numbers have so many values
_STEPS = 1 << 24


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one mark is to one suspect on one set of texts; where it abstains there is no p-value.

    Attributes:
        mark: the mark.
        texts: the name of the set of texts, or of prompts.
        statistic: what was tested and how, in words.
        windows, pairs: distinct windows, and (window, token) pairs, that were scored.
        log10_p: what is claimed: a bound or an exact value, of the null that this key took no part
            in anything that the suspect learnt.
        log10_p_approximate: a value that is nearer to the truth where `log10_p` is a bound, and is
            no bound itself; None where `log10_p` is exact.
        corrected_log10_p: `log10_p` after Holm, over all marks and sets of texts of the plan.
        decoy_rank: 1 where none of `decoys` random keys scores as high on the same weights.
        found: whether `corrected_log10_p` is at most the plan's alpha.
        registration: the digest of the plan.
        abstained: why nothing is said, if so.
    """

    mark: Mark
    texts: str
    statistic: str
    registration: str
    windows: int = 0
    pairs: int = 0
    log10_p: float | None = None
    log10_p_approximate: float | None = None
    corrected_log10_p: float | None = None
    decoy_rank: int | None = None
    decoys: int = 0
    found: bool = False
    abstained: str | None = None

    def said(self) -> dict[str, Any]:
        """The outcome as JSON has it; the key by epoch and cluster."""
        return {
            "texts": self.texts,
            "cluster": self.mark.key.cluster,
            "epoch": self.mark.key.epoch,
            "scheme": self.mark.scheme,
            "context": self.mark.context,
            "statistic": self.statistic,
            "windows": self.windows,
            "pairs": self.pairs,
            "log10_p": _round(self.log10_p),
            "log10_p_approximate": _round(self.log10_p_approximate),
            "corrected_log10_p": _round(self.corrected_log10_p),
            "decoy_rank": self.decoy_rank,
            "decoys": self.decoys,
            "found": self.found,
            "abstained": self.abstained,
            "registration": self.registration,
        }


def _round(value: float | None) -> float | None:
    """To six digits after the point, so that two machines print the same; and no minus zero."""
    return None if value is None else round(value, 6) + 0.0


def corrected(outcomes: Sequence[Outcome], alpha: float) -> tuple[Outcome, ...]:
    """With Holm's correction over all that were planned; where nothing is said, p counts as 1."""
    adjusted = holm_log10([each.log10_p or 0.0 for each in outcomes])
    return tuple(
        each if each.log10_p is None
        else replace(each, corrected_log10_p=float(p), found=bool(p <= np.log10(alpha)))
        for each, p in zip(outcomes, adjusted, strict=True)
    )  # fmt: skip


def decoy_keys(count: int, seed: int) -> np.ndarray:
    """The values of random keys, uint64 [count]."""
    return np.random.default_rng(seed).integers(0, 1 << 64, count, np.uint64)


def score_law(law: Law) -> ScoreLaw:
    """The law of a mark's score as weighted sums need it.

    Raises:
        ValueError: a law that they do not know.
    """
    if isinstance(law, Exponential):
        return ExponentialScores(_STEPS)
    if isinstance(law, Bernoulli):
        return BernoulliScores(law.share)
    if isinstance(law, Lattice):
        return LatticeScores(law.masses)
    raise ValueError(f"no weighted test is known for scores of the law {law!r}")
