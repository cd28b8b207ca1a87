"""A log → which account meets which indicator, when and how often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.errors import OutputError
from stillwatch.intel.matching.indicators import WORDING
from stillwatch.intel.matching.meeting import IndicatorMeeting
from stillwatch.intel.matching.sets import Entry, IndicatorSet
from stillwatch.intel.profile.patterns import DigestPattern
from stillwatch.sources import Log

__all__ = ["AccountHit", "Count", "Matched", "hit", "match_log", "write_hits"]


class AccountHit(msgspec.Struct, frozen=True, kw_only=True):
    """An account, as the log calls it, that meets what was told.

    Times are µs since 1970. `pattern` is one text for all indicators that look for the same; those
    that do, and their senders, stand beside it. `kind` is the field of an identifier, or
    ``wording``. `claimed` and `rate` are what senders say of it, None where nobody does.
    """

    account: str
    pattern: str
    kind: str
    exchanges: int
    first_at: int
    last_at: int
    indicators: tuple[str, ...]
    senders: tuple[str, ...]
    claimed: int | None
    rate: float | None


@dataclass(frozen=True)
class Matched:
    """What a log holds of the indicators: hits by account and pattern.

    Attributes:
        accounts: accounts of the log.
        rows, rejected: exchanges read, and rows refused.
        passed: exchanges that were recorded without a key of the community, and not looked at.
    """

    hits: tuple[AccountHit, ...]
    accounts: int
    rows: int
    rejected: int
    passed: int = 0

    def spread(self) -> dict[str, int]:
        """Pattern → how many accounts meet it."""
        found: dict[str, int] = {}
        for each in self.hits:
            found[each.pattern] = found.get(each.pattern, 0) + 1
        return found


@dataclass
class Count:
    """Exchanges of an account that meet an indicator; the first and last time in µs since 1970."""

    exchanges: int
    first: int
    last: int

    def add(self, exchanges: int, first: int, last: int) -> None:
        """Count more of them."""
        self.exchanges += exchanges
        self.first, self.last = min(self.first, first), max(self.last, last)


def match_log(log: Log, sets: Sequence[IndicatorSet]) -> Matched:
    """Look for the indicators of `sets` in all exchanges of `log`.

    Raises:
        InputError: a file of the log is gone or unreadable.
    """
    meeting = IndicatorMeeting(sets)
    found: dict[tuple[str, int, int], Count] = {}
    accounts: set[str] = set()
    rows = rejected = 0
    for batch in log.batches():
        rejected += len(batch.rejects)
        rows += len(batch.rows)
        accounts.update(row.account for row in batch.rows)
        for of, met in enumerate(meeting.look(batch.rows)):
            for number, entry in zip(met.exchange.tolist(), met.entry.tolist(), strict=True):
                row = batch.rows[number]
                seen = found.setdefault((row.account, of, entry), Count(0, row.at, row.at))
                seen.add(1, row.at, row.at)
    hits = (
        hit(account, sets[of].entries[entry], seen) for (account, of, entry), seen in found.items()
    )
    ordered = sorted(hits, key=lambda each: (each.account, each.pattern))
    return Matched(tuple(ordered), len(accounts), rows, rejected)


def hit(account: str, entry: Entry, seen: Count) -> AccountHit:
    """What is said of an account that meets an entry."""
    what = entry.told[0].pattern.what
    return AccountHit(
        account=account,
        pattern=entry.name,
        kind=what.field if isinstance(what, DigestPattern) else WORDING,
        exchanges=seen.exchanges,
        first_at=seen.first,
        last_at=seen.last,
        indicators=tuple(sorted({each.id for each in entry.told})),
        senders=tuple(sorted(entry.senders)),
        claimed=entry.claimed,
        rate=entry.rate,
    )


def write_hits(hits: Iterable[AccountHit], path: Path) -> None:
    """Write hits as JSON Lines, or as Parquet if `path` ends so; whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    aside = path.with_name(f".{path.name}.partial")
    try:
        if path.suffix == ".parquet":
            rows = [msgspec.to_builtins(each) for each in hits]
            pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), aside)
        else:
            aside.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in hits))
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(f"cannot be written: {error.strerror}", path=path) from error


_SCHEMA = pa.schema(
    [
        ("account", pa.string()),
        ("pattern", pa.string()),
        ("kind", pa.string()),
        ("exchanges", pa.int64()),
        ("first_at", pa.int64()),
        ("last_at", pa.int64()),
        ("indicators", pa.list_(pa.string())),
        ("senders", pa.list_(pa.string())),
        ("claimed", pa.int64()),
        ("rate", pa.float64()),
    ]
)
