"""What the writer writes, the reader reads: the same exchanges, in the same order."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.exchange import Message, RawExchange
from stillwatch.sources import NativeWriter, open_log

_AT = 1_763_700_000_000_000
_ROWS = [
    RawExchange(at=_AT + 1, account="a", prompt="why?", request_id="r1", temperature=0.7),
    RawExchange(
        at=_AT + 2,
        account="b",
        messages=(Message("user", "grüß dich"), Message("assistant", "Well,")),
        prefill="Well,",
        system="be brief",
        tools=("look_up", "add"),
        logit_bias=3,
        registered_at=_AT - 5,
        logprobs=True,
    ),
]


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet"])
def test_a_written_log_reads_back_the_same(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"log.{ending}"
    with NativeWriter(path) as writer:
        writer.write(_ROWS)
    log = open_log([path])
    (batch,) = log.batches()
    assert log.format == "native"
    assert batch.rows == _ROWS
    assert batch.rejects == []
    assert batch.bytes_read == log.bytes_total == path.stat().st_size
