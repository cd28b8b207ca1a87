"""JSON as it stands in logs: strict first, then what other writers let through, then a reason.

Invalid UTF-8 and lone surrogates become U+FFFD, so that nobody leaves the log by sending broken
text; control characters in strings and the literals NaN and Infinity are read. The caller learns
that text was replaced.
"""

from __future__ import annotations

import json
import re

import msgspec

from stillwatch.sources.values import UnfitError

__all__ = ["parse"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_strict = msgspec.json.Decoder()


def parse(document: bytes) -> tuple[object, bool]:
    """The value of a JSON document, and whether text in it had to be replaced by U+FFFD.

    Raises:
        UnfitError: it is no JSON, nested too deeply, or holds a number of thousands of digits.
    """
    try:
        return _strict.decode(document), False
    except RecursionError:
        raise UnfitError("is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        decoded, replaced = document.decode("utf-8"), False
    except UnicodeDecodeError:
        decoded, replaced = document.decode("utf-8", errors="replace"), True
    try:
        value = json.loads(decoded, strict=False)
    except RecursionError:
        raise UnfitError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise UnfitError(f"is not JSON: {error.msg.lower()}, character {error.pos + 1:,}") from None
    except ValueError:
        raise UnfitError("is not JSON that can be read: a number has too many digits") from None
    cleaned = _cleaned(value)
    return cleaned, replaced or cleaned is not value


def _cleaned(value: object) -> object:
    """The same value without lone surrogates; the same object where there are none."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value) if _SURROGATE.search(value) else value
    if isinstance(value, list):
        parts = [_cleaned(part) for part in value]
        return (
            parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
        )
    if isinstance(value, dict):
        entries = [(_cleaned(key), _cleaned(entry)) for key, entry in value.items()]
        changed = any(
            new[0] is not old[0] or new[1] is not old[1]
            for new, old in zip(entries, value.items(), strict=True)
        )
        return dict(entries) if changed else value
    return value
