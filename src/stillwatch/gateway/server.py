"""Runs a gateway under uvicorn until it is told to end, and lets what runs come to its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
import uvloop

from stillwatch.gateway.connections import KEPT_OPEN, Connection, watch
from stillwatch.gateway.lifetime import running
from stillwatch.gateway.settings import GatewaySettings

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
) -> None:
    """Serve until SIGTERM or SIGINT. `started` is told the port once requests are answered.

    Raises:
        StillwatchError: a store cannot be opened.
        OSError: the port is taken.
    """
    uvloop.run(_serve(state, settings, host, port, reread, started))


async def _serve(
    state: Path,
    settings: GatewaySettings,
    host: str,
    port: int,
    reread: Path | None,
    started: Callable[[int], None] | None,
) -> None:
    async with running(state, settings, reread=reread) as gateway:
        server = _Server(
            uvicorn.Config(
                gateway,
                host=host,
                port=port,
                http=Connection,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEPT_OPEN,
                timeout_graceful_shutdown=GRACE,
                backlog=4096,
            ),
            started,
        )
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, server.end)
        watching = asyncio.create_task(watch(server.server_state.connections))
        try:
            await server.serve()
        finally:
            watching.cancel()


class _Server(uvicorn.Server):
    """uvicorn, but for signals, which are handled here so that stores are closed afterwards."""

    def __init__(self, config: uvicorn.Config, started: Callable[[int], None] | None) -> None:
        super().__init__(config)
        self._told = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        """The first time let requests end, the second time end them."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self._told is not None and self.servers:
            self._told(self.servers[0].sockets[0].getsockname()[1])
