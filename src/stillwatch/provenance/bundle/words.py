"""Numbers as a reader who is no statistician takes them in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

__all__ = [
    "chance", "decimal", "exponent", "listing", "names", "one_in", "percent", "power", "upwards",
]  # fmt: skip

#: powers of ten beyond which a chance is not spelt out: other doubts are larger by then
FAINTEST: Final = -30
_NAMES: Final = ((1e9, "billion"), (1e6, "million"))
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def chance(log10_p: float) -> str:
    """A p-value given as log10, as odds: rounded so that it never looks rarer than it is."""
    if log10_p < FAINTEST:
        return f"less than 1 in {power(-FAINTEST)}"
    return f"at most {one_in(10**log10_p)}"


def one_in(p: float) -> str:
    """A probability as ``1 in 1,000``."""
    if p >= 0.5:
        hundredths = math.ceil(100 * p - 1e-9)
        return "1 in 1" if hundredths >= 100 else f"{hundredths} in 100"
    odds = 1 / p * (1 + 1e-9)
    if odds >= 1e12:
        return f"1 in {power(len(str(int(odds))) - 1)}"
    for size, name in _NAMES:
        if odds >= size:
            return f"1 in {int(odds / size):,} {name}"
    digits = 10 ** max(0, len(str(int(odds))) - 2)
    return f"1 in {int(odds / digits) * digits:,}"


def exponent(log10_p: float | None) -> str:
    """The power of ten of a p-value, with two digits that never make it rarer than it is."""
    return decimal(None if log10_p is None else upwards(log10_p))


def upwards(log10_p: float) -> float:
    """To two digits after the point, never to a rarer p-value."""
    return math.ceil(100 * log10_p - 1e-4) / 100 + 0.0


def power(exponent: int) -> str:
    """``10³⁰``."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def decimal(value: float | None) -> str:
    """With two digits after the point; a dash for nothing."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def percent(bounds: Sequence[float]) -> str:
    """An interval of shares, as ``79 to 100 %``."""
    low, high = bounds
    return f"{100 * low:.0f} to {100 * high:.0f}\u00a0%".replace("-", "−")


def names(words: Sequence[str]) -> Markup:
    """Names of models in a sentence, each kept on one line where it fits."""
    # as plain strings: Markup would escape those that it is added to once more
    each = [f'<span class="name">{escape(word)}</span>' for word in words]
    return Markup(listing(each))


def listing(words: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]
