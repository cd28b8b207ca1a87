"""Numbers that are told to others: as the powers of ten between which they lie, never exactly."""

from __future__ import annotations

import re

__all__ = ["PATTERN", "bucket", "bucket_edges"]

#: ``<10^a>-<10^b - 1>``, and ``0``
PATTERN = r"^(0|10*-9+)$"
_BUCKET = re.compile(PATTERN)


def bucket(number: int, decades: int = 1) -> str:
    """The bucket that holds `number`: ``0``, ``1-9``, ``10-99``…; `decades` wide from 1 on.

    Raises:
        ValueError: `number` is below 0, or `decades` below 1.
    """
    if number < 0 or decades < 1:
        raise ValueError(f"{number} in buckets of {decades} decades: neither may be less")
    if number == 0:
        return "0"
    low = (len(str(number)) - 1) // decades * decades
    return f"{10**low}-{10 ** (low + decades) - 1}"


def bucket_edges(text: str) -> tuple[int, int]:
    """The smallest and the largest number of a bucket.

    Raises:
        ValueError: it is none.
    """
    if not _BUCKET.fullmatch(text) or len(text) > 40:
        raise ValueError(f"{text[:40]!r} is no bucket such as 10-99")
    low, _, high = text.partition("-")
    if high and int(high) < int(low):
        raise ValueError(f"{text!r} is no bucket such as 10-99")
    return int(low), int(high or low)
