"""Whether a student shows the key: the test of an open suspect on fresh documents, from sums.

The statistic of :func:`stillwatch.provenance.radioactivity.open_test` with a context of one token,
from what each model says after each token on average, over the whole vocabulary: so a model is
asked once, whoever it is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.lab.students.suspect import Sums
from stillwatch.provenance.radioactivity.differences import standardised
from stillwatch.provenance.radioactivity.evidence import Evidence
from stillwatch.provenance.radioactivity.outcome import decoy_keys, score_law
from stillwatch.provenance.registration import Weighting
from stillwatch.statistics import chernoff_tail
from stillwatch.watermark import Mark
from stillwatch.watermark.weighted import weighted_totals

__all__ = ["Found", "evidence_of", "found"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """What one key is to one student.

    Attributes:
        log10_p: Chernoff's bound, the p-value that is claimed.
        rank: 1 where none of `decoys` random keys scores as high.
        windows, pairs: that were scored.
    """

    log10_p: float
    rank: int
    decoys: int
    windows: int
    pairs: int


def evidence_of(
    suspect: Sums,
    references: Sequence[Sums],
    *,
    weighting: Weighting = "standardised",
    kept: int = 64,
) -> Evidence:
    """The evidence against the mean of some references; without any, what the suspect says alone.

    Raises:
        ValueError: nothing to standardise by.
    """
    if weighting == "standardised" and not references:
        raise ValueError("differences are standardised by a reference, and there is none")
    weights = suspect.means
    if references:
        expected: Floats = np.mean([each.means for each in references], axis=0)
        weights = weights - expected
        if weighting == "standardised":
            weights = standardised(weights, expected, suspect.counts[:, None])
    met = np.flatnonzero(suspect.counts)
    weights = weights[met]
    tokens = np.argpartition(-np.abs(weights), kept - 1, axis=1)[:, :kept]
    some = np.take_along_axis(weights, tokens, axis=1).astype(np.float32)
    return Evidence(met[:, None], tokens.astype(np.int64), some)


def found(mark: Mark, evidence: Evidence, *, decoys: int = 1_000, seed: int = 0) -> Found:
    """The p-value of a mark's key, and its rank among random ones on the same weights."""
    law = score_law(mark.law)
    rows, columns = np.nonzero(evidence.weights)
    weights = evidence.weights[rows, columns].astype(np.float64)
    scores = mark.scores(evidence.contexts[rows], evidence.tokens[rows, columns])
    total = float(weights @ (scores - law.mean))
    keys = np.append(np.uint64(mark.key.value), decoy_keys(decoys, seed))
    totals = weighted_totals(mark, evidence.contexts, evidence.tokens, evidence.weights, keys)
    rank = 1 + int((totals[1:] >= totals[0]).sum())
    return Found(
        chernoff_tail(total, weights, law), rank, decoys, len(evidence.contexts), len(rows)
    )
