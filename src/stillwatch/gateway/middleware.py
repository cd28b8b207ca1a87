"""The gateway inside a model server: an ASGI middleware class, configured by the environment.

``vllm serve … --middleware stillwatch.gateway.Middleware`` and servers like it make the class with
the application as its one argument. Every request then passes the gateway; routes that it does not
know are refused, the model server's own unauthenticated ones included.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from stillwatch.errors import SettingsError, StillwatchError
from stillwatch.gateway.app import Gateway
from stillwatch.gateway.dialects.openai_errors import refusal_body
from stillwatch.gateway.in_process import Application, InProcess
from stillwatch.gateway.lifetime import running
from stillwatch.gateway.refusals import unavailable
from stillwatch.gateway.settings import GatewaySettings, in_front_of, read_gateway
from stillwatch.gateway.wire import Receive, Scope, Send, respond

__all__ = ["CONFIG", "STATE", "Middleware"]

#: Variables of the environment: the state folder (required), and the settings file.
STATE = "STILLWATCH_STATE"
CONFIG = "STILLWATCH_CONFIG"
_HERE = "http://in-process"


class Middleware:
    """Wraps the application of a model server. Opens its stores when the server starts."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._gateway: Gateway | None = None
        self._open = contextlib.AsyncExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif self._gateway is not None:
            await self._gateway(scope, receive, send)
        elif scope["type"] == "http":
            refusal = unavailable("the gateway has not started")
            await respond(send, refusal.status, refusal_body(refusal), ())

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start after the model server has, and end before it does."""

        async def between(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                try:
                    self._gateway = await self._open.enter_async_context(_gateway(self._app))
                except StillwatchError as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
            elif message["type"] == "lifespan.shutdown.complete":
                self._gateway = None
                await self._open.aclose()
            await send(message)

        await self._app(scope, receive, between)


def _gateway(app: Application) -> contextlib.AbstractAsyncContextManager[Gateway]:
    state, config = os.environ.get(STATE), os.environ.get(CONFIG)
    if not state:
        raise SettingsError(f"name the state folder in the variable {STATE} of the environment")
    path = Path(config) if config else None
    settings: GatewaySettings = in_front_of(_HERE) if path is None else read_gateway(path)
    return running(Path(state), settings, reread=path, upstream=InProcess(app))
