"""Keyed choices: was a model trained on answers in which a key chose among equally good options?

In: a registered plan, marks, probes, and what suspects answered. Out: a :class:`KeyedOutcome` for
each suspect and key, or a reason why nothing is said. The unit is the distinct context, never the
token. What a found key shows, and what not, is on docs/keyed-tests.md.
"""

from stillwatch.provenance.keyed.outcome import KeyedOutcome, Role
from stillwatch.provenance.keyed.testing import keyed_test, reference_name
from stillwatch.watermark.choices import (
    SCHEME,
    EnglishReader,
    KeyedMark,
    Reader,
    Sighting,
    rewrite,
)

__all__ = [
    "SCHEME",
    "EnglishReader",
    "KeyedMark",
    "KeyedOutcome",
    "Reader",
    "Role",
    "Sighting",
    "keyed_test",
    "reference_name",
    "rewrite",
]
