"""Logs of very many rows, made column by column: one account that sends all, or one row each.

Texts are random words, a tenth are greetings that many send; nobody is a campaign.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

__all__ = ["write_wide_log"]

START = 1_767_225_600_000_000  # 2026-01-01 UTC
DAYS, DAY = 3, 86_400_000_000
FILE_ROWS = 500_000
#: words in a text at least and at most; texts that many send
WORDS, GREETINGS = (4, 16), 1_000
_SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "or", "un")]


def write_wide_log(
    folder: Path, rows: int, *, accounts: int | None = None, crowd: float = 0, seed: int = 1
) -> Path:
    """Write `rows` exchanges of `accounts` (as many as rows, by default) into `folder`.

    Two rows share an address; with `crowd`, addresses are drawn, and so many share one on average.
    """
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    accounts = accounts or rows
    words = pa.array("".join(rng.choice(_SYLLABLES, 3)) for _ in range(50_000))
    greetings = _texts(rng, words, GREETINGS)
    for number, start in enumerate(range(0, rows, FILE_ROWS)):
        count = min(FILE_ROWS, rows - start)
        at = rng.integers(START, START + DAYS * DAY, count)
        texts = _texts(rng, words, count)
        greets = rng.random(count) < 0.1
        which = np.where(greets, rng.integers(0, GREETINGS, count), GREETINGS + np.arange(count))
        numbers = np.arange(start, start + count)
        address = rng.integers(0, int(rows / crowd), count) if crowd else numbers // 2
        table = pa.table(
            {
                "at": pa.array(at).cast(pa.timestamp("us", tz="UTC")),
                "account": _named("account", numbers % accounts),
                "request_id": _named("request", numbers),
                "prompt": pa.concat_arrays([greetings, texts]).take(pa.array(which)),
                "ip": _addresses(address),
                "model": pa.array(["teacher-1"] * count),
                "temperature": pa.array(rng.choice([0.0, 0.7, 1.0], count)),
                "prompt_tokens": pa.array(rng.integers(8, 40, count).astype(np.int32)),
                "completion_tokens": pa.array(rng.integers(1, 900, count).astype(np.int32)),
            }
        )
        pq.write_table(table, folder / f"{number:04d}.parquet", compression="zstd")
    return folder


def _texts(rng: np.random.Generator, words: pa.Array, count: int) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(rng.integers(*WORDS, count))]).astype(np.int32)
    chosen = words.take(pa.array(rng.integers(0, len(words), offsets[-1])))
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), chosen), " ")


def _named(name: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(name, pa.array(numbers).cast(pa.string()), "-")


def _addresses(numbers: np.ndarray) -> pa.Array:
    parts = [pa.array(numbers >> shift & 255).cast(pa.string()) for shift in (16, 8, 0)]
    first = pa.array(11 + (numbers >> 24 & 63)).cast(pa.string())
    return pc.binary_join_element_wise(first, *parts, ".")
