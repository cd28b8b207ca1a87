"""What was exported, so that all of it can be taken back: a SQLite file beside the ledger.

It holds the objects as they left, and no names. What is expired, or revoked, and may no longer be
kept by those who received it, is deleted here too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from stillwatch.errors import PolicyError
from stillwatch.intel.beside import Beside
from stillwatch.intel.profile.times import to_the_second, written

__all__ = ["FILE", "Exported", "Register"]

FILE: Final = "exports.db"
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS object (
    id TEXT NOT NULL, modified TEXT NOT NULL, subject TEXT NOT NULL, retain_until TEXT NOT NULL,
    revoked INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id, modified)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS object_subject ON object (subject);
CREATE TABLE IF NOT EXISTS export (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, subject TEXT NOT NULL, contents TEXT NOT NULL,
    policy TEXT NOT NULL, recipients TEXT NOT NULL, objects INTEGER NOT NULL,
    taken_back INTEGER NOT NULL
);
"""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One export: what it was about, its digest, under which policy, to whom.

    `taken_back` says that it revoked what had left before.
    """

    number: int
    at: str
    subject: str
    contents: str
    policy: str
    recipients: tuple[str, ...]
    objects: int
    taken_back: bool


class Register(Beside):
    """The register of a state folder."""

    FILE = FILE
    FORMAT = 1
    TABLES = _TABLES
    WHAT = "the register of exports"
    NEVER = "nothing was ever exported here"

    def current(self, subject: str) -> dict[str, dict[str, Any]]:
        """Id → the last version of each object that left for `subject`, revoked ones included."""
        found = {}
        for name, body in self._rows(
            "SELECT id, body FROM object WHERE subject = ? ORDER BY modified", subject
        ):
            found[name] = json.loads(body)
        return found

    def version(self, object_id: str) -> dict[str, Any] | None:
        """The last version of one object, whatever it left for; None for one that never left."""
        rows = self._rows(
            "SELECT body FROM object WHERE id = ? ORDER BY modified DESC LIMIT 1", object_id
        )
        return json.loads(rows[0][0]) if rows else None

    def subject_of(self, object_id: str) -> str | None:
        """What an object left for; None for one that never left."""
        rows = self._rows("SELECT subject FROM object WHERE id = ? LIMIT 1", object_id)
        return rows[0][0] if rows else None

    def generation(self, subject: str) -> int:
        """How often what left for `subject` was taken back: an id that was revoked stays so."""
        [(number,)] = self._rows(
            "SELECT count(*) FROM export WHERE subject = ? AND taken_back", subject
        ) or [(0,)]
        return int(number)

    def exports(self) -> list[Exported]:
        """Every export, in order."""
        return list(self._exports("ORDER BY number"))

    def last(self, subject: str) -> Exported | None:
        """The last export for `subject`."""
        return next(iter(self._exports("WHERE subject = ? ORDER BY number DESC", subject)), None)

    def last_number(self, subject: str) -> int:
        """The number of the last export for `subject`; 0 where there was none."""
        last = self.last(subject)
        return 0 if last is None else last.number

    def check_last(self, subject: str, after: int) -> None:
        """See whether the last export for `subject` is still this one.

        Raises:
            PolicyError: it is not.
        """
        if self.last_number(subject) != after:
            raise PolicyError(
                f"something left for {subject}, or was taken back, since it was previewed; look at "
                "the preview again"
            )

    def record(
        self, subject: str, objects: Iterable[Mapping[str, Any]], *, after: int, at: datetime,
        contents: str, policy: str, recipients: Iterable[str], retain_until: str,
        taken_back: bool = False,
    ) -> None:  # fmt: skip
        """Remember objects that leave, all or none; they are on the disk on return.

        Args:
            after: :meth:`last_number` when the objects were made.

        Raises:
            PolicyError: something else left, or was taken back, since then.
        """
        rows = [
            (
                each["id"], each["modified"], subject, retain_until, bool(each.get("revoked")),
                json.dumps(each, ensure_ascii=False),
            )
            for each in objects
        ]  # fmt: skip
        with self._writing() as db:
            self.check_last(subject, after)
            db.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?)", rows)
            db.execute(
                "INSERT INTO export (at, subject, contents, policy, recipients, objects, "
                "taken_back) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    written(at), subject, contents, policy, json.dumps(list(recipients)),
                    len(rows), taken_back,
                ),
            )  # fmt: skip

    def tidy(self, now: datetime) -> int:
        """Delete what those who received it have to have deleted by now; how many versions."""
        if self._db is None:
            return 0
        with self._writing() as db:
            return db.execute(
                "DELETE FROM object WHERE retain_until < ?", (to_the_second(now),)
            ).rowcount

    def outlived(self, now: datetime) -> int:
        """How many versions :meth:`tidy` would delete."""
        rows = self._rows("SELECT count(*) FROM object WHERE retain_until < ?", to_the_second(now))
        return int(rows[0][0]) if rows else 0

    def _exports(self, which: str, *values: object) -> Iterator[Exported]:
        rows = self._rows(f"SELECT * FROM export {which}", *values)
        for number, at, subject, contents, policy, recipients, objects, taken_back in rows:
            yield Exported(
                number=number, at=at, subject=subject, contents=contents, policy=policy,
                recipients=tuple(json.loads(recipients)), objects=objects,
                taken_back=bool(taken_back),
            )  # fmt: skip
