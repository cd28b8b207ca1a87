"""Text → keyed sketches: the only room that sees prompt text on the way to storage.

In: a secret key and batches of :class:`~stillwatch.exchange.RawExchange`.
Out: Arrow record batches with :data:`stillwatch.exchange.SCHEMA` that hold no text; and, in a
second pass, the masked words of cells that at least k accounts sent (the cell dictionary).
``docs/sketches.md`` says what is kept, what a key holder could do, and the exact format.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.sketches.dictionary import MASK_SIGN, CellDictionary, recover_cells
    from stillwatch.sketches.features import Asks, Script, Shape, describe_asks, describe_shape
    from stillwatch.sketches.key import SketchKey
    from stillwatch.sketches.sketcher import Sketcher

__all__ = [
    "MASK_SIGN",
    "Asks",
    "CellDictionary",
    "Script",
    "Shape",
    "SketchKey",
    "Sketcher",
    "describe_asks",
    "describe_shape",
    "recover_cells",
]

_AT = {
    "MASK_SIGN": "dictionary",
    "CellDictionary": "dictionary",
    "recover_cells": "dictionary",
    "Asks": "features",
    "Script": "features",
    "Shape": "features",
    "describe_asks": "features",
    "describe_shape": "features",
    "SketchKey": "key",
    "Sketcher": "sketcher",
}


def __getattr__(name: str) -> object:
    """Only what is asked for: a gateway digests names, and needs neither kernel nor Arrow."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
