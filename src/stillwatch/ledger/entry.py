"""An entry: what was decided, when, by whom; checked before it is recorded, for it stays for ever.

``{"kind": …, "at": RFC 3339, "by": …, "body": {…}}``, and nothing else.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from stillwatch.errors import EntryError
from stillwatch.ledger.canonical import canonical, parsed
from stillwatch.ledger.commitments import first_name
from stillwatch.ledger.kinds import KINDS

__all__ = ["LARGEST_ENTRY", "Entry"]

#: bytes of an entry in canonical form
LARGEST_ENTRY: Final = 65_536
_LONGEST_BY = 200
_FIELDS = ("kind", "at", "by", "body")
#: with the offset, in capitals and to the nanosecond at most, so that every reader takes it
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Entry(msgspec.Struct, frozen=True):
    """One decision. `at` and `by` are what the writer says; the ledger proves only that it said so.

    Attributes:
        kind: one of :data:`stillwatch.ledger.KINDS`.
        at: RFC 3339 with an offset, such as ``2026-11-22T10:00:00Z``.
        by: who decided: a person or a program, 200 characters at most.
        body: any JSON object; who it is about stands there as commitments, never as names.
    """

    kind: str
    at: str
    by: str
    body: dict[str, Any]

    def encoded(self) -> bytes:
        """The canonical bytes, which are hashed and kept.

        Raises:
            EntryError: the ledger does not take it; says which field and why.
        """
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise EntryError(f"'{self.kind}' is no kind of entry; there are: {', '.join(KINDS)}")
        if not isinstance(self.at, str) or not _AT.fullmatch(self.at) or not _is_time(self.at):
            raise EntryError(f"at: {self.at!r} is no time such as 2026-11-22T10:00:00Z")
        if not isinstance(self.by, str) or not 0 < len(self.by) <= _LONGEST_BY:
            raise EntryError(f"by: give 1 to {_LONGEST_BY} characters, who decided")
        if type(self.body) is not dict:
            raise EntryError("body: give a JSON object")
        try:
            data = canonical({"at": self.at, "body": self.body, "by": self.by, "kind": self.kind})
        except ValueError as error:
            raise EntryError(str(error)) from error
        if (named := first_name(self.body)) is not None:
            raise EntryError(
                f'{named} names somebody in the clear, for ever; write {{"$commit": …}} there'
            )
        if len(data) > LARGEST_ENTRY:
            raise EntryError(
                f"it has {len(data):,} bytes, {LARGEST_ENTRY:,} at most; record a digest of what "
                "is large, and keep that elsewhere"
            )
        return data

    @classmethod
    def parse(cls, data: bytes | str, *, path: Path | str | None = None,
              line: int | None = None) -> Entry:  # fmt: skip
        """Read an entry; `path` and `line` say in errors where it stood.

        Raises:
            EntryError: this is no JSON object with exactly these four fields.
        """
        try:
            fields = parsed(data)
        except ValueError as error:
            raise EntryError(str(error), path=path, line=line) from error
        if not isinstance(fields, dict) or fields.keys() != set(_FIELDS):
            odd = sorted(set(fields) ^ set(_FIELDS)) if isinstance(fields, dict) else []
            what = f"; what differs: {', '.join(odd)}" if odd else ""
            raise EntryError(
                f"an entry is a JSON object of {', '.join(_FIELDS)}{what}", path=path, line=line
            )
        return cls(**fields)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
