"""TRIAGE: which suspects are worth a keyed test. Similarity is no evidence, and labelled so.

In: recorded answers of teacher, suspect and at least five unrelated models. Out: a
:class:`TriageReport`: for style, errors and refusals, the suspect's rank among the controls. With
fewer controls it says nothing. It never chooses among teachers: docs/triage.md shows why.
"""

from stillwatch.provenance.triage.report import (
    LABEL,
    LEAST_CONTROLS,
    Similarity,
    TriageReport,
    triage,
)
from stillwatch.provenance.triage.styles import closeness, style

__all__ = [
    "LABEL",
    "LEAST_CONTROLS",
    "Similarity",
    "TriageReport",
    "closeness",
    "style",
    "triage",
]
