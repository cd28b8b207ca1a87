"""What a gateway holds about an account: all of it, for whoever asks; and none of it any more.

Three stores know an account: keys and actions by its name, exchanges by a keyed digest of the name,
and the ledger by a salted commitment, which nobody can open without the salt.
Reasoning blocks that it holds name it by the binding's digests, and lapse by themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow.compute as pc

from stillwatch.access.database import Database, open_database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.erasure import erase_account
from stillwatch.access.keys import KeyStore
from stillwatch.events.parts import read_part
from stillwatch.gateway.recording.state import reopen
from stillwatch.ledger.about import entries_about, erase_salt

__all__ = ["Erased", "erase", "held"]

#: Seconds from the end of its keys until no exchange of the account is under way to the disk: a
#: second until each gateway knows, and a flush. A stream that still runs is recorded at its end.
SETTLED = 3.0


class Erased(NamedTuple):
    """What is gone: keys with their secrets, links and actions; exchanges; salts of the ledger."""

    access: int
    exchanges: int
    salts: int


def held(state: Path, account: str, keys: str | None = None) -> Iterator[tuple[str, Any]]:
    """Everything about `account`, as (``key``, ``action``, ``exchange`` or ``entry``, its fields).

    `keys` is the address of the store of keys where that is not in the folder `state`. An exchange
    has digests in place of names and texts, which is all that was ever kept.

    Raises:
        StoreFormatError: there is no store, or it is damaged.
        KeyFileError: the key of the digests is gone.
    """
    database = open_database(keys or state)
    try:
        ids = set()
        for caller in KeyStore(database).list(account):
            ids.add(caller.key_id)
            yield "key", msgspec.to_builtins(caller)
        for action in ActionStore(database).history():
            on_account = action.subject_kind == "account" and action.subject == account
            if on_account or (action.subject_kind == "key" and action.subject in ids):
                yield "action", msgspec.to_builtins(action)
    finally:
        database.close()
    store, key = reopen(state)
    digest = key.digest("account", account)
    with store:
        for part in store.parquet_files():
            for batch in read_part(part):
                yield from _rows(batch, digest)
        for _, batch in store.hot_after(0, rows=10_000):
            yield from _rows(batch, digest)
    for number, entry in entries_about(state, account):
        yield "entry", {"number": number, **msgspec.to_builtins(entry)}


def erase(
    state: Path,
    account: str,
    keys: str | None = None,
    *,
    wait: Callable[[float], None] = time.sleep,
) -> Erased:
    """Delete everything about `account`; run it again if it was interrupted.

    Its keys go first, so that nothing more is recorded. Backups, and what the file system keeps of
    deleted files, are out of reach.

    Raises:
        StoreFormatError: there is no store, or it is damaged.
        KeyFileError: the key of the digests is gone.
        StorageError: the disk is full; what is left is there until it is run again.
    """
    database: Database = open_database(keys or state)
    try:
        gone = erase_account(database, account)
    finally:
        database.close()
    if gone:
        wait(SETTLED)
    store, key = reopen(state)
    with store:
        exchanges = store.erase([key.digest("account", account)])
    return Erased(gone, exchanges, int(erase_salt(state, account)))


def _rows(batch: Any, digest: int) -> Iterator[tuple[str, Any]]:
    for row in batch.filter(pc.equal(batch["account"], digest)).to_pylist():
        yield "exchange", {name: value for name, value in row.items() if value is not None}
