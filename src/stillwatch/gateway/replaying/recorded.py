"""An event store as the log of a replay: what the gateway itself recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch.errors import InputError
from stillwatch.events import EventStore
from stillwatch.sketches import SketchKey

__all__ = ["digests_of", "find_store", "recorded", "store_batches"]

_AT_ONCE = 16_384
_NAMED = {"account": "account", "key": "key", "org": "org"}
_SAME = (
    "asn", "country", "model", "endpoint", "stream", "temperature", "n", "max_tokens",
    "logit_bias", "response_format", "prefill", "reasoning", "completion_tokens", "latency_ms",
    "status",
)  # fmt: skip
_COLUMNS = [
    "at", *_NAMED, *_SAME, "tenant_kind", "logprobs", "top_logprobs", "tools", "prompt_tokens",
    "chars",
]  # fmt: skip


def find_store(logs: tuple[str, ...]) -> Path | None:
    """The event store that `logs` name; ``None`` where they name logs.

    Raises:
        InputError: they name a store and something else.
    """
    stores = [Path(log) for log in logs if (Path(log) / "hot.sqlite").is_file()]
    if stores and len(logs) > 1:
        raise InputError(
            "is an event store, which is read alone; name nothing else", path=stores[0]
        )
    return stores[0] if stores else None


def digests_of(key_file: Path) -> Callable[[str, str], str]:
    """How a store that was written with this key calls an account or a key.

    Raises:
        KeyFileError: the key cannot be read.
    """
    key = SketchKey.from_file(key_file)
    return lambda purpose, value: _called(key.digest(purpose, value))


def _called(digest: int) -> str:
    return f"{digest & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def store_batches(store: EventStore) -> Iterator[pa.RecordBatch]:
    """Everything in the store, files first; rows that are rolled meanwhile may come twice, and
    whoever reads says so by :meth:`EventStore.parquet_files` having changed."""
    for file in store.parquet_files():
        yield from pq.ParquetFile(file).iter_batches(_AT_ONCE, columns=_COLUMNS)
    for batch in store.hot():
        yield batch.select(_COLUMNS)


def recorded(batch: pa.RecordBatch) -> dict[str, Any]:
    """What is kept of recorded exchanges, by column. Accounts are called by their digests."""
    found: dict[str, Any] = {name: batch[name] for name in _SAME}
    for name in ("country", "model", "endpoint", "response_format", "reasoning"):
        found[name] = found[name].cast(pa.string())
    for name, column in _NAMED.items():
        found[name] = [None if d is None else _called(d) for d in batch[column].to_pylist()]
    shown = pc.coalesce(batch["top_logprobs"], batch["logprobs"].cast(pa.int32()))
    tools = pc.greater(batch["tools"], 0)
    nothing = pa.nulls(len(batch), pa.string())
    return found | {
        "at": batch["at"].cast(pa.int64()),
        "kind": batch["tenant_kind"].cast(pa.string()),
        "ip": nothing,
        "ja4": nothing,
        "logprobs": shown.cast(pa.int64()),
        "tools": tools,
        "prompt_tokens": pc.max_element_wise(
            batch["prompt_tokens"], pc.add(pc.divide(batch["chars"], 3), 1), skip_nulls=True
        ).cast(pa.int64()),
    }
