"""Radioactivity: was a model trained on text that carries a key?

In: a registered plan, the marks, and what a suspect gives: probabilities (open), or text (closed).
Out: an :class:`Outcome` for each mark and set of texts. What it means, and what not, is on
docs/radioactivity.md.
"""

from stillwatch.provenance.radioactivity.closed_suspects import closed_test
from stillwatch.provenance.radioactivity.hugging_face import HuggingFaceSuspect
from stillwatch.provenance.radioactivity.open_suspects import open_test
from stillwatch.provenance.radioactivity.outcome import Outcome
from stillwatch.provenance.radioactivity.suspects import (
    Answer,
    Best,
    BestSuspect,
    ClosedSuspect,
    OpenSuspect,
)

__all__ = [
    "Answer",
    "Best",
    "BestSuspect",
    "ClosedSuspect",
    "HuggingFaceSuspect",
    "OpenSuspect",
    "Outcome",
    "closed_test",
    "open_test",
]
