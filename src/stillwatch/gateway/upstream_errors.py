"""What of a model server's error may be passed on: its message, as far as it is one."""

from __future__ import annotations

import msgspec

from stillwatch.gateway.upstream import Reply

__all__ = ["retry_after", "words_of"]

_LONGEST = 500  # characters


class _Words(msgspec.Struct):
    message: str = ""


class _Error(msgspec.Struct):
    error: _Words | str | None = None
    message: str = ""
    detail: str | None = None


def words_of(body: bytes) -> str:
    """The message in an error's body, or nothing; `error.message`, `message` or `detail`."""
    try:
        found = msgspec.json.decode(body, type=_Error)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return ""
    words = found.error.message if isinstance(found.error, _Words) else found.error
    return (words or found.message or found.detail or "")[:_LONGEST]


def retry_after(reply: Reply, default: float = 1.0) -> float:
    """The seconds that an upstream asks to wait, within an hour."""
    text = reply.headers.get("retry-after", "")
    return min(3600.0, float(text)) if text.isascii() and text.isdigit() else default
