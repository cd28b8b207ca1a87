"""Sets that can be asked and not read: a member learns only what it already holds.

In: digests under a community key, and a recipient. Out: a file that says of a digest whether it is
in the set, with one false yes in a million, lists nothing, and names its recipient when it leaks.
In the manner of CIRCL's Private Search Sets; `docs/intel-profile.md` gives the format byte by byte.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.private_sets.bloom import Bloom
    from stillwatch.intel.private_sets.private_set import PrivateSet, build_set, read_set
    from stillwatch.intel.private_sets.watermark import Suspicion, find_leaker

__all__ = ["Bloom", "PrivateSet", "Suspicion", "build_set", "find_leaker", "read_set"]

_AT = {
    "Bloom": "bloom",
    "PrivateSet": "private_set",
    "Suspicion": "watermark",
    "build_set": "private_set",
    "find_leaker": "watermark",
    "read_set": "private_set",
}


def __getattr__(name: str) -> object:
    """Only what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
