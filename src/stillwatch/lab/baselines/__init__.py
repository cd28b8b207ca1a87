"""Three detectors that others would build first, to stand beside ``stillwatch scan``.

In: batches of :class:`~stillwatch.exchange.RawExchange` (or a log), and the simulator's labels
where a method needs a clean reference or training data. Out: :class:`Judged`, a score for every
account and the threshold that flags it, and :class:`Outcome`, what that was worth.
``docs/baselines.md`` says how each differs from the work that it follows.
"""

from stillwatch.lab.baselines.baseline import Baseline, Judged, rows_of
from stillwatch.lab.baselines.classifier import CorpusOnly, Examined
from stillwatch.lab.baselines.labels import Labels
from stillwatch.lab.baselines.mmd import MmdWindow, PromptFeatures
from stillwatch.lab.baselines.outcome import Outcome, auc, outcome
from stillwatch.lab.baselines.rules import LIMITS, Limits, Rules

__all__ = [
    "LIMITS",
    "Baseline",
    "CorpusOnly",
    "Examined",
    "Judged",
    "Labels",
    "Limits",
    "MmdWindow",
    "Outcome",
    "PromptFeatures",
    "Rules",
    "auc",
    "outcome",
    "rows_of",
]
