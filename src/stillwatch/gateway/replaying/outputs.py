"""The files of a replay, in a folder that somebody else makes visible when it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.gateway.replaying.replay import Replayed
from stillwatch.gateway.replaying.report import AccountLine, account_lines

__all__ = ["write_replay"]

_AT_ONCE = 1 << 16


def write_replay(replayed: Replayed, folder: Path) -> None:
    """``replay.json``; ``accounts.parquet``, a row for each account that is affected, those with
    most such requests first; ``rejects.jsonl``, the rows of the log that were not read."""
    text = msgspec.json.format(msgspec.json.encode(replayed.report), indent=1)
    (folder / "replay.json").write_bytes(text + b"\n")
    with (folder / "rejects.jsonl").open("w", encoding="utf-8") as file:
        for reject in replayed.rejects:
            file.write(json.dumps(reject._asdict(), ensure_ascii=False) + "\n")
    _write_accounts(replayed, folder / "accounts.parquet")


def _write_accounts(replayed: Replayed, path: Path) -> None:
    tallies = replayed.tallies
    texts = [(name, pa.string()) for name in ("account", "kind", "org")]
    counts = [(name, pa.int64()) for name in ("requests", "affected", *tallies.outcomes)]
    times = [(name, pa.string()) for name in ("first", "last")]
    lists = [(name, pa.list_(pa.string())) for name in ("rules", "perhaps")]
    schema = pa.schema([*texts, *counts, *lists, *times])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for some in _batches(account_lines(tallies, replayed.names, None)):
            rows = [msgspec.structs.asdict(line) for line in some]
            for row in rows:
                row.update(row.pop("outcomes"))
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _batches(lines: Sequence[AccountLine]) -> Iterator[Sequence[AccountLine]]:
    for start in range(0, len(lines), _AT_ONCE):
        yield lines[start : start + _AT_ONCE]
