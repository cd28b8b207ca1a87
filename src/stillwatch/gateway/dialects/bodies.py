"""Bodies of requests: JSON read strictly, with the fields that nobody knows set apart.

A body is decoded into structs and encoded anew from them, so that what was checked is what is sent:
a key that stands twice counts once (its last value), wherever it stands.
"""

from __future__ import annotations

from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from stillwatch.gateway.dialects.dialect import UnreadableError

__all__ = ["NEVER_FORWARDED", "UNREADABLE", "Body", "Form", "encoded", "limited", "reading_error"]

T = TypeVar("T", bound=msgspec.Struct)

#: What decoding may raise: malformed JSON, wrong types and bytes that are no UTF-8 are all
#: ``ValueError``.
UNREADABLE: Final = (ValueError, RecursionError)
#: Fields through which a client could reach the mark or the engine's plug-ins: always taken out.
NEVER_FORWARDED: Final = frozenset(
    {
        "watermark",
        "watermarking",
        "watermark_config",
        "vllm_xargs",
        "extra_args",
        "custom_params",
        "custom_logit_processor",
        "logits_processors",
        "kv_transfer_params",
        "cache_salt",
        "lora_path",
        "priority",
    }
)
_LARGEST: Final = 2**31 - 1
_ENCODE: Final = msgspec.json.Encoder().encode


class Body(NamedTuple, Generic[T]):
    """A request's fields. `extras` are those that the dialect does not know, with their values;
    `stripped` names those that are never forwarded."""

    request: T
    extras: dict[str, Any]
    stripped: tuple[str, ...]


class Form(Generic[T]):
    """The form of one request body. Its struct forbids unknown fields, on every level."""

    def __init__(self, struct: type[T]) -> None:
        self._known = frozenset(field.encode_name for field in msgspec.structs.fields(struct))
        self._decode = msgspec.json.Decoder(struct).decode

    def read(self, body: bytes) -> Body[T]:
        """
        Raises:
            UnreadableError: no JSON object, a missing or mistyped field, or a field that is not
                known within another one. Fields that are not known at the top are `extras`.
        """
        try:
            return Body(self._decode(body), {}, ())
        except UNREADABLE as error:
            if _unknown_in(error) is None:
                raise reading_error(error) from error
        fields = _fields(body)
        known = {k: v for k, v in fields.items() if k in self._known}
        stripped = tuple(name for name in fields if name in NEVER_FORWARDED)
        extras = {k: v for k, v in fields.items() if k not in known and k not in NEVER_FORWARDED}
        try:
            return Body(self._decode(_ENCODE(known)), extras, stripped)
        except UNREADABLE as error:
            raise reading_error(error) from error


def encoded(request: msgspec.Struct, extras: dict[str, Any]) -> bytes:
    """The body to send. `extras` cannot stand in for a field of the struct: they are others.

    Raises:
        UnreadableError: it is nested too deeply.
    """
    try:
        if not extras:
            return _ENCODE(request)
        return _ENCODE({**msgspec.json.decode(_ENCODE(request)), **extras})
    except RecursionError as error:
        raise reading_error(error) from error


def limited(name: str, value: int | None, least: int, default: int) -> int:
    """A count of the request, checked; huge values are the same as the largest that we compare.

    Raises:
        UnreadableError: it is smaller than `least`.
    """
    if value is None:
        return default
    if value < least:
        raise UnreadableError(f"{name} must be at least {least}, not {value}", name)
    return min(value, _LARGEST)


def reading_error(error: Exception) -> UnreadableError:
    """msgspec's words about a body, without the body's own."""
    if isinstance(error, RecursionError):
        return UnreadableError("the body is nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        return UnreadableError(str(error), _unknown_in(error) or _parameter_in(error))
    if isinstance(error, UnicodeDecodeError):
        return UnreadableError("the body is not UTF-8")
    return UnreadableError(f"the body is not JSON: {error}")


def _parameter_in(error: Exception) -> str | None:
    """The path that msgspec names, as ``messages[0].role``."""
    _, _, path = str(error).rpartition(" - at `$")
    return path.removesuffix("`").lstrip(".") or None


def _unknown_in(error: Exception) -> str | None:
    """The field that was not known, with its path, if that is what is wrong."""
    message = str(error)
    if not isinstance(error, msgspec.ValidationError) or not message.startswith(_UNKNOWN):
        return None
    name = message.removeprefix(_UNKNOWN).partition("`")[0]
    where = _parameter_in(error) if message.endswith("`") and " - at `$" in message else None
    return f"{where}.{name}" if where else name


_UNKNOWN: Final = "Object contains unknown field `"


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except UNREADABLE as error:
        raise reading_error(error) from error
    if not isinstance(found, dict):
        raise UnreadableError("the body must be a JSON object")
    return found
