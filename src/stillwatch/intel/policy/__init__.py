"""The sharing policy as data: what may leave, to whom, for what, until when, on what evidence.

In: a YAML file that a lawyer can read. Out: a :class:`Policy`, whose digest stands in the ledger
beside everything that left under it. What a policy does not name does not leave.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.policy.policy import FIELDS, Minimum, Overlap, Policy
    from stillwatch.intel.policy.reading import read_policy

__all__ = ["FIELDS", "Minimum", "Overlap", "Policy", "read_policy"]

_AT = {
    "FIELDS": "policy",
    "Minimum": "policy",
    "Overlap": "policy",
    "Policy": "policy",
    "read_policy": "reading",
}


def __getattr__(name: str) -> object:
    """Only what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
