"""Shares in the words of evidence: small ones keep a digit, and none is said to be none."""

from __future__ import annotations

__all__ = ["percent", "share_of", "times"]


def percent(share: float) -> str:
    """``12.5%``, ``0.04%``, ``0%``: one digit after the point, more where that would read 0.0."""
    if share <= 0:
        return "0%"
    if share < 0.0001:
        return "less than 0.01%"
    return f"{100 * share:.1g}%" if share < 0.001 else f"{share:.1%}".replace(".0%", "%")


def share_of(part: float, whole: int, noun: str) -> str:
    """``none of 1,500 other accounts``, ``12.5% of 1,500 other accounts``, ``no other accounts``.

    The last where there was nobody to compare with.
    """
    if not whole:
        return f"no {noun}"
    return f"{percent(part / whole) if part > 0 else 'none'} of {whole:,} {noun}"


def times(count: int) -> str:
    """``once``, ``3 times``."""
    return "once" if count == 1 else f"{count:,} times"
