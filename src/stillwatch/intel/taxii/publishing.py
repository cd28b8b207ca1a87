"""Publishes objects into a collection, in envelopes that its server takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from stillwatch.errors import TaxiiError
from stillwatch.intel.taxii.client import Remote, TaxiiClient

__all__ = ["Published", "publish"]

#: objects of one envelope; a server that takes fewer refuses, and then halves are sent
MOST = 5_000
_HEAD, _TAIL = b'{"objects":[', b"]}"
_TOO_MUCH = (413, 422)
_LONGEST_MESSAGE = 300


class Published(msgspec.Struct):
    """What became of objects: how many the server has, and the id and reason of those that it does
    not take."""

    taken: int = 0
    refused: list[tuple[str, str]] = msgspec.field(default_factory=list)


async def publish(client: TaxiiClient, collection: Remote, objects: Iterable[Any]) -> Published:
    """Publish objects in their order. A second time changes nothing, so that whoever was
    interrupted runs it again.

    Raises:
        TaxiiError: the server cannot be reached, or refuses all of them; `Published` of what went
            before is lost, what it stands for is not.
    """
    done = Published()
    for batch in _batches(objects, collection.largest, done):
        await _send(client, collection, batch, done)
    return done


async def _send(
    client: TaxiiClient, collection: Remote, batch: Sequence[tuple[str, bytes]], done: Published
) -> None:
    """Send a batch, in halves where it is too much for the server."""
    body = b"".join([_HEAD, b",".join([each for _, each in batch]), _TAIL])
    try:
        status = await client.add(collection.url, body)
    except TaxiiError as error:
        if error.status not in _TOO_MUCH:
            raise
        if len(batch) == 1:
            done.refused.append((batch[0][0], str(error)))
            return
        middle = len(batch) // 2
        await _send(client, collection, batch[:middle], done)
        await _send(client, collection, batch[middle:], done)
        return
    failures = status.get("failures", [])
    failed = status.get("failure_count", 0)
    done.taken += len(batch) - failed
    listed = [each for each in failures if isinstance(each, dict)]
    done.refused += [
        (str(each.get("id")), str(each.get("message", "refused"))[:_LONGEST_MESSAGE])
        for each in listed
    ]
    done.refused += [("unknown", "the server does not say which, or why")] * (failed - len(listed))


def _batches(
    objects: Iterable[Any], largest: int, done: Published
) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    size = len(_HEAD) + len(_TAIL)
    for each in objects:
        name = str(each.get("id")) if isinstance(each, dict) else "unknown"
        body = msgspec.json.encode(each)
        if len(_HEAD) + len(body) + len(_TAIL) > largest:
            done.refused.append((name, f"it is larger than the server takes ({largest:,} bytes)"))
            continue
        if batch and (len(batch) == MOST or size + len(body) + 1 > largest):
            yield batch
            batch, size = [], len(_HEAD) + len(_TAIL)
        batch.append((name, body))
        size += len(body) + 1
    if batch:
        yield batch
