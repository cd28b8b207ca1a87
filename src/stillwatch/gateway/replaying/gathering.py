"""Log → kept rows in a temporary file, in the order of their times.

A log is read once. What rules never ask for (the texts) is left out, so that ten million requests
take a few hundred megabytes of disk and no more memory than ten thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch.errors import StorageError
from stillwatch.exchange import RawExchange
from stillwatch.gateway.dialects.sizes import tokens_of_bytes
from stillwatch.gateway.replaying.rows import SCHEMA, Row

__all__ = ["Gathered", "kept"]

_AT_ONCE = 16_384
_SORT_MB = 1_000


class Gathered:
    """Kept rows on their way through a file of the folder `work`; a context manager.

    `given` are the columns that any row fills, `blank` how many rows leave each one blank.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self._file = work / "rows.parquet"
        self._writer = pq.ParquetWriter(self._file, SCHEMA, compression="lz4")
        self._last = -(2**63)
        self._sorted = True
        self.rows = 0
        self.first: int | None = None
        self.last: int | None = None
        self.blank: Counter[str] = Counter()

    def __enter__(self) -> Gathered:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    @property
    def given(self) -> frozenset[str]:
        """Columns that some row fills; all of them where there are no rows."""
        return frozenset(name for name in SCHEMA.names if self.blank[name] < max(self.rows, 1))

    def add(self, columns: dict[str, Any]) -> None:
        """Keep rows, as lists or arrays by column (all but `number`)."""
        at = columns["at"] = pa.array(columns["at"], pa.int64())
        if not len(at):
            return
        columns["number"] = range(self.rows, self.rows + len(at))
        batch = pa.record_batch(
            [pa.array(columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA
        )
        for name, column in zip(SCHEMA.names, batch.columns, strict=True):
            self.blank[name] += column.null_count
        span = pc.min_max(at).as_py()
        self.first = span["min"] if self.first is None else min(self.first, span["min"])
        self.last = span["max"] if self.last is None else max(self.last, span["max"])
        steps = pc.less(at[1:], at[:-1])
        self._sorted = self._sorted and at[0].as_py() >= self._last and not pc.any(steps).as_py()
        self._last = max(self._last, span["max"])
        self.rows += len(at)
        self._writer.write_batch(batch)

    def in_order(self) -> Iterator[Row]:
        """The rows by time; those of one time in the order of the log."""
        self._writer.close()
        for batch in self._batches():
            yield from map(Row._make, zip(*(c.to_pylist() for c in batch.columns), strict=True))

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self._sorted:
            yield from pq.ParquetFile(self._file).iter_batches(_AT_ONCE)
        else:
            yield from self._sort()

    def _sort(self) -> Iterator[pa.RecordBatch]:
        """DuckDB sorts what does not fit into memory on the disk.

        Raises:
            StorageError: it cannot.
        """
        import duckdb  # a log in order needs none

        try:
            with duckdb.connect() as engine:
                engine.execute(f"SET memory_limit = '{_SORT_MB}MB'")
                engine.execute("SET temp_directory = ?", [str(self._work / "spill")])
                rows = engine.sql(
                    'SELECT * FROM read_parquet(?) ORDER BY "at", "number"',
                    params=[str(self._file)],
                )
                yield from rows.to_arrow_reader(_AT_ONCE)
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise StorageError(f"the log cannot be sorted: {error}", path=self._work) from error


def kept(rows: list[RawExchange]) -> dict[str, Any]:
    """What is kept of rows of a log, by column."""
    return {
        "at": [row.at for row in rows],
        "account": [row.account for row in rows],
        "key": [row.key for row in rows],
        "org": [row.org for row in rows],
        "kind": [row.tenant_kind for row in rows],
        "ip": [row.ip for row in rows],
        "country": [row.country for row in rows],
        "asn": [row.asn for row in rows],
        "ja4": [row.ja4 for row in rows],
        "model": [row.model for row in rows],
        "endpoint": [row.endpoint for row in rows],
        "stream": [row.stream for row in rows],
        "temperature": [row.temperature for row in rows],
        "n": [row.n for row in rows],
        "max_tokens": [row.max_tokens for row in rows],
        "logprobs": [_shown(row) for row in rows],
        "logit_bias": [row.logit_bias for row in rows],
        "tools": [None if row.tools is None else bool(row.tools) for row in rows],
        "response_format": [row.response_format for row in rows],
        "prefill": [None if row.prefill is None else bool(row.prefill) for row in rows],
        "reasoning": [row.reasoning for row in rows],
        "prompt_tokens": [_size(row) for row in rows],
        "completion_tokens": [row.completion_tokens for row in rows],
        "latency_ms": [row.latency_ms for row in rows],
        "status": [row.status for row in rows],
    }


def _shown(row: RawExchange) -> int | None:
    """Alternatives a position; 1 for the chosen token alone."""
    if row.logprobs is None and row.top_logprobs is None:
        return None
    return 0 if row.logprobs is False else max(row.top_logprobs or 0, int(bool(row.logprobs)))


def _size(row: RawExchange) -> int:
    size = _bytes(row.system) + _bytes(row.prompt)
    for message in row.messages or ():
        size += _bytes(message.content)
    return max(tokens_of_bytes(size), row.prompt_tokens or 0)


def _bytes(text: str | None) -> int:
    if not text:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
