"""TAXII 2.1: a server of collections as an ASGI application, and an asynchronous client.

In: requests of members, with tokens; collections of other servers. Out: what the OASIS standard
says (TAXII 2.1, 10 June 2021), so that any client of it works; new objects, handed over once they
are there, from where the last poll ended. Who may do what is in :mod:`stillwatch.intel.store`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.taxii.app import TaxiiServer
    from stillwatch.intel.taxii.client import TaxiiClient
    from stillwatch.intel.taxii.guards import Bounds
    from stillwatch.intel.taxii.polling import Batch, poll
    from stillwatch.intel.taxii.publishing import Published, publish
    from stillwatch.intel.taxii.serving import serve_taxii

__all__ = [
    "Batch",
    "Bounds",
    "Published",
    "TaxiiClient",
    "TaxiiServer",
    "poll",
    "publish",
    "serve_taxii",
]

_AT = {
    "Batch": "polling",
    "Bounds": "guards",
    "Published": "publishing",
    "TaxiiClient": "client",
    "TaxiiServer": "app",
    "poll": "polling",
    "publish": "publishing",
    "serve_taxii": "serving",
}


def __getattr__(name: str) -> object:
    """Only what is asked for: a client needs no server."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
