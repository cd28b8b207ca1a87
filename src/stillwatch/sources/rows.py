"""Columns → :class:`RawExchange`: the one place where a row of any format becomes an exchange.

:func:`read_row` coerces and explains, column by column. :func:`settle` holds the rules that a row
must keep as a whole; the fast paths of JSONL and Parquet end in it as well, so that a row means the
same whichever way it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stillwatch.exchange import Message, RawExchange
from stillwatch.sources import values
from stillwatch.sources.columns import COLUMNS
from stillwatch.sources.conversation import ROLES, SYSTEM_ROLES
from stillwatch.sources.parameters import READERS
from stillwatch.sources.remarks import Remarks
from stillwatch.sources.times import EARLIEST, read_time
from stillwatch.sources.values import UnfitError

__all__ = ["Context", "Refused", "coerce", "complete", "outcome", "read_row", "settle"]

#: column → its reader; None for times, which need the name of their column
_READ = {column.name: READERS.get(column.kind) for column in COLUMNS}
_DAY = 86_400_000_000
#: 1990-01-01: an account cannot be older than the Web
_EARLIEST_ACCOUNT = 631_152_000_000_000


@dataclass(frozen=True)
class Refused:
    """A row that was not read, and why; the reason holds no text of the row."""

    reason: str


@dataclass
class Context:
    """What reading a row needs beside it.

    ``now`` in microseconds since 1970 UTC: a request later than a day after it is refused.
    ``spelled`` names the source's own field for a column, where it differs, for the reasons.
    """

    remarks: Remarks
    now: int
    spelled: Mapping[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> int:
        """The last time that a row may bear."""
        return self.now + _DAY


def read_row(columns: Mapping[str, Any], context: Context) -> RawExchange:
    """An exchange from values by column name, as a log gives them; None means absent.

    Raises:
        UnfitError: a column is missing or has a value that it cannot have; the reason names it.
    """
    fields = {
        column: coerce(column, value, context)
        for column, value in columns.items()
        if value is not None
    }
    return complete(fields, context)


def outcome(
    columns: Mapping[str, Any], context: Context, *, replaced: bool
) -> RawExchange | Refused:
    """:func:`read_row`, with the reason in place of an exception.

    `replaced` says that invalid text of the row became U+FFFD: that is noted, and an account that
    holds one is refused, since two accounts must not become one.
    """
    try:
        raw = read_row(columns, context)
    except UnfitError as unfit:
        return Refused(unfit.reason)
    if replaced:
        context.remarks.note("invalid UTF-8 was replaced by U+FFFD")
        if "\ufffd" in raw.account:
            return Refused(f"{_named('account', context)} is not valid UTF-8")
    return raw


def coerce(column: str, value: Any, context: Context) -> Any:
    """What :class:`RawExchange` holds in `column` for a value that a log gives there.

    Raises:
        UnfitError: a value that the column cannot have; the reason names the column.
    """
    try:
        reader = _READ[column]
        return read_time(value, column, context.remarks) if reader is None else reader(value)
    except UnfitError as unfit:
        raise UnfitError(f"{_named(column, context)} {unfit.reason}") from None


def complete(fields: dict[str, Any], context: Context) -> RawExchange:
    """An exchange from coerced columns.

    Raises:
        UnfitError: a required column is missing, or the row breaks a rule of :func:`settle`.
    """
    for required in ("at", "account"):
        if fields.get(required) is None:
            raise UnfitError(f"{_named(required, context)} is missing")
    alternatives = fields.get("logprobs")
    if type(alternatives) is int:
        fields["logprobs"] = True
        if fields.get("top_logprobs") is None:
            fields["top_logprobs"] = alternatives
    raw = RawExchange(**fields)
    settle(raw, context)
    return raw


def settle(raw: RawExchange, context: Context) -> None:
    """Apply, in place, the rules of a whole row.

    Exactly one of prompt and messages (an empty prompt beside messages is none); system turns at
    the start become ``system`` where there is none; a last turn of the assistant is the prefill,
    or the answer where the answer says the same; the address is canonical or unknown.

    Raises:
        UnfitError: the row breaks one of them.
    """
    if not EARLIEST <= raw.at <= context.latest:
        side = "before 2015" if raw.at < EARLIEST else "more than a day in the future"
        raise UnfitError(f"{_named('at', context)} lies {side}")
    if raw.messages:
        if raw.prompt:
            raise UnfitError("both 'prompt' and 'messages' are given: leave one out")
        raw.prompt = None
        _settle_turns(raw, raw.messages, context)
    elif raw.prompt is None:
        raise UnfitError("neither 'prompt' nor 'messages' is given")
    if raw.ip is not None:
        raw.ip = values.address(raw.ip)
        if raw.ip is None:
            context.remarks.note("'ip' is no IP address and is taken as unknown")
    if raw.registered_at is not None and _implausible(raw.registered_at, "registered_at", context):
        raw.registered_at = None
    if raw.blocked_at is not None and _implausible(raw.blocked_at, "blocked_at", context):
        raw.blocked_at = None


def _settle_turns(raw: RawExchange, turns: tuple[Message, ...], context: Context) -> None:
    if any(turn.role in ROLES or not turn.role.islower() for turn in turns):
        turns = tuple(
            Message(ROLES.get(turn.role.lower(), turn.role.lower()), turn.content) for turn in turns
        )
    if raw.system is None and turns[0].role in SYSTEM_ROLES:
        start = next((i for i, t in enumerate(turns) if t.role not in SYSTEM_ROLES), 0)
        if start:  # a request of system turns alone keeps them as its messages
            raw.system = "\n".join(turn.content for turn in turns[:start])
            turns = turns[start:]
    if turns[-1].role == "assistant" and raw.prefill is None:
        while len(turns) > 1 and turns[-1] == Message("assistant", raw.completion or ""):
            turns = turns[:-1]
            context.remarks.note("'messages' ends with the completion, which is left out of it")
        if turns[-1].role == "assistant":
            raw.prefill = turns[-1].content
    raw.messages = turns


def _implausible(moment: int, column: str, context: Context) -> bool:
    if _EARLIEST_ACCOUNT <= moment <= context.latest:
        return False
    context.remarks.note(f"'{column}' lies before 1990 or in the future and is taken as unknown")
    return True


def _named(column: str, context: Context) -> str:
    return f"'{context.spelled.get(column, column)}'"
