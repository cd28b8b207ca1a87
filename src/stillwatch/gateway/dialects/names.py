"""Names of models: those that look like another one to a person, or to a server, are none."""

from __future__ import annotations

import unicodedata
from typing import Final

from stillwatch.gateway.dialects.dialect import UnreadableError

__all__ = ["LONGEST_NAME", "model_name"]

#: Characters. Rows, and limits that count by model, remember names.
LONGEST_NAME: Final = 200


def model_name(name: str) -> str:
    """The name, if it is one: printable, in the normal form NFKC (Unicode Standard Annex 15), with
    no space at its ends. Letters of other scripts that look the same make another name: rules that
    allow names are safe against them, and no model server takes one for the other.

    Raises:
        UnreadableError: it is no name.
    """
    if not name or len(name) > LONGEST_NAME:
        raise UnreadableError(f"model must be a name of 1 to {LONGEST_NAME} characters", "model")
    if name.isascii():
        fine = name.isprintable()
    else:
        fine = name.isprintable() and unicodedata.is_normalized("NFKC", name)
    if not fine or name[0] == " " or name[-1] == " ":
        raise UnreadableError(
            "model must be printable characters in the normal form NFKC, without spaces around it",
            "model",
        )
    return name
