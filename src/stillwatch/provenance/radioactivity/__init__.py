"""Radioactivity: was a model trained on text that carries a key?"""

from stillwatch.provenance.radioactivity.suspects import (
    Answer,
    Best,
    BestSuspect,
    ClosedSuspect,
    OpenSuspect,
)

__all__ = ["Answer", "Best", "BestSuspect", "ClosedSuspect", "OpenSuspect"]
