"""STIX objects in collections, as members publish and fetch them: SQLite, or PostgreSQL.

In: objects that a member sends, checked for what STIX 2.1 asks of every object and otherwise left
alone. Out: pages in the order in which they were added, which miss nothing and repeat nothing while
others write; a status for each request; what a member may do. What is acknowledged is on the disk.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.store.adding import Outcome, Status
    from stillwatch.intel.store.collections import Collection
    from stillwatch.intel.store.members import Member, Right, Token
    from stillwatch.intel.store.objects import Incoming, check_object
    from stillwatch.intel.store.reading import Filter, Page, Version
    from stillwatch.intel.store.store import Store, open_store

__all__ = [
    "Collection",
    "Filter",
    "Incoming",
    "Member",
    "Outcome",
    "Page",
    "Right",
    "Status",
    "Store",
    "Token",
    "Version",
    "check_object",
    "open_store",
]

_AT = {
    "Collection": "collections",
    "Filter": "reading",
    "Incoming": "objects",
    "Member": "members",
    "Outcome": "adding",
    "Page": "reading",
    "Right": "members",
    "Status": "adding",
    "Store": "store",
    "Token": "members",
    "Version": "reading",
    "check_object": "objects",
    "open_store": "store",
}


def __getattr__(name: str) -> object:
    """Only what is asked for: importing the room loads no database."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
