"""Exchanges that wait for their look survive an update that keeps more of an exchange."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from stillwatch.campaigns.watching import waiting
from stillwatch.exchange import FIRST_COLUMNS, SCHEMA
from stillwatch.sketches import Sketcher
from tests.campaigns.watching.standin import KEY, START, row


def test_what_an_earlier_version_left_waiting_is_read(tmp_path: Path) -> None:
    batch = Sketcher(KEY).sketch([row(1, "a"), row(2, "b")])
    (kept,) = waiting.keep(tmp_path, 1, batch, np.full(2, START, np.int64))
    before = pa.schema(list(SCHEMA)[:FIRST_COLUMNS])
    with pa.ipc.new_file(str(tmp_path / f"{1:012d}.arrow"), before) as file:
        file.write_batch(batch.select(before.names))
    (read,) = waiting.read(tmp_path, [kept])
    assert read.schema.equals(SCHEMA)
    assert read.select(before.names).to_pylist() == batch.select(before.names).to_pylist()
    assert read["replayed_from"].null_count == 2
