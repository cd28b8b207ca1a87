"""Which questions were answered: a SQLite file beside the ledger, so that limits hold.

It outlives restarts, and processes that answer at once take turns: a question is counted, or
refused, in one transaction. It names members and no customers, and forgets after 366 days: a
question holds for 31 at most, so that none can come again by then, and no limit looks further back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from stillwatch.errors import PolicyError, ReplayedError
from stillwatch.intel.beside import Beside
from stillwatch.intel.overlap.message import Message
from stillwatch.intel.policy import Overlap

__all__ = ["FILE", "KEPT_DAYS", "Questions"]

FILE: Final = "overlaps.db"
KEPT_DAYS: Final = 366
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS question (
    exchange TEXT NOT NULL, member TEXT NOT NULL, at INTEGER NOT NULL, asks TEXT NOT NULL,
    points INTEGER NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (member, exchange)
) WITHOUT ROWID
"""


class Questions(Beside):
    """The register of a folder."""

    FILE = FILE
    FORMAT = 1
    TABLES = _TABLE
    WHAT = "the register of overlaps"
    NEVER = "no question was ever answered here"

    def answered(self, member: str, since: datetime) -> int:
        """How many questions of a member were answered since then."""
        rows = self._rows(
            "SELECT count(*) FROM question WHERE member = ? AND at > ?", member, _seconds(since)
        )
        return int(rows[0][0]) if rows else 0

    def why_not(self, request: Message, rules: Overlap, now: datetime) -> Iterator[Exception]:
        """What stands against an answer now: a replay, or a limit."""
        header = request.header
        known = self._rows(
            "SELECT at FROM question WHERE member = ? AND exchange = ?",
            header.sender, header.exchange,
        )  # fmt: skip
        if known:
            at = datetime.fromtimestamp(known[0][0], UTC)
            yield ReplayedError(
                f"this question was answered on {at:%Y-%m-%d at %H:%M} UTC; if the answer was "
                "lost, it has to be asked anew"
            )
        number = self.answered(header.sender, now - timedelta(days=rules.days))
        if number >= rules.questions:
            yield PolicyError(
                f"questions: {number} of this member were answered within {rules.days} days; "
                f"{rules.questions} are allowed"
            )

    def record(self, request: Message, answer: str, rules: Overlap, now: datetime) -> None:
        """Count a question that is answered; it is on the disk on return.

        Args:
            answer: SHA-256 of the answer.

        Raises:
            ReplayedError: it was answered before.
            PolicyError: the member has asked too often.
        """
        header = request.header
        with self._writing() as db:
            for why in self.why_not(request, rules, now):
                raise why
            db.execute(
                "INSERT INTO question VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    header.exchange, header.sender, _seconds(now), header.asks, header.points,
                    request.digest, answer,
                ),
            )  # fmt: skip

    def tidy(self, before: datetime) -> int:
        """Forget the questions that were answered before then; how many."""
        if self._db is None:
            return 0
        with self._writing() as db:
            return db.execute("DELETE FROM question WHERE at < ?", (_seconds(before),)).rowcount

    def outlived(self, before: datetime) -> int:
        """How many :meth:`tidy` would forget."""
        rows = self._rows("SELECT count(*) FROM question WHERE at < ?", _seconds(before))
        return int(rows[0][0]) if rows else 0


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
