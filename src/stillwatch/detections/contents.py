"""The texts that accounts send: each once an account, and how many another account sent too."""

from __future__ import annotations

import numpy as np

from stillwatch.detections.group import Rows
from stillwatch.statistics import count_pairs

__all__ = ["distinct_contents", "repeated_share"]


def distinct_contents(rows: Rows) -> Rows:
    """`rows` without repeats of a content within an account: retries are no agreement."""
    contents, code = np.unique(rows.ints("content"), return_inverse=True)
    _, first = np.unique(rows.owner * max(1, len(contents)) + code, return_index=True)
    mask = np.zeros(len(rows), dtype=bool)
    mask[first] = True
    return rows.where(mask)


def repeated_share(distinct: Rows) -> float:
    """The share of contents that another account sent too; 0 where there are none.

    `distinct` holds each once an account; see :meth:`Rows.alike_seen` for where accounts were
    sampled.
    """
    if not len(distinct):
        return 0.0
    contents, _, _ = count_pairs(distinct.ints("content"), distinct.owner)
    _, senders = np.unique(contents, return_counts=True)
    return float(senders[senders > 1].sum() / senders.sum())
