"""What other providers told us: taken in once, kept apart from whom nobody knows, undone on call.

In: bundles of sealed objects, the members whose keys are pinned, hits in our own log, the verdicts
of our own cases. Out: indicators that are live now, actions of `access` that end by themselves and
with what caused them, the standing of each sender, and sightings to send back.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.received.blocking import Applied
    from stillwatch.intel.received.bundles import read_objects
    from stillwatch.intel.received.files import indicators_in_file
    from stillwatch.intel.received.importing import Imported, Refusal
    from stillwatch.intel.received.members import Member
    from stillwatch.intel.received.reputation import Reputation
    from stillwatch.intel.received.rules import BlockRules, read_block_rules
    from stillwatch.intel.received.store import Received, open_received

__all__ = [
    "Applied",
    "BlockRules",
    "Imported",
    "Member",
    "Received",
    "Refusal",
    "Reputation",
    "indicators_in_file",
    "open_received",
    "read_block_rules",
    "read_objects",
]

_AT = {
    "Applied": "blocking",
    "BlockRules": "rules",
    "Imported": "importing",
    "Member": "members",
    "Received": "store",
    "Refusal": "importing",
    "Reputation": "reputation",
    "indicators_in_file": "files",
    "open_received": "store",
    "read_block_rules": "rules",
    "read_objects": "bundles",
}


def __getattr__(name: str) -> object:
    """Only what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
