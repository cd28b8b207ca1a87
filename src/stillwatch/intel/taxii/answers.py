"""Answers of a TAXII server, and refusals with the standard's error message (section 3.6.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stillwatch.intel.taxii.media import TAXII

__all__ = ["Answer", "RefusedError", "answered", "refused"]


class Answer(msgspec.Struct, frozen=True):
    """A status, a body in TAXII's media type, and further headers."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = TAXII


class RefusedError(Exception):
    """A request that is not fulfilled; `more` are further headers."""

    def __init__(self, status: int, title: str, description: str = "", **more: str) -> None:
        super().__init__(title)
        self.status, self.title, self.description = status, title, description
        self.headers = tuple((name.replace("_", "-"), value) for name, value in more.items())


def answered(
    resource: Mapping[str, Any], status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    """A resource as JSON."""
    return Answer(status, msgspec.json.encode(resource), headers)


def refused(error: RefusedError, error_id: str | None = None) -> Answer:
    """The error message."""
    message = {"title": _text(error.title), "http_status": str(error.status)}
    if error.description:
        message["description"] = _text(error.description)
    if error_id is not None:
        message["error_id"] = error_id
    return Answer(error.status, msgspec.json.encode(message), error.headers)


def _text(text: str) -> str:
    """What JSON can hold of it: a message may repeat what a member sent."""
    return text[:1_000].encode("utf-8", "replace").decode()
