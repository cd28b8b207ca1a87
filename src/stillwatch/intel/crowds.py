"""Indicators that meet a crowd: a tool's or a company's, whatever their senders say of them.

Who tells may be mistaken, or lie. An indicator that meets more accounts here than its sender tells
of weighs nothing, and nothing is done about whoever meets it.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CROWD", "is_crowd"]

#: an indicator that more accounts meet than this is a crowd's, whatever its sender claims
CROWD: Final = 200
#: share of a log's accounts from which on an indicator is a crowd's, in logs of some size
POPULAR, SOME = 0.05, 500


def is_crowd(having: int, of: int, claimed: int | None) -> bool:
    """Whether so many accounts, out of a log's, are too many for an indicator to say anything.

    A crowd is more accounts than any sender claims, more than one effort has, or a good part of
    this log.
    """
    most = CROWD if claimed is None else min(claimed, CROWD)
    return having > most or (of >= SOME and having > POPULAR * of)
