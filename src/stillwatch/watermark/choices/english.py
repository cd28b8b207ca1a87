"""The reviewed table: choices in English Markdown that change no fact, no order, no rendering.

Each line was read by people with one question: could any reader be told something else by the other
option? What could (rough for approximate, since for because, a number, a name, a quotation) is not
here. Connectives count only where they begin a sentence and a comma follows; what looks different
in the source only (a bullet, a closing bracket) renders as the same list.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

__all__ = ["CONNECTIVES", "LAYOUT", "TABLE"]

#: kind → phrases that begin a sentence, each with its comma
CONNECTIVES: Final[dict[str, tuple[str, ...]]] = {
    "addition": ("In addition,", "Additionally,", "Furthermore,", "Moreover,"),
    "consequence": ("Therefore,", "Thus,", "Consequently,", "As a result,"),
    "contrast": ("However,", "Nevertheless,", "Nonetheless,", "Even so,"),
    "example": ("For example,", "For instance,"),
    "first": ("First,", "Firstly,", "To begin with,"),
    "last": ("Finally,", "Lastly,"),
    "summary": ("In summary,", "In short,", "To sum up,", "To summarize,"),
}

#: kind → marks that render alike (CommonMark 0.31, sections 4.1 and 5.2)
LAYOUT: Final[dict[str, tuple[str, ...]]] = {
    "bullet": ("-", "*"),
    "dash": ("—", "–"),
    "number": (".", ")"),
    "rule": ("---", "***", "___"),
}

_DIGEST = hashlib.sha256(
    json.dumps([CONNECTIVES, LAYOUT], sort_keys=True, ensure_ascii=False).encode()
).hexdigest()

#: the name that plans commit to
TABLE: Final = f"english-markdown/1 sha256:{_DIGEST}"
