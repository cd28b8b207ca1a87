"""Choices: a key takes one of a few equally good wordings, and a reader finds which was taken.

In: an answer, the prompt that it answers, and a mark under the key of a cluster. Out: the answer
with the key's option wherever the reviewed table has a choice, whole or piece by piece. Everything
else stays. Whether a model was trained on such answers is tested in
:mod:`stillwatch.provenance.keyed`; what is found and what not stands on docs/keyed-tests.md.
"""

from stillwatch.watermark.choices.marks import SCHEME, KeyedMark
from stillwatch.watermark.choices.sightings import Reader, Sighting
from stillwatch.watermark.choices.writing import EnglishReader, Rewriter, rewrite

__all__ = ["SCHEME", "EnglishReader", "KeyedMark", "Reader", "Rewriter", "Sighting", "rewrite"]
