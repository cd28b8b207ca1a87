"""How fast objects are published and fetched over TAXII, for docs/benchmarks/intel.md.

    python -m benchmarks.intel.taxii [--objects 100000] [--store postgresql://…]

A process of `stillwatch intel serve` on loopback, over a store in a temporary folder or `--store`,
and one client: ours publishes and polls, `taxii2-client` (unmodified, in Python too) polls beside
it. Objects are indicators of digests as the profile has them, sealed with a signature that nobody
checks. Every number is one run; the fetched objects are compared with what was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import hashlib
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stillwatch.intel.store import Store, open_store
from stillwatch.intel.taxii import Batch, TaxiiClient, poll, publish

_EXTENSION = "extension-definition--6f8d0d2e-0b0e-5a53-9d9c-5c0d7a1b7f10"
_WHO = "identity--7c1ddfa1-93b9-4d3c-8a4b-3a5a6d2f9f10"


def indicator(number: int) -> dict[str, Any]:
    """An indicator of one digest, sealed; about 1.1 kB."""
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "created_by_ref": _WHO,
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "name": "payment fingerprint of a distillation campaign",
        "indicator_types": ["anomalous-activity"],
        "pattern": f"[x-stillwatch-digest:payment = '{digest[:32]}']",
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": "2026-11-01T00:00:00.000Z",
        "valid_until": "2027-02-01T00:00:00.000Z",
        "confidence": 80,
        "object_marking_refs": ["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"],
        "extensions": {
            _EXTENSION: {
                "extension_type": "property-extension",
                "digest": {
                    "scheme": "stillwatch.digest/1:frontier:2026-11:0123456789abcdef",
                    "field": "payment",
                    "value": digest[:32],
                },
                "accounts": "10-99",
                "detector": {"name": "stillwatch", "version": "0.1", "false_positive_rate": 1e-4},
                "seal": {"key": digest, "signature": digest * 2},
            }
        },
    }


def timed(what: str, objects: int, work: Callable[[], None]) -> None:
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    print(f"{what:<58} {took:8.2f} s {objects / took:10,.0f}/s", flush=True)


def serve(state: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "stillwatch", "intel", "serve", "--state", state, "--port", "0",
         "--requests-per-minute", "100000", "--objects-per-day", "100000000"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "/taxii2/" in line:
            return process, line.split()[-1].removesuffix("taxii2/")
    raise RuntimeError("the server did not start")


def ours(url: str, token: str, state: str, objects: Sequence[dict[str, Any]]) -> None:
    """Publish, publish again, poll, poll again with nothing new."""

    async def published() -> None:
        async with TaxiiClient(token) as client:
            [to] = await client.collections(url)
            done = await publish(client, to, objects)
            if done.taken != len(objects):
                raise RuntimeError(f"{len(objects) - done.taken} objects were refused")

    def polled(store: Store, wanted: int) -> None:
        found: list[Any] = []

        def receive(batch: Batch) -> None:
            found.extend(batch.objects)

        async def run() -> None:
            async with TaxiiClient(token) as client:
                [source] = await client.collections(url)
                await poll(client, source.url, store.positions, receive)

        asyncio.run(run())
        if found != list(objects)[len(objects) - wanted :] and wanted:
            raise RuntimeError("what was polled is not what was published")

    timed("publish, our client", len(objects), lambda: asyncio.run(published()))
    timed("publish the same again: nothing new", len(objects), lambda: asyncio.run(published()))
    with open_store(state, create=True) as store:
        timed("poll, our client, pages of 1,000", len(objects),
              lambda: polled(store, len(objects)))  # fmt: skip
        began = time.perf_counter()
        polled(store, 0)
        print(f"{'poll with nothing new':<58} {(time.perf_counter() - began) * 1e3:8.1f} ms")


def theirs(url: str, token: str, objects: Sequence[dict[str, Any]]) -> None:
    """The same with `taxii2-client`."""
    import taxii2client.v21 as taxii

    def polled(most: int) -> None:
        with taxii.Server(f"{url}taxii2/", user="x", password=token) as server:
            [collection] = server.default.collections
            pages = taxii.as_pages(collection.get_objects, per_request=most)
            found = [each for page in pages for each in page["objects"]]
        if found != list(objects):
            raise RuntimeError("what was polled is not what was published")

    def manifest() -> None:
        with taxii.Server(f"{url}taxii2/", user="x", password=token) as server:
            [collection] = server.default.collections
            pages = taxii.as_pages(collection.get_manifest, per_request=5_000)
            if sum(len(page["objects"]) for page in pages) != len(objects):
                raise RuntimeError("the manifest is not whole")

    for most in (100, 1_000, 5_000):
        work = functools.partial(polled, most)
        timed(f"poll, taxii2-client, pages of {most:,}", len(objects), work)
    timed("manifest, taxii2-client, pages of 5,000", len(objects), manifest)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--store", help="address of an empty PostgreSQL database")
    options = parser.parse_args(arguments)
    objects = [indicator(number) for number in range(options.objects)]
    size = sum(len(msgspec.json.encode(each)) for each in objects)
    print(
        f"{len(objects):,} objects, {size / 1e6:.0f} MB; {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        state = options.store or f"{folder}/server"
        with open_store(state, create=True) as store:
            store.collections.add("indicators")
            store.members.add("bench")
            store.members.allow("bench", "indicators", read=True, write=True)
            token, _ = store.members.create_token("bench", 86_400)
        process, url = serve(state)
        try:
            ours(url, token, f"{folder}/client", objects)
            theirs(url, token, objects)
        finally:
            process.terminate()
            process.wait()
        if not options.store:
            stored = Path(state, "intel.db").stat().st_size
            print(f"{'the store':<58} {stored / 1e6:8.0f} MB")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{'memory of the server, at most':<58} {peak:8.0f} MB")


if __name__ == "__main__":
    main()
