"""Runs a gateway under uvicorn until it is told to end, and lets what runs come to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import uvloop

from stillwatch.gateway.connections import KEPT_OPEN, Connection
from stillwatch.gateway.lifetime import running
from stillwatch.gateway.recording import Comparing
from stillwatch.gateway.settings import GatewaySettings
from stillwatch.gateway.until_told import configured, serve_until_told

__all__ = ["serve"]

#: Seconds that requests have to come to their end after the first signal; a second ends them.
GRACE = 120


def serve(
    state: Path,
    settings: GatewaySettings,
    *,
    host: str,
    port: int,
    reread: Path | None = None,
    started: Callable[[int], None] | None = None,
    comparing: Comparing | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. `started` is told the port once requests are answered.
    `comparing` says what is kept for others to compare.

    Raises:
        StillwatchError: a store cannot be opened.
        OSError: the port is taken.
    """
    uvloop.run(_serve(state, settings, host, port, reread, started, comparing))


async def _serve(
    state: Path,
    settings: GatewaySettings,
    host: str,
    port: int,
    reread: Path | None,
    started: Callable[[int], None] | None,
    comparing: Comparing | None,
) -> None:
    async with running(state, settings, reread=reread, comparing=comparing) as gateway:
        config = configured(
            gateway, host, port, http=Connection, timeout_keep_alive=KEPT_OPEN,
            timeout_graceful_shutdown=GRACE, backlog=4096,
        )  # fmt: skip
        await serve_until_told(config, started)
