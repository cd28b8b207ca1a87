"""The mark: keyed watermarks put on sampled tokens, and exact detection of them in text.

In: a master secret, logits and contexts of a batch; later, tokens of a text and marks to look for.
Out: the tokens to emit, each row under its own key; and detections with log10 p-values, corrected,
beside ranks among decoy keys. A mark is evidence, not prevention: docs/watermark.md says of what.
numpy, numba and scipy only; no engine is imported here.
"""

from stillwatch.watermark.batches import sample_rows
from stillwatch.watermark.bias_list import BiasListMark
from stillwatch.watermark.biased_texts import BiasDetection, detect_biased
from stillwatch.watermark.detecting import Detection, detect, detect_many
from stillwatch.watermark.evidence import Evidence
from stillwatch.watermark.gated import GatedMark
from stillwatch.watermark.green_list import GreenListMark
from stillwatch.watermark.gumbel import GumbelMark
from stillwatch.watermark.hypotheses import ClusterHypothesis
from stillwatch.watermark.keys import GLOBAL, KeyRing, MarkKey
from stillwatch.watermark.laws import Bernoulli, Exponential, Lattice, Law, Tries
from stillwatch.watermark.layers import LayeredMark, LayerMark
from stillwatch.watermark.mark import Mark
from stillwatch.watermark.plans import TracePlan
from stillwatch.watermark.refusing import Vocabulary
from stillwatch.watermark.retokenizing import (
    Retokenized,
    TokenizerFile,
    Tokenizing,
    retokenized,
    surviving,
)
from stillwatch.watermark.rows import sample_unmarked
from stillwatch.watermark.segmenting import WORDS, word_ids
from stillwatch.watermark.selection import SelectionMark
from stillwatch.watermark.served import ServedSketch
from stillwatch.watermark.sglang_layers import SglangMark
from stillwatch.watermark.spans import Span, spans
from stillwatch.watermark.texts import Scoring, TextMark, detect_texts
from stillwatch.watermark.tournament import TournamentMark
from stillwatch.watermark.traces import Trace, TracedCluster, TracedHypothesis
from stillwatch.watermark.tracing import trace
from stillwatch.watermark.windows import History

__all__ = [
    "GLOBAL",
    "WORDS",
    "Bernoulli",
    "BiasDetection",
    "BiasListMark",
    "ClusterHypothesis",
    "Detection",
    "Evidence",
    "Exponential",
    "GatedMark",
    "GreenListMark",
    "GumbelMark",
    "History",
    "KeyRing",
    "Lattice",
    "Law",
    "LayerMark",
    "LayeredMark",
    "Mark",
    "MarkKey",
    "Retokenized",
    "Scoring",
    "SelectionMark",
    "ServedSketch",
    "SglangMark",
    "Span",
    "TextMark",
    "TokenizerFile",
    "Tokenizing",
    "TournamentMark",
    "Trace",
    "TracePlan",
    "TracedCluster",
    "TracedHypothesis",
    "Tries",
    "Vocabulary",
    "detect",
    "detect_biased",
    "detect_many",
    "detect_texts",
    "retokenized",
    "sample_rows",
    "sample_unmarked",
    "spans",
    "surviving",
    "trace",
    "word_ids",
]
