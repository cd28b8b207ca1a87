"""uvicorn servers as all of our applications run them: told when they answer, ended by signals."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn

from stillwatch.gateway.connections import watch

__all__ = ["Server", "configured", "serve_until_told"]


def configured(application: Any, host: str, port: int, **more: Any) -> uvicorn.Config:
    """uvicorn's settings of all of our applications: no logs of its own, no name in answers, and no
    word of a proxy taken for the client's address; with `more`.
    """
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        **more,
    )


class Server(uvicorn.Server):
    """Tells `started` its port once requests are answered."""

    def __init__(self, config: uvicorn.Config, started: Callable[[int], None] | None) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self._told is not None and self.servers:
            self._told(self.servers[0].sockets[0].getsockname()[1])


async def serve_until_told(
    config: uvicorn.Config,
    started: Callable[[int], None] | None,
    *beside: Coroutine[Any, Any, None],
) -> None:
    """Serve until SIGTERM or SIGINT, over connections that are watched; `beside` goes on meanwhile.

    The first signal lets running requests end, the second one ends them.

    Raises:
        OSError: the port is taken.
    """
    server = _Ended(config, started)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, server.end)
    tasks = [
        asyncio.create_task(each) for each in (watch(server.server_state.connections), *beside)
    ]
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()


class _Ended(Server):
    """uvicorn, but for signals, which are handled here so that stores are closed afterwards."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        """The first time let requests end, the second time end them."""
        self.force_exit = self.should_exit
        self.should_exit = True
