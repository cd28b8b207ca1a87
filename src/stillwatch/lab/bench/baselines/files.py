"""What a baseline writes: the files that every detector is scored by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["SHARE", "limit_of", "write_files"]

#: innocent accounts of the calibration period that a baseline may flag
SHARE = 0.01


def limit_of(scores: Sequence[float]) -> float:
    """The score that :data:`SHARE` of the calibration accounts exceed."""
    ordered = np.sort(np.asarray(scores, np.float64))[::-1]
    return float(ordered[int(SHARE * ordered.size)]) if ordered.size else float("inf")


def write_files(out: Path, groups: Sequence[Sequence[str]], scores: Mapping[str, float]) -> None:
    """``campaigns.json`` with `groups` as campaigns, and ``accounts.parquet`` with `scores`."""
    out.mkdir(parents=True)
    campaigns = [{"id": f"G{n}", "accounts": list(members)} for n, members in enumerate(groups, 1)]
    content = {"format": "stillwatch.campaigns/1", "campaigns": campaigns}
    (out / "campaigns.json").write_text(json.dumps(content), encoding="utf-8")
    pq.write_table(
        pa.table({
            "account": pa.array(list(scores), pa.string()),
            "score": pa.array(list(scores.values()), pa.float64()),
        }),
        out / "accounts.parquet",
    )  # fmt: skip
