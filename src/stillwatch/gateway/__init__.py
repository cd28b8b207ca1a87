"""The gateway: an ASGI application in front of any model server that enforces `access`.

In: HTTP requests in the dialects of OpenAI and Anthropic. Out: the upstream's answers, within the
caller's surface, whole or streamed; and one exchange a request, sketched, in the event store.
:func:`serve` runs it under uvicorn, :class:`Middleware` inside a model server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.gateway.app import Gateway
    from stillwatch.gateway.lifetime import running
    from stillwatch.gateway.middleware import Middleware
    from stillwatch.gateway.recording import Comparing
    from stillwatch.gateway.server import serve
    from stillwatch.gateway.settings import GatewaySettings, in_front_of, read_gateway

__all__ = [
    "Comparing",
    "Gateway",
    "GatewaySettings",
    "Middleware",
    "in_front_of",
    "read_gateway",
    "running",
    "serve",
]

_AT = {
    "Comparing": "recording",
    "Gateway": "app",
    "Middleware": "middleware",
    "running": "lifetime",
    "serve": "server",
    "GatewaySettings": "settings",
    "in_front_of": "settings",
    "read_gateway": "settings",
}


def __getattr__(name: str) -> object:
    """Only what is asked for: the writer process is of this room, and needs none of these."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
