"""Polls a collection into a folder, small page by small page, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from stillwatch.intel.store import open_store
from stillwatch.intel.taxii import TaxiiClient, poll
from stillwatch.intel.taxii.files import into_folder


async def main(url: str, token: str, state: str) -> None:
    write = into_folder(Path(state, "polled"))
    async with TaxiiClient(token) as client:
        with open_store(state, create=True) as store:
            sys.stdout.write("began\n")
            sys.stdout.flush()
            while True:
                await poll(client, url, store.positions, write, most=3)
                await asyncio.sleep(0.01)


asyncio.run(main(*sys.argv[1:]))
