"""What may be told to others about a campaign, and what others tell: indicators, never prompts.

In: a decided case, the log that it was found in, a sharing policy, a community key. Out: sealed
STIX 2.1 objects of the profile in `docs/intel-profile.md`, exactly as a preview showed them, each
of which can be taken back. Digests are made only of what nobody could find by trying.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.community import CommunityKey

__all__ = ["CommunityKey"]

_AT = {
    "CommunityKey": "community",
}


def __getattr__(name: str) -> object:
    """Only what is asked for: whoever checks a seal needs neither kernels nor Arrow."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
