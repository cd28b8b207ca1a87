"""Provenance: whether another model was trained on what this one said, and what it lost by it.

In: keys of marks, and what a suspect gives: probabilities of tokens, or text (of a function, an
address, a file). Out: a test whose plan was fixed and hashed before the first query, with bounds on
its p-values; whether safety or neutrality went missing, and what capability was taken over; and,
labelled as such, triage. What each shows, and what not, is on docs/radioactivity.md,
docs/keyed-tests.md, docs/safety-removal.md, docs/capability.md and docs/triage.md.
"""

from stillwatch.provenance.code import code_digest
from stillwatch.provenance.probes import Probes
from stillwatch.provenance.registration import Plan, Registration
from stillwatch.provenance.suspects import AddressSuspect
from stillwatch.provenance.text_sets import TextSet
from stillwatch.provenance.transcripts import Suspect, Transcripts, ask, read_transcripts

__all__ = [
    "AddressSuspect",
    "Plan",
    "Probes",
    "Registration",
    "Suspect",
    "TextSet",
    "Transcripts",
    "ask",
    "code_digest",
    "read_transcripts",
]
