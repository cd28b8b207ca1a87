"""Safety removed? What a suspect answers of the prompts that the teacher refuses.

In: a set of prompts, and recorded answers of teacher, suspect and, if known, its base. Out: a
:class:`RefusalReport` of shares with intervals that carry the judge's error, exact paired tests,
over-refusal, and labels and digests in place of text. docs/safety-removal.md says what it shows.
"""

from stillwatch.provenance.refusals.judge import Judge, Label, errors_on, read_judge, read_labels
from stillwatch.provenance.refusals.prompt_sets import Prompt, PromptSet, read_prompt_set
from stillwatch.provenance.refusals.report import (
    Comparison,
    JudgedShare,
    RefusalReport,
    Row,
    compare_refusals,
)
from stillwatch.provenance.refusals.usefulness import Shape, shape_of

__all__ = [
    "Comparison",
    "Judge",
    "JudgedShare",
    "Label",
    "Prompt",
    "PromptSet",
    "RefusalReport",
    "Row",
    "Shape",
    "compare_refusals",
    "errors_on",
    "read_judge",
    "read_labels",
    "read_prompt_set",
    "shape_of",
]
