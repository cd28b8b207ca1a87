"""Private set intersection: which identifiers of ours another holds too, before anything is told.

In: identifiers of a case or of a file, a sharing policy, the pinned key of the other. Out: a sealed
request, a sealed answer, and what the asker learns of them: which of its own identifiers the other
holds, or how many. The other learns how large the question was, to a power of two, and no more.
`docs/intel-overlap.md` says what holds and what does not, and gives the messages byte by byte.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.overlap.answering import Reply, consider, give
    from stillwatch.intel.overlap.asking import Question, ask, send
    from stillwatch.intel.overlap.gathering import Gathered, of_case, of_cases, of_file
    from stillwatch.intel.overlap.message import Header, Message, read_message
    from stillwatch.intel.overlap.opening import Found, open_answer
    from stillwatch.intel.overlap.questions import Questions

__all__ = [
    "Found",
    "Gathered",
    "Header",
    "Message",
    "Question",
    "Questions",
    "Reply",
    "ask",
    "consider",
    "give",
    "of_case",
    "of_cases",
    "of_file",
    "open_answer",
    "read_message",
    "send",
]

_AT = {
    "Found": "opening",
    "Gathered": "gathering",
    "Header": "message",
    "Message": "message",
    "Question": "asking",
    "Questions": "questions",
    "Reply": "answering",
    "ask": "asking",
    "consider": "answering",
    "give": "answering",
    "of_case": "gathering",
    "of_cases": "gathering",
    "of_file": "gathering",
    "open_answer": "opening",
    "read_message": "message",
    "send": "asking",
}


def __getattr__(name: str) -> object:
    """Only what is asked for: the register of questions needs no log."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
