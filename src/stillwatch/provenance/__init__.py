"""Provenance: whether another model was trained on what this one said.

In: keys of marks, and what a suspect gives: probabilities of tokens, or text. Out: a test whose
plan was fixed and hashed before the first query, with bounds on its p-values. What is shown is that
a model knows text that carries a key, by whatever way that text reached it: docs/radioactivity.md.
"""

from stillwatch.provenance.code import code_digest
from stillwatch.provenance.probes import Probes
from stillwatch.provenance.registration import Plan, Registration
from stillwatch.provenance.text_sets import TextSet

__all__ = ["Plan", "Probes", "Registration", "TextSet", "code_digest"]
