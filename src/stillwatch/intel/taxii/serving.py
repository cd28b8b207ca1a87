"""Runs a TAXII server under uvicorn until it is told to end, and sweeps its store each hour."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from stillwatch.errors import StorageError
from stillwatch.gateway.connections import KEPT_OPEN, Connection
from stillwatch.gateway.until_told import configured, serve_until_told
from stillwatch.intel.store.store import Store
from stillwatch.intel.taxii.app import TaxiiServer
from stillwatch.intel.taxii.guards import Bounds

__all__ = ["serve_taxii"]

#: seconds that requests have to come to their end after the first signal
GRACE = 60
#: seconds between two sweeps
SWEEP_EVERY = 3_600.0
_log = logging.getLogger(__name__)


def serve_taxii(
    store: Store,
    *,
    host: str,
    port: int,
    bounds: Bounds | None = None,
    title: str = "Stillwatch",
    started: Callable[[int], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. `started` is told the port once requests are answered.

    Raises:
        OSError: the port is taken.
    """
    asyncio.run(_serve(TaxiiServer(store, bounds, title=title), store, host, port, started))


async def _serve(
    application: TaxiiServer,
    store: Store,
    host: str,
    port: int,
    started: Callable[[int], None] | None,
) -> None:
    config = configured(
        application, host, port, http=Connection, timeout_keep_alive=KEPT_OPEN,
        timeout_graceful_shutdown=GRACE,
    )  # fmt: skip
    await serve_until_told(config, started, _sweep(store))


async def _sweep(store: Store) -> None:
    while True:
        try:
            swept = await asyncio.to_thread(store.sweep)
            if swept.objects:
                _log.info("%d objects had outlived their period", swept.objects)
        except StorageError as error:
            _log.warning("not swept: %s", error)
        await asyncio.sleep(SWEEP_EVERY)
