"""One value of a log → what :class:`RawExchange` holds there, or the reason why not.

What is unambiguous is accepted (a number as text, 0 and 1 for a flag, a whole number as a name);
everything else raises :class:`UnfitError`, whose reason never repeats the value (law 4).
"""

from __future__ import annotations

import ipaddress
import math
import re
from functools import lru_cache

__all__ = [
    "COUNT_MAX",
    "NUMBER_MAX",
    "UnfitError",
    "address",
    "asn",
    "count",
    "duration",
    "flag",
    "kind_of",
    "max_tokens",
    "name",
    "number",
    "text",
]

COUNT_MAX = 2**31 - 1
NUMBER_MAX = 1e9
_ASN_MAX = 2**32 - 1
_NUMBER = re.compile(r"[+-]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][+-]?\d{1,3})?")
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


class UnfitError(Exception):
    """A value or a row that cannot be read; the reason completes "COLUMN …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def text(value: object) -> str:
    """Text of any length."""
    if isinstance(value, str):
        return value
    raise UnfitError(f"is {kind_of(value)}, not text")


def name(value: object) -> str | None:
    """A short text; a whole number is written in decimal; the empty text says nothing."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return _decimal(value)
    raise UnfitError(f"is {kind_of(value)}, not text")


def number(value: object) -> float:
    """A finite number of at most 10⁹, or one as text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnfitError(f"is {kind_of(value)}, not a number")
    if not -NUMBER_MAX <= value <= NUMBER_MAX:  # NaN fails every comparison
        raise UnfitError("is not finite, or out of range")
    return float(value)


def count(value: object) -> int:
    """A whole number from 0 to 2³¹ - 1; 200.0 and "200" are whole numbers too."""
    whole = value if type(value) is int else _whole(value)
    if not 0 <= whole <= COUNT_MAX:
        raise UnfitError("is negative" if whole < 0 else "is too large")
    return whole


def max_tokens(value: object) -> int | None:
    """A count; -1, by which some servers say that there is no cap, is None."""
    return None if _whole(value) == -1 else count(value)


def duration(value: object) -> int:
    """A count of milliseconds, rounded half to even."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, float) and math.isfinite(value):
        value = round(value)
    return count(value)


def flag(value: object) -> bool:
    """True or false, 1 or 0, or one of these as text."""
    if isinstance(value, str):
        value = _FLAGS.get(value.strip().lower(), value)
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise UnfitError(f"is {kind_of(value)}, not true or false")


def asn(value: object) -> int:
    """An autonomous system number, 0 to 2³² - 1 (RFC 6793): 13335, "13335" or "AS13335"."""
    if isinstance(value, str) and value[:2].upper() == "AS":
        value = value[2:]
    whole = _whole(value)
    if not 0 <= whole <= _ASN_MAX:
        raise UnfitError("is no autonomous system number")
    return whole


@lru_cache(maxsize=1 << 16)
def address(value: str) -> str | None:
    """An IP address in canonical form, IPv4 where it is mapped into IPv6; None if it is none."""
    try:
        found = ipaddress.ip_address(value.strip().strip("[]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _whole(value: object) -> int:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        plain = value.strip()
        value = int(plain) if plain.lstrip("+-").isdecimal() else float(plain)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnfitError(f"is {kind_of(value)}, not a whole number")
    return value


def _decimal(value: int) -> str:
    if abs(value) >= 10**40:
        raise UnfitError("is a number too large for a name")
    return str(value)


def kind_of(value: object) -> str:
    """The kind of a value in words, never the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN or infinite"
    kinds = {int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return kinds.get(type(value), f"of type {type(value).__name__}")
