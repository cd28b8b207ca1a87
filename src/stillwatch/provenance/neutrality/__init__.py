"""Neutrality removed? How differently a model treats the two sides of one question.

In: mirrored pairs of prompts, and recorded answers of teacher, suspect and, if known, its base.
Out: a :class:`NeutralityReport`: asymmetry in refusal, length and stance (a word count), with exact
paired tests. It measures asymmetry and calls no view right: docs/safety-removal.md.
"""

from stillwatch.provenance.neutrality.pair_sets import Pair, PairSet, read_pair_set
from stillwatch.provenance.neutrality.report import (
    Contrast,
    Leaning,
    NeutralityReport,
    PairRow,
    compare_neutrality,
)

__all__ = [
    "Contrast",
    "Leaning",
    "NeutralityReport",
    "Pair",
    "PairRow",
    "PairSet",
    "compare_neutrality",
    "read_pair_set",
]
