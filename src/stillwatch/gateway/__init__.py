"""The gateway: an ASGI application in front of any model server that enforces `access`.

In: HTTP requests in the dialects of OpenAI and Anthropic. Out: the upstream's answers, within the
caller's surface, whole or streamed; and one exchange a request, sketched, in the event store.
:func:`serve` runs it under uvicorn, :class:`Middleware` inside a model server.
"""

from stillwatch.gateway.app import Gateway
from stillwatch.gateway.middleware import Middleware
from stillwatch.gateway.running import running
from stillwatch.gateway.server import serve
from stillwatch.gateway.settings import GatewaySettings, in_front_of, read_gateway

__all__ = [
    "Gateway",
    "GatewaySettings",
    "Middleware",
    "in_front_of",
    "read_gateway",
    "running",
    "serve",
]
