"""What others told about campaigns, looked for in exchanges of our own.

In: indicators as objects of the profile, a community key, exchanges or a gateway's store. Out:
which account meets which indicator, when and how often; as rows for people, or as the table of
hits that detections read. Patterns are read by a strict grammar, and nothing is ever evaluated.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.matching.indicators import Indicator, indicator_of, indicators_of
    from stillwatch.intel.matching.logs import AccountHit, Matched, match_log, write_hits
    from stillwatch.intel.matching.meeting import IndicatorMeeting
    from stillwatch.intel.matching.patterns import Pattern, read_pattern
    from stillwatch.intel.matching.sets import IndicatorSet
    from stillwatch.intel.matching.stored import match_store

__all__ = [
    "AccountHit",
    "Indicator",
    "IndicatorMeeting",
    "IndicatorSet",
    "Matched",
    "Pattern",
    "indicator_of",
    "indicators_of",
    "match_log",
    "match_store",
    "read_pattern",
    "write_hits",
]

_AT = {
    "AccountHit": "logs",
    "Indicator": "indicators",
    "IndicatorMeeting": "meeting",
    "IndicatorSet": "sets",
    "Matched": "logs",
    "Pattern": "patterns",
    "indicator_of": "indicators",
    "indicators_of": "indicators",
    "match_log": "logs",
    "match_store": "stored",
    "read_pattern": "patterns",
    "write_hits": "logs",
}


def __getattr__(name: str) -> object:
    """Only what is asked for: whoever reads a pattern needs no kernels."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
