"""The native log as JSON: one object a row, decoded on a fast path that only good rows survive.

The fast path is a msgspec struct with exactly the columns of this file, compiled when a new name
turns up: known columns are typed, unknown ones skipped, and any further name fails. Whatever fails
takes the slow path of :mod:`stillwatch.sources.rows`, which reads everything that is acceptable and
explains the rest. So no name and no wrong value passes unseen, however far down the file it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from stillwatch.exchange import Message, RawExchange
from stillwatch.sources.columns import COLUMNS, SPELLINGS
from stillwatch.sources.lenient import parse
from stillwatch.sources.rows import Context, Refused, outcome, settle
from stillwatch.sources.times import from_datetime, from_epoch
from stillwatch.sources.values import COUNT_MAX, NUMBER_MAX, UnfitError, kind_of

__all__ = ["NativeJson"]

_UNKNOWN_MAX = 200
_COMPILED_MAX = 100


class _Turn(msgspec.Struct, forbid_unknown_fields=True):
    """A message without parts or calls: what most rows hold."""

    role: Annotated[str, Meta(min_length=1)]
    content: str


_Name = Annotated[str, Meta(min_length=1)] | None
_Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)] | None
_Number = Annotated[float, Meta(ge=-NUMBER_MAX, le=NUMBER_MAX)] | None
_Word = Annotated[str, Meta(pattern=r"^[^\s\[{]")] | None  # no JSON in it
_Time = datetime | int | float
#: kind of column → the type that its good values decode into; all others take the slow path
_TYPES: dict[str, Any] = {
    "time": _Time | None,
    "name": _Name,
    "text": str | None,
    "messages": Annotated[tuple[_Turn, ...], Meta(min_length=1)] | None,
    "ip": _Name,
    "asn": Annotated[int, Meta(ge=0, le=2**32 - 1)] | None,
    "flag": bool | None,
    "number": _Number,
    "count": _Count,
    "max_tokens": _Count,
    "duration": _Count | Annotated[float, Meta(ge=0, le=COUNT_MAX)],
    "logprobs": bool | None,
    "logit_bias": _Count,
    "tools": tuple[str, ...] | None,
    "response_format": _Word,
    "prefill": str | None,
    "system": str | None,
    "reasoning": _Word,
    "completion": str | None,
    "finish_reason": _Name,
}


class NativeJson:
    """Reads rows of the native log, one JSON object at a time."""

    name = "native"

    @staticmethod
    def recognises(value: Mapping[str, Any]) -> bool:
        """Whether an object has at least two of: a time, an account, a prompt or messages."""
        found = {SPELLINGS.get(key) for key in value}
        return len({"at", "account"} & found) + bool({"prompt", "messages"} & found) >= 2

    def __init__(self, context: Context) -> None:
        self._context = context
        self._spelled: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._compiled = 0
        self._decode = self._compile()

    def __call__(self, document: bytes) -> tuple[RawExchange | Refused, ...]:
        """The row in `document`, or why there is none; nothing for a blank line."""
        try:
            row = self._decode(document)
            at = row.at
            row.at = (
                from_datetime(at, "at", self._context.remarks)
                if type(at) is datetime
                else from_epoch(at, "at", self._context.remarks)
            )
            if row.messages is not None:
                row.messages = tuple(Message(turn.role, turn.content) for turn in row.messages)
            if type(row.latency_ms) is float:
                row.latency_ms = round(row.latency_ms)
            if row.registered_at is not None or row.blocked_at is not None:
                self._account_times(row)
            raw = msgspec.convert(row, RawExchange, from_attributes=True)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, UnfitError):
            return self._explained(document)
        try:
            settle(raw, self._context)
        except UnfitError as unfit:
            return (Refused(unfit.reason),)
        return (raw,)

    def _account_times(self, row: Any) -> None:
        for column in ("registered_at", "blocked_at"):
            moment = getattr(row, column)
            if moment is not None:
                read = from_datetime if type(moment) is datetime else from_epoch
                setattr(row, column, read(moment, column, self._context.remarks))

    def _explained(self, document: bytes) -> tuple[RawExchange | Refused, ...]:
        """The slow path: reads what is acceptable, and says what is not."""
        if not document.strip():
            return ()
        try:
            value, replaced = parse(document)
        except UnfitError as unfit:
            return (Refused(f"the row {unfit.reason}"),)
        if not isinstance(value, dict):
            return (Refused(f"the row is {kind_of(value)}, not an object"),)
        return (outcome(self._columns(value), self._context, replaced=replaced),)

    def _columns(self, value: dict[str, Any]) -> dict[str, Any]:
        """The known columns of a row; learns its other names, for the fast path of later rows."""
        columns: dict[str, Any] = {}
        learned = False
        for key, entry in value.items():
            column = SPELLINGS.get(key)
            if column is None:
                learned = self._learn(key) or learned
            elif key == column or value.get(column) is None:
                if columns.get(column) is None:
                    columns[column] = entry
                if key != column:
                    self._context.remarks.note(f"'{key}' is read as '{column}'", times=0)
                if self._spelled.get(column, column) != key:
                    self._spelled[column] = key
                    learned = True
            else:
                self._context.remarks.unknown(key)
        if learned and self._compiled < _COMPILED_MAX:
            self._decode = self._compile()
        return columns

    def _learn(self, key: str) -> bool:
        self._context.remarks.unknown(key)
        plain = key.isprintable() and not {'"', "\\"} & set(key)  # msgspec takes no others
        if key in self._unknown or not plain or len(self._unknown) >= _UNKNOWN_MAX:
            return False
        self._unknown.add(key)
        return True

    def _compile(self) -> Any:
        """A decoder of exactly the names met so far."""
        self._compiled += 1
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        names = dict(self._spelled)
        for column in COLUMNS:
            if column.required:
                kind = _Time if column.kind == "time" else Annotated[str, Meta(min_length=1)]
                fields.append((column.name, kind))
            else:
                fields.append((column.name, _TYPES[column.kind], None))
        for place, key in enumerate(sorted(self._unknown)):
            fields.append((f"unknown_{place}", Raw, None))
            names[f"unknown_{place}"] = key
        row = msgspec.defstruct(
            "Row", fields, kw_only=True, forbid_unknown_fields=True, rename=names, gc=False
        )
        return msgspec.json.Decoder(row).decode
