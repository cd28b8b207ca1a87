"""The texts that accounts send: each once an account, and how many another account sent too."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from stillwatch.detections.group import Ints, Rows
from stillwatch.statistics import count_pairs

__all__ = ["distinct_contents", "repeated_share", "repeated_together", "senders_contents"]

_ODD = np.int64(0x1E3779B97F4A7C15)


def senders_contents(account: Ints, content: Ints) -> Ints:
    """One number for each (account, content); both are hashes already."""
    pairs: Ints = account * _ODD ^ content
    return pairs


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


def repeated_together(distinct: Rows) -> float | None:
    """Of two accounts that sent one text both: the share of the others that both sent too.

    Students of a class share the assignment, users of a benchmark its problems: who shares one
    text shares others. Where a queue hands each text out several times, to whoever comes, two
    accounts that have one text in common have no others.

    Returns:
        None where no two accounts that share a text have another one to share.
    """
    contents, code = np.unique(distinct.ints("content"), return_inverse=True)
    shape = (len(distinct.accounts), len(contents))
    sent = sp.csr_matrix((np.ones(len(code)), (distinct.owner, code)), shape)
    sent.data[:] = 1
    both = sp.triu(sent @ sent.T, k=1).tocoo()
    texts = np.bincount(distinct.owner)
    fewer = np.minimum(texts[both.row], texts[both.col])
    room = float((both.data * (fewer - 1)).sum())
    return float((both.data * (both.data - 1)).sum()) / room if room else None
