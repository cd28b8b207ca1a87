"""What others told us, met in this log: the table of hits that a run may have.

This room owns the table and knows nothing of who tells: :mod:`stillwatch.intel` matches indicators
with what is kept of exchanges, and hands the hits over. A run without them is a run as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from stillwatch.sketches.compared import Comparable

__all__ = ["HITS", "Meeting", "joined_hits"]

#: one row an exchange, an indicator that it meets and an effort that this belongs to. `account`
#: and `request` are those of the exchange; `indicator` is one for all who told the same; `effort`
#: is one for all that a sender says belongs to one campaign; `wording` says that the text met, not
#: what somebody pays with or works on. `claimed` is the most accounts that a sender says it stands
#: for, `rate` the share of innocent accounts that the sender measured to meet it; null where
#: nobody says. `senders` counts who told it independently.
HITS = pa.schema(
    [
        pa.field("account", pa.int64(), nullable=False),
        pa.field("request", pa.int64(), nullable=False),
        pa.field("at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("indicator", pa.int64(), nullable=False),
        pa.field("effort", pa.int64(), nullable=False),
        pa.field("wording", pa.bool_(), nullable=False),
        pa.field("claimed", pa.int64()),
        pa.field("rate", pa.float64()),
        pa.field("senders", pa.int32(), nullable=False),
    ]
)


class Meeting(Protocol):
    """Looks whether exchanges meet what others told, by what is kept of them for that."""

    @property
    def keys(self) -> Sequence[Comparable]:
        """The keys under which exchanges are compared."""
        ...

    def meet(self, recorded: pa.RecordBatch) -> pa.Table:
        """The hits of a batch, a table of :data:`HITS`.

        Args:
            recorded: exchanges; the columns ``account``, ``request``, ``at`` and ``compared``.
        """
        ...


def joined_hits(parts: Sequence[pa.Table]) -> pa.Table:
    """The hits of all batches in an order of their own: by account, request and indicator."""
    hits = pa.concat_tables([HITS.empty_table(), *parts]).combine_chunks()
    keys = [hits[name].to_numpy() for name in ("effort", "indicator", "request", "account")]
    return hits.take(pa.array(np.lexsort(keys)))
