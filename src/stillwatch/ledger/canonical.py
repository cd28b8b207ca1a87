"""Canonical JSON: one value, one string of bytes (RFC 8785), and no value that readers disagree on.

What I-JSON (RFC 7493) leaves to luck is refused: names given twice, numbers that a double cannot
hold exactly as an integer, NaN, halves of surrogate pairs.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import rfc8785

__all__ = ["DEEPEST", "LARGEST_NUMBER", "canonical", "parsed"]

#: of the magnitude of a number: every integer up to here is exact in a double
LARGEST_NUMBER: Final = 2**53 - 1
#: levels of arrays and objects within each other
DEEPEST: Final = 64
_MOST_DIGITS = len(str(-LARGEST_NUMBER))
#: from here to the largest, Python and ECMAScript write a number that is no integer alike
_LEAST_ALIKE = 1e-4

# Four times as fast as rfc8785, which stays for what the two would write differently.
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True,
    separators=(",", ":"),
).encode  # fmt: skip


def canonical(value: Any) -> bytes:
    """The bytes of a JSON value (None, bool, int, float, str, list, tuple, dict of str).

    Raises:
        ValueError: it has no canonical form that every reader reads alike; says what and where.
    """
    plain = _check(value, "", DEEPEST)
    try:
        return _encode(value).encode() if plain else rfc8785.dumps(value)
    except (UnicodeEncodeError, rfc8785.CanonicalizationError) as error:
        raise ValueError("a string holds half of a surrogate pair, which is no text") from error


def parsed(data: bytes | str) -> Any:
    """The value of a JSON text, canonical or not.

    Raises:
        ValueError: it is no JSON, or names are given twice, or it holds NaN or an infinity.
    """
    try:
        text = data if isinstance(data, str) else data.decode()
        return json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"this is no UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"this is no JSON: {error.msg} (line {error.lineno})") from error
    except RecursionError as error:
        raise ValueError(f"arrays and objects lie deeper than {DEEPEST} levels") from error


def _check(value: Any, where: str, deepest: int) -> bool:
    """Whether the fast encoder writes `value` as RFC 8785 says."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            raise ValueError(
                f"{where or 'the value'} is {value:.3e}, beyond ±(2^53 - 1): other programs would "
                "read another number; write it as a string"
            )
        return True
    if kind is float:
        return _check_float(value, where)
    if deepest == 0:
        raise ValueError(f"arrays and objects lie deeper than {DEEPEST} levels")
    plain = True
    if kind is dict:
        for name, each in value.items():
            if type(name) is not str:
                raise ValueError(f"{where or 'the value'} has the name {name!r}, which is no text")
            # UTF-16 sorts as Unicode does only below the surrogates
            plain &= name.isascii()
            plain &= _check(each, f"{where}.{name}" if where else name, deepest - 1)
    elif kind is list or kind is tuple:
        for number, each in enumerate(value):
            plain &= _check(each, f"{where}[{number}]", deepest - 1)
    else:
        raise ValueError(f"{where or 'the value'} is a {kind.__name__}, which JSON does not have")
    return plain


def _check_float(value: float, where: str) -> bool:
    if not math.isfinite(value):
        raise ValueError(f"{where or 'the value'} is {value}, which JSON does not have")
    if abs(value) > LARGEST_NUMBER:
        raise ValueError(
            f"{where or 'the value'} is {value}, beyond ±(2^53 - 1): other programs would read "
            "another number; write it as a string"
        )
    return abs(value) >= _LEAST_ALIKE and not value.is_integer()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the name '{twice}' is given twice")
    return found


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:  # before Python spends a minute on a million of them
        raise ValueError(f"a number has {len(text):,} digits, beyond ±(2^53 - 1)")
    return int(text)


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
