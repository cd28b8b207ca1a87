"""Objects of others, taken in: all of a batch or nothing, each once, each refusal with its reason.

The newest version of an object counts; older ones that arrive late are kept beside it. What was
taken back stays so. The import, what it ended and its entry for the ledger are one transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from stillwatch.cases.outbox import put_entry
from stillwatch.errors import IndicatorError, IntelError
from stillwatch.intel.received.bundles import Unread
from stillwatch.intel.received.checking import Checked, KeptApart, check_object
from stillwatch.intel.received.members import Member
from stillwatch.intel.received.schema import APART, IMPORTS, OBJECTS, REFUSALS

__all__ = ["Batch", "Imported", "Refusal", "look_at", "record_import", "take_apart", "take_in"]

_AT_ONCE = 500  # values in one statement
#: objects of strangers that are kept; more are counted and refused, so that nobody fills the disk
MOST_APART = 20_000
#: refusals of one import that are kept; the others are counted
MOST_REFUSED = 10_000
_LONGEST_ID = 300


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An object that was not taken; `place` counts from 1."""

    place: int
    id: str | None
    reason: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch. Its objects are `fresh`, `known` already, kept `apart` or refused.

    `revoked` counts those of the fresh ones that take an object back; `ended` the actions that
    ended with it.
    """

    number: int
    objects: int
    fresh: int
    known: int
    apart: int
    revoked: int
    ended: int
    refused: tuple[Refusal, ...]


class _Versions:
    """What is known of each object: digests by version, the newest, and whether it is taken back.

    Kept for one import; filled from the store for the ids of the batch.
    """

    def __init__(self, connection: Connection, ids: Iterable[str]) -> None:
        self._known: dict[tuple[str, str], dict[str, tuple[str, bool]]] = {}
        self.stored: set[tuple[str, str]] = set()
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), _AT_ONCE):
            rows = connection.execute(
                select(
                    OBJECTS.c.sender, OBJECTS.c.id, OBJECTS.c.modified, OBJECTS.c.digest,
                    OBJECTS.c.revoked,
                ).where(OBJECTS.c.id.in_(wanted[start : start + _AT_ONCE]))
            )  # fmt: skip
            for sender, name, modified, digest, revoked in rows:
                self._versions(sender, name)[modified] = (digest, bool(revoked))
                self.stored.add((sender, name))

    def _versions(self, sender: str, name: str) -> dict[str, tuple[str, bool]]:
        return self._known.setdefault((sender, name), {})

    def add(self, each: Checked) -> bool:
        """Add a version; whether it is new.

        Raises:
            IndicatorError: this version says something else already, or it was taken back.
        """
        versions = self._versions(each.sender, each.id)
        known = versions.get(each.modified)
        if known is not None:
            if known[0] != each.digest:
                raise IndicatorError("modified: another object of this id and time is known")
            return False
        if not each.revoked and any(
            revoked and modified <= each.modified for modified, (_, revoked) in versions.items()
        ):
            raise IndicatorError("revoked: its sender took it back before, which is for good")
        versions[each.modified] = (each.digest, each.revoked)
        return True

    def newest(self, sender: str, name: str) -> str:
        """The version that counts: the last one, or the first that takes it back."""
        versions = self._versions(sender, name)
        back = [modified for modified, (_, revoked) in versions.items() if revoked]
        return min(back) if back else max(versions)


class Batch(NamedTuple):
    """Objects that were looked at, which takes a millisecond each, before anything is locked.

    `checked` are those of members with their places, `standard` counts what everybody sends.
    """

    members: Mapping[str, Member]
    objects: int
    checked: list[tuple[int, Checked]]
    apart: dict[str, KeptApart]
    refused: list[Refusal]
    standard: int


def look_at(
    objects: Sequence[dict[str, Any] | Unread], members: Mapping[str, Member], now: float
) -> Batch:
    """Check each object by itself; nothing is written."""
    refused: list[Refusal] = []
    apart: dict[str, KeptApart] = {}
    checked: list[tuple[int, Checked]] = []
    standard = 0
    for place, thing in enumerate(objects, 1):
        try:
            if isinstance(thing, Unread):
                raise IndicatorError(thing.reason)
            found = check_object(thing, members, now)
        except IntelError as error:
            refused.append(_refusal(place, thing, error))
            continue
        if found is None:
            standard += 1
        elif isinstance(found, KeptApart):
            apart.setdefault(found.digest, found)
        else:
            checked.append((place, found))
    return Batch(members, len(objects), checked, apart, refused, standard)


def take_in(
    connection: Connection, batch: Batch, *, source: str, by: str, now: int
) -> tuple[Imported, list[Checked]]:
    """Take a batch in, within a transaction; what became of it, and what is new.

    The caller ends what is no longer told, and then calls :func:`record_import`. It has made sure
    that the members are still those that the batch was looked at with.
    """
    checked, apart, refused = batch.checked, batch.apart, list(batch.refused)
    known = batch.standard
    versions = _Versions(connection, (each.id for _, each in checked))
    fresh: list[Checked] = []
    # versions in the order of their times, whatever order they came in
    for place, each in sorted(checked, key=lambda pair: (pair[1].modified, pair[0])):
        try:
            if versions.add(each):
                fresh.append(each)
            else:
                known += 1
        except IntelError as error:
            refused.append(Refusal(place=place, id=each.id, reason=str(error)))
    number = (connection.execute(select(func.max(IMPORTS.c.number))).scalar() or 0) + 1
    kept, over = _keep_apart(connection, list(apart.values()), number)
    _write(connection, fresh, versions, number)
    refused.sort(key=lambda refusal: refusal.place)
    told = Imported(
        number=number,
        objects=batch.objects,
        fresh=len(fresh),
        known=known,
        apart=len(apart) - over,
        revoked=sum(each.revoked for each in fresh),
        ended=0,
        refused=(*refused, *_crowded_out(over, batch.objects)),
    )
    connection.execute(
        insert(IMPORTS).values(
            number=number, at=now, by=by, source=source, digest=_digest(checked, kept),
            objects=told.objects, fresh=told.fresh, known=told.known, apart=told.apart,
            refused=len(told.refused),
        )
    )  # fmt: skip
    noted = told.refused[:MOST_REFUSED]
    for start in range(0, len(noted), _AT_ONCE):
        some = noted[start : start + _AT_ONCE]
        rows = [msgspec.structs.asdict(each) | {"import_number": number} for each in some]
        connection.execute(insert(REFUSALS), rows)
    return told, fresh


def take_apart(connection: Connection, sender: str) -> list[dict[str, Any]]:
    """Objects that were kept apart because nobody believed `sender`, which are not any more."""
    mine = APART.c.sender == sender
    bodies = connection.execute(
        select(APART.c.body).where(mine).order_by(APART.c.import_number, APART.c.digest)
    ).scalars()
    found = [json.loads(body) for body in bodies]
    connection.execute(delete(APART).where(mine))
    return found


def record_import(
    connection: Connection, told: Imported, *, source: str, by: str, now: int
) -> None:
    """Put the import into the outbox of the ledger: counts and a digest, no name of anybody."""
    digest = connection.execute(
        select(IMPORTS.c.digest).where(IMPORTS.c.number == told.number)
    ).scalar_one()
    body = {
        "import": told.number,
        "source": source,
        "digest": digest,
        "objects": told.objects,
        "fresh": told.fresh,
        "known": told.known,
        "apart": told.apart,
        "revoked": told.revoked,
        "refused": len(told.refused),
        "ended": told.ended,
    }
    put_entry(connection, kind="indicator", at=now, by=by, body=body)


def _write(
    connection: Connection, fresh: Sequence[Checked], versions: _Versions, number: int
) -> None:
    touched = {(each.sender, each.id) for each in fresh}
    newest = {pair: versions.newest(*pair) for pair in touched}
    for sender, name in sorted(touched & versions.stored):
        connection.execute(
            update(OBJECTS)
            .where(OBJECTS.c.sender == sender, OBJECTS.c.id == name, OBJECTS.c.newest)
            .values(newest=False)
        )
    rows = [
        each._asdict()
        | {"import_number": number, "newest": newest[each.sender, each.id] == each.modified}
        for each in fresh
    ]
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(OBJECTS), rows[start : start + _AT_ONCE])
    # an older version may come late, and then the newest is one that stood there before
    written = {(each.sender, each.id, each.modified) for each in fresh}
    for (sender, name), modified in sorted(newest.items()):
        if (sender, name, modified) not in written:
            connection.execute(
                update(OBJECTS)
                .where(
                    OBJECTS.c.sender == sender, OBJECTS.c.id == name,
                    OBJECTS.c.modified == modified,
                )
                .values(newest=True)
            )  # fmt: skip


def _keep_apart(
    connection: Connection, apart: Sequence[KeptApart], number: int
) -> tuple[list[KeptApart], int]:
    """Write what strangers sent, once each, as far as there is room; and how many did not fit."""
    digests = [each.digest for each in apart]
    there: set[str] = set()
    for start in range(0, len(digests), _AT_ONCE):
        some = select(APART.c.digest).where(APART.c.digest.in_(digests[start : start + _AT_ONCE]))
        there |= set(connection.execute(some).scalars())
    fresh = [each for each in apart if each.digest not in there]
    held = connection.execute(select(func.count()).select_from(APART)).scalar_one()
    room = max(0, MOST_APART - held)
    rows = [each._asdict() | {"import_number": number} for each in fresh[:room]]
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(APART), rows[start : start + _AT_ONCE])
    return list(apart), max(0, len(fresh) - room)


def _crowded_out(over: int, objects: int) -> tuple[Refusal, ...]:
    if not over:
        return ()
    reason = f"{over:,} objects of strangers: {MOST_APART:,} are kept, and there is no room"
    return (Refusal(place=objects + 1, id=None, reason=reason),)


def _refusal(place: int, thing: dict[str, Any] | Unread, error: IntelError) -> Refusal:
    name = None if isinstance(thing, Unread) else thing.get("id")
    text = _storable(name[:_LONGEST_ID]) if isinstance(name, str) else None
    return Refusal(place=place, id=text, reason=_storable(str(error)[:1_000]))


def _storable(text: str) -> str:
    """Without NUL and halves of surrogate pairs, which databases do not take."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _digest(checked: Sequence[tuple[int, Checked]], apart: Sequence[KeptApart]) -> str:
    """SHA-256 over the digests of what was read, sorted: the same objects give the same."""
    digests = sorted({each.digest for _, each in checked} | {each.digest for each in apart})
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
