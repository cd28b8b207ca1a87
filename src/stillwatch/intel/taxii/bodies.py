"""Bodies of other servers, read leniently: one odd object must not keep the others away."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["lenient"]

#: digits of a number that any program could mean
_MOST_DIGITS = 25


def lenient(body: bytes) -> Any:
    """The value of a JSON text; a number that is too long to be one is null, so that the seal of
    its object no longer holds, and the import refuses that one alone.

    Raises:
        ValueError: it is no JSON, or too deep.
    """
    try:
        return json.loads(body, parse_int=_integer)
    except RecursionError as error:
        raise ValueError("arrays and objects lie too deep") from error


def _integer(text: str) -> int | None:
    # Python refuses more than 4,300 digits, and with them all that stands beside
    return int(text) if len(text) <= _MOST_DIGITS else None
