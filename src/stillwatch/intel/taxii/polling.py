"""Fetches what is new in a collection, page by page, from where the last poll ended.

A page is handed over, and then the position behind it is written. Whoever is killed in between gets
the same batch again, by the same number: nothing is lost, and a receiver that tells batches, or
versions of objects, apart applies nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from stillwatch.errors import TaxiiError
from stillwatch.intel.store.positions import Position, PositionBook
from stillwatch.intel.taxii.client import RemotePage, TaxiiClient

__all__ = ["Batch", "Receiver", "poll"]

#: objects of a page that are asked for
PAGE = 1_000


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one page of a `collection` (its URL), the `number`-th since the first poll. They
    are what a stranger sent: nothing of them was checked."""

    collection: str
    number: int
    objects: list[Any]


#: takes a batch; when it returns, the batch is not handed over again
Receiver = Callable[[Batch], object]


async def poll(
    client: TaxiiClient, collection: str, positions: PositionBook, receive: Receiver,
    *, most: int = PAGE,
) -> Position:  # fmt: skip
    """Hand over everything that is new, in the order in which it was added; where that ends.

    Raises:
        TaxiiError: the server cannot be reached, or refuses; what was handed over stays so.
        StorageError: the position cannot be kept.
    """
    position = await asyncio.to_thread(positions.read, collection)
    while True:
        page = await _page(client, collection, position, most)
        if page is None:  # the server has forgotten where we were: from where the fetch began
            position = msgspec.structs.replace(position, next=None)
            continue
        if page.objects:
            batch = Batch(collection=collection, number=position.pages + 1, objects=page.objects)
            await asyncio.to_thread(receive, batch)
        before, position = position, _behind(position, page)
        if position != before:
            await asyncio.to_thread(positions.write, collection, position)
        if not page.more:
            return position
        if (position.next, position.after) == (before.next, before.after):
            raise TaxiiError("the server gives the same page again and again", path=collection)


async def _page(
    client: TaxiiClient, collection: str, position: Position, most: int
) -> RemotePage | None:
    try:
        return await client.page(
            collection, after=position.after, following=position.next, most=most
        )
    except TaxiiError as error:
        if position.next is not None and error.status in (400, 404, 410, 416, 422):
            return None
        raise


def _behind(position: Position, page: RemotePage) -> Position:
    """Where it goes on behind a page (TAXII 2.1, section 3.5)."""
    reached = page.last or position.reached
    following = page.next if page.more else None
    # in the middle of a fetch the question stays what it was, unless there is no `next` to ask for
    asked = position.after if following is not None else reached or position.after
    return Position(
        after=asked,
        next=following,
        reached=reached,
        pages=position.pages + bool(page.objects),
        objects=position.objects + len(page.objects),
    )
