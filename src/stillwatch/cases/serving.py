"""Runs the API of cases under uvicorn until it is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from stillwatch.cases.api import CasesAPI
from stillwatch.cases.store import Cases
from stillwatch.gateway.until_told import Server, configured

__all__ = ["serve_api"]

#: seconds that requests have to come to their end
GRACE = 30


def serve_api(
    cases: Cases,
    *,
    host: str,
    port: int,
    ledger: Path | None = None,
    started: Callable[[int], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. `started` is told the port once requests are answered.

    Raises:
        OSError: the port is taken.
    """
    application = CasesAPI(cases, ledger)
    server = Server(configured(application, host, port, timeout_graceful_shutdown=GRACE), started)
    asyncio.run(server.serve())
