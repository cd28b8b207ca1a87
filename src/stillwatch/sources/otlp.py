"""OTLP/JSON → spans as plain dictionaries.

An ``ExportTraceServiceRequest`` (opentelemetry-proto 1.x, JSON mapping) nests spans in scopes in
resources, and wraps every attribute value in its type. This undoes both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stillwatch.sources.nested import first, mapping
from stillwatch.sources.values import UnfitError, kind_of

__all__ = ["Span", "is_export", "spans_of"]

_RESOURCES = ("resourceSpans", "resource_spans")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_DEEPEST = 32
#: the names of the types of a value, in JSON and as some exporters write them
_PLAIN = frozenset(
    {"stringValue", "boolValue", "doubleValue", "string_value", "bool_value", "double_value"}
)
_WHOLE = frozenset({"intValue", "int_value"})
_ARRAYS = frozenset({"arrayValue", "array_value"})
_MAPS = frozenset({"kvlistValue", "kvlist_value"})


class Span(NamedTuple):
    """A span: its own fields, its attributes, those of its resource, and its events."""

    fields: Mapping[str, Any]
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    events: tuple[tuple[str, Mapping[str, Any]], ...]


def is_export(value: Mapping[str, Any]) -> bool:
    """Whether an object is an ``ExportTraceServiceRequest``."""
    return any(isinstance(value.get(key), list) for key in _RESOURCES)


def spans_of(export: Mapping[str, Any]) -> Iterator[Span | UnfitError]:
    """The spans of an export, in order; in the place of one that is malformed, the reason."""
    for resource_spans in _listed(export, *_RESOURCES):
        try:
            resource = _attributes(mapping(resource_spans, "resource"))
        except UnfitError as unfit:
            yield unfit
            continue
        for scope_spans in _listed(resource_spans, *_SCOPES):
            for fields in _listed(scope_spans, "spans"):
                try:
                    yield _span(fields, resource)
                except UnfitError as unfit:
                    yield unfit


def _span(fields: object, resource: Mapping[str, Any]) -> Span:
    if not isinstance(fields, dict):
        raise UnfitError(f"a span is {kind_of(fields)}, not an object")
    events = tuple(
        (str(event.get("name", "")), _attributes(event))
        for event in _listed(fields, "events")
        if isinstance(event, dict)
    )
    return Span(fields, _attributes(fields), resource, events)


def _listed(value: object, *keys: str) -> list[Any]:
    found = first(value, *keys) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _attributes(owner: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by name; also from a plain object, as some exporters write them."""
    given = owner.get("attributes")
    if isinstance(given, dict):
        return dict(given)
    if given is not None and not isinstance(given, list):
        raise UnfitError(f"'attributes' is {kind_of(given)}, not a list")
    return _pairs(given or [], 0)


def _pairs(entries: list[Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries:
        try:
            key, wrapped = entry["key"], entry.get("value")
        except (TypeError, KeyError, IndexError, AttributeError):
            raise UnfitError("an attribute has no key") from None
        if not isinstance(key, str):
            raise UnfitError("an attribute has no key")
        if type(wrapped) is dict and "stringValue" in wrapped:  # most are text
            found[key] = wrapped["stringValue"]
        else:
            found[key] = _value(wrapped, depth)
    return found


def _value(wrapped: object, depth: int) -> Any:
    """What an ``AnyValue`` holds; 64-bit integers come as text in JSON."""
    if not isinstance(wrapped, dict):
        return wrapped
    if depth > _DEEPEST:
        raise UnfitError("an attribute is nested too deeply")
    for key, value in wrapped.items():
        if key in _PLAIN:
            return value
        if key in _WHOLE:
            return int(value) if isinstance(value, str) and _is_whole(value) else value
        if key in _ARRAYS:
            return [_value(entry, depth + 1) for entry in _listed(value, "values")]
        if key in _MAPS:
            return _pairs(_listed(value, "values"), depth + 1)
    return None


def _is_whole(text: str) -> bool:
    return len(text) <= 20 and text.removeprefix("-").isdecimal()
