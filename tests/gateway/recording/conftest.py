"""Recorders with real writer processes, exchanges to record, and what was kept of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stillwatch.events import EventStore
from stillwatch.exchange import Message, RawExchange

Keep = Callable[..., Any]


def exchange(number: int, text: str = "what is a still used for", **fields: Any) -> RawExchange:
    """An exchange that can be told by its `number`, which is kept as its prompt tokens."""
    fields.setdefault("at", time.time_ns() // 1000)
    return RawExchange(
        account=f"account {number % 7}",
        messages=(Message("user", f"{text} {number}"),),
        request_id=str(number),
        completion="a still is what a distiller distils with",
        prompt_tokens=number,
        **fields,
    )


def numbers(state: Path) -> Counter[int]:
    """How often each exchange is in the store of a state folder."""
    with EventStore.open(state / "events") as store:
        found = [n for batch in store.hot() for n in batch["prompt_tokens"].to_pylist()]
        for path in store.parquet_files():
            found += pq.read_table(path, columns=["prompt_tokens"])["prompt_tokens"].to_pylist()
    return Counter(found)


@pytest.fixture(name="exchange")
def _exchange() -> Keep:
    return exchange


@pytest.fixture(name="numbers")
def _numbers() -> Keep:
    return numbers


@pytest.fixture
def run() -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """Runs what a gateway would do in its event loop; five minutes at most."""

    def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(asyncio.wait_for(work(), 300))

    return run


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds; the test's own time limit ends it if it never does."""
    while not condition():
        await asyncio.sleep(0.01)


@pytest.fixture(name="eventually")
def _eventually() -> Keep:
    return eventually
