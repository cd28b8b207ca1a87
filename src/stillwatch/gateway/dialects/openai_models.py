"""The list of models, as far as a caller may name them, in OpenAI's form and in Anthropic's.

Not a :class:`~stillwatch.gateway.dialects.dialect.Dialect`: nothing is asked of a model. A model
that the surface does not allow is answered like one that does not exist.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from stillwatch.access import Surface
from stillwatch.gateway.dialects.bodies import UNREADABLE, reading_error

__all__ = ["Model", "listed", "models_in", "one"]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model of an upstream. `created` is in seconds since the epoch, UTC; 0 when not known."""

    id: str
    created: int = 0
    owned_by: str = "provider"
    display_name: str | None = None


class _Entry(msgspec.Struct):
    """One entry of either form."""

    id: str
    created: int | None = None
    created_at: datetime | None = None
    owned_by: str | None = None
    display_name: str | None = None


class _List(msgspec.Struct):
    data: list[_Entry]


_READ: Final = msgspec.json.Decoder(_List).decode
_ENCODE: Final = msgspec.json.Encoder().encode


def models_in(body: bytes) -> tuple[Model, ...]:
    """The models that an upstream lists, in either form.

    Raises:
        UnreadableError: it is no list of models.
    """
    try:
        entries = _READ(body).data
    except UNREADABLE as error:
        raise reading_error(error) from error
    return tuple(
        Model(
            id=entry.id,
            created=entry.created or _seconds(entry.created_at),
            owned_by=entry.owned_by or "provider",
            display_name=entry.display_name,
        )
        for entry in entries
    )


def listed(models: tuple[Model, ...], surface: Surface, *, anthropic: bool = False) -> bytes:
    """The body of ``GET /v1/models``; each name once. `anthropic` is the form for requests that
    have an ``anthropic-version`` header; all of it is one page."""
    shown = {model.id: model for model in models if surface.allows_model(model.id)}
    data = [_entry(model, anthropic) for model in shown.values()]
    if not anthropic:
        return _ENCODE({"object": "list", "data": data})
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return _ENCODE({"data": data, "has_more": False, "first_id": first, "last_id": last})


def one(
    models: tuple[Model, ...], name: str, surface: Surface, *, anthropic: bool = False
) -> bytes | None:
    """The body of ``GET /v1/models/{name}``; ``None`` for one that the caller may not name."""
    if not surface.allows_model(name):
        return None
    found = next((model for model in models if model.id == name), None)
    return None if found is None else _ENCODE(_entry(found, anthropic))


def _entry(model: Model, anthropic: bool) -> dict[str, Any]:
    if not anthropic:
        return {
            "id": model.id,
            "object": "model",
            "created": model.created,
            "owned_by": model.owned_by,
        }
    at = datetime.fromtimestamp(min(max(model.created, 0), _LATEST), UTC)
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name or model.id,
        "created_at": at.isoformat().replace("+00:00", "Z"),
        "lifecycle": "active",
    }


_LATEST: Final = 253_402_300_799  # the last second of the year 9999


def _seconds(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp())
