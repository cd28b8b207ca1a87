"""Arrow columns → lists of Python values: which types a kind of column may have, and the fast ways.

A kind is one of :mod:`stillwatch.sources.columns`. The types are wide on purpose: what can be read
without doubt is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from stillwatch.exchange import Message
from stillwatch.sources.remarks import Remarks
from stillwatch.sources.values import COUNT_MAX, NUMBER_MAX

__all__ = ["accepts", "described", "plain", "values_of"]

#: kind → (families of types that it may have, these in words)
_FAMILIES: dict[str, tuple[set[str], str]] = {
    "time": ({"time", "whole", "number", "text"}, "a timestamp, a number or text"),
    "name": ({"text", "whole"}, "text or a whole number"),
    "text": ({"text"}, "text"),
    "ip": ({"text"}, "text"),
    "flag": ({"flag", "whole", "number", "text"}, "boolean, 0 and 1, or text"),
    "messages": ({"list", "text"}, "a list of structs, or JSON as text"),
    "tools": ({"list", "struct", "whole", "text"}, "a list, a count, or JSON as text"),
    "logit_bias": (
        {"struct", "map", "list", "whole", "number", "text"},
        "a map, a struct, a count, or JSON as text",
    ),
    "response_format": ({"struct", "text"}, "text or a struct"),
    "prefill": ({"text", "flag"}, "text or boolean"),
    "system": ({"text", "list", "struct"}, "text or content parts"),
    "completion": ({"text", "list", "struct"}, "text or content parts"),
    "reasoning": ({"text", "struct", "flag"}, "text, a struct or boolean"),
    "finish_reason": ({"text", "list"}, "text or a list of texts"),
    "logprobs": ({"flag", "whole", "number", "text"}, "boolean or a number"),
    "duration": ({"whole", "number", "text", "duration"}, "a number or a duration"),
}
_NUMERIC = ({"whole", "number", "text"}, "a number")
_RANGES = {
    "count": (0, COUNT_MAX),
    "max_tokens": (0, COUNT_MAX),
    "duration": (0, COUNT_MAX),
    "asn": (0, 2**32 - 1),
    "number": (-NUMBER_MAX, NUMBER_MAX),
}
_NAMES = {"name", "ip", "finish_reason"}
_PLAIN_TEXT = _NAMES | {"text", "system", "completion", "prefill"}


def accepts(kind: str, type_: pa.DataType) -> bool:
    """Whether a column of this kind may have this Arrow type."""
    return _family(type_) in ({"null"} | _FAMILIES.get(kind, _NUMERIC)[0])


def described(kind: str) -> str:
    """In words, the types that :func:`accepts`."""
    return _FAMILIES.get(kind, _NUMERIC)[1]


def plain(column: str, kind: str, array: pa.Array, remarks: Remarks) -> Sequence[Any] | None:
    """The column as :class:`RawExchange` holds it, if that takes no look at single values.

    None where a value may need coercion or an explanation; then :func:`values_of` has them.
    """
    array = _decoded(array)
    family = _family(array.type)
    if kind == "time":
        return _micros(column, array, remarks) if family == "time" else None
    if kind == "number" and family == "whole":
        array, family = array.cast(pa.float64()), "number"
    if kind in _RANGES:
        if family != ("number" if kind == "number" else "whole") or types.is_decimal(array.type):
            return None
        return _list(array) if _inside(array, *_RANGES[kind]) else None
    if kind in ("flag", "logprobs"):
        return _list(array) if family == "flag" else None
    if kind == "messages":
        return _turns(array) if family == "list" else None
    if kind in _PLAIN_TEXT and family == "text" and not _is_bytes(array.type):
        if kind in _NAMES and _shortest(array) == 0:
            return None
        try:
            return _list(array)
        except UnicodeDecodeError:
            return None
    return None


def values_of(array: pa.Array, remarks: Remarks) -> Sequence[Any]:
    """The values one by one, as JSON would give them; invalid UTF-8 is replaced, and that noted."""
    array = _decoded(array)
    if types.is_decimal(array.type):
        return [None if value is None else float(value) for value in _list(array)]
    if types.is_duration(array.type):
        return _list(array.cast(pa.duration("ms"), safe=False).cast(pa.int64()))
    if _family(array.type) == "text":
        return [_text(value, remarks) for value in array.cast(pa.large_binary()).to_pylist()]
    try:
        return _list(array)
    except UnicodeDecodeError:
        return [_nested(array[place], remarks) for place in range(len(array))]


def _family(type_: pa.DataType) -> str:
    """Which of the families of ``_FAMILIES`` a type belongs to; its own name if to none."""
    if types.is_dictionary(type_):
        return _family(type_.value_type)
    for family, tests in _TESTS.items():
        if any(test(type_) for test in tests):
            return family
    return str(type_)


_TESTS = {
    "null": (types.is_null,),
    "text": (
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_binary,
        types.is_large_binary,
    ),
    "whole": (types.is_integer,),
    "number": (types.is_floating, types.is_decimal),
    "flag": (types.is_boolean,),
    "time": (types.is_timestamp, types.is_date),
    "duration": (types.is_duration,),
    "list": (types.is_list, types.is_large_list, types.is_fixed_size_list),
    "map": (types.is_map,),
    "struct": (types.is_struct,),
}


def _is_bytes(type_: pa.DataType) -> bool:
    return bool(types.is_binary(type_) or types.is_large_binary(type_))


def _decoded(array: pa.Array) -> pa.Array:
    """Dictionaries as their values, and types that few functions know as their common kin."""
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if types.is_float16(array.type):
        return array.cast(pa.float32())
    return array.cast(pa.large_string()) if types.is_string_view(array.type) else array


def _list(array: pa.Array) -> Sequence[Any]:
    values: Sequence[Any] = array.to_pylist()
    return values


def _micros(column: str, array: pa.Array, remarks: Remarks) -> Sequence[Any]:
    if types.is_date(array.type) or array.type.tz is None:
        remarks.note(f"'{column}' has no time zone and is taken as UTC", len(array))
    zone = None if types.is_date(array.type) else array.type.tz
    return _list(array.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()))


def _inside(array: pa.Array, least: float, most: float) -> bool:
    """Whether all values are finite and within bounds."""
    if types.is_floating(array.type) and not pc.all(pc.is_finite(array)).as_py():
        return False  # min_max passes over NaN
    found = pc.min_max(array).as_py()
    return bool(least <= found["min"] and found["max"] <= most)


def _turns(array: pa.Array) -> Sequence[Any] | None:
    """Turns of role and content alone, none of them missing, as most logs have them."""
    turn = array.type.value_type
    if types.is_fixed_size_list(array.type) or not types.is_struct(turn):
        return None
    if {turn.field(i).name for i in range(turn.num_fields)} != {"role", "content"}:
        return None
    flat = array.flatten()
    columns = [_decoded(pc.struct_field(flat, name)) for name in ("role", "content")]
    if any(c.null_count or _family(c.type) != "text" or _is_bytes(c.type) for c in columns):
        return None
    if pc.min(pc.list_value_length(array)).as_py() == 0 or _shortest(columns[0]) == 0:
        return None
    try:
        roles, contents = (_list(c) for c in columns)
    except UnicodeDecodeError:
        return None
    found: list[tuple[Message, ...] | None] = []
    start = 0
    for length in _list(pc.list_value_length(array)):
        if length is None:
            found.append(None)
            continue
        stop = start + length
        found.append(tuple(map(Message, roles[start:stop], contents[start:stop])))
        start = stop
    return found


def _shortest(array: pa.Array) -> int | None:
    length: int | None = pc.min(pc.binary_length(array)).as_py()
    return length


def _text(value: bytes | None, remarks: Remarks) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        remarks.note("invalid UTF-8 was replaced by U+FFFD")
        return value.decode(errors="replace")


def _nested(scalar: pa.Scalar, remarks: Remarks) -> Any:
    """The value of a scalar whose texts may be invalid UTF-8."""
    if not scalar.is_valid:
        return None
    if isinstance(scalar, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        return [_nested(entry, remarks) for entry in scalar.values]
    if isinstance(scalar, pa.StructScalar):
        return {name: _nested(scalar[name], remarks) for name in scalar}
    if _family(scalar.type) == "text":
        return _text(scalar.as_buffer().to_pybytes(), remarks)
    return scalar.as_py()
