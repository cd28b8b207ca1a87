"""What lies beside a gateway's event store: the key of its digests, and the names behind them.

A store holds digests alone. Who may read the gateway's state folder can call accounts by their
names again: each account with a key there is digested like those of the exchanges.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stillwatch.campaigns.reading import AccountNames, pseudonym
from stillwatch.errors import InputError, KeyFileError
from stillwatch.events import EventStore
from stillwatch.sketches import SketchKey

if TYPE_CHECKING:
    from stillwatch.access.database import Database, Version

__all__ = ["NAMELESS", "Registered", "find_store", "key_of", "remark"]

Ints = npt.NDArray[np.int64]

_STORE, _HOT, _KEYS, _SECRET = "events", "hot.sqlite", "access.db", "sketch.key"


def find_store(path: str | Path) -> Path | None:
    """The event store at `path`, or in the state folder of a gateway there; None for neither.

    Raises:
        InputError: it is the state folder of a gateway that has recorded nothing yet.
    """
    path = Path(path)
    for folder in (path, path / _STORE):
        if (folder / _HOT).is_file():
            return folder.resolve()
    if (path / _KEYS).is_file():
        raise InputError(
            "is the state folder of a gateway that was never started: there is no event store yet",
            path=path,
        )
    return None


def key_of(store: EventStore, given: SketchKey | None) -> SketchKey | None:
    """The key of a store's digests: the one that is `given`, or ``sketch.key`` beside it, if any.

    Raises:
        KeyFileError: it is another one, or cannot be read.
    """
    beside = store.path.parent / _SECRET
    if given is None and not beside.exists():
        return None
    key = SketchKey.from_file(beside) if given is None else given
    if key.key_id != store.key_id:
        raise KeyFileError(
            f"the store {store.path} was made with the key {store.key_id}, and this is "
            f"{key.key_id}: their digests do not meet. Name the right one with --key-file",
            path=beside if given is None else None,
        )
    return key


#: said where no account has a name
NAMELESS = "accounts are called by their digests"


class Registered:
    """Calls accounts by the names under which keys are registered beside a store.

    Without ``access.db`` there, without the key, or when `pseudonymous`, all are called by their
    digests; so is an account that was erased from it.

    Raises:
        StorageError: the file cannot be read.
        StoreFormatError: it is damaged, or of another version.
    """

    def __init__(self, store: Path, key: SketchKey | None, *, pseudonymous: bool = False) -> None:
        self._key, self._known = key, dict[int, str]()
        self._database: Database | None = None
        self._seen: Version | None = None
        if key is not None and not pseudonymous and (store.parent / _KEYS).is_file():
            from stillwatch.access.database import open_database

            self._database = open_database(store.parent)

    @property
    def named(self) -> bool:
        """Whether there are names at all."""
        return self._database is not None

    def call(self, digests: Ints) -> list[str]:
        """The names of `digests`, as of now."""
        self._read()
        return [self._known.get(each) or pseudonym(each) for each in digests.tolist()]

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()

    def _read(self) -> None:
        if self._database is None or self._key is None:
            return
        from stillwatch.access.keys import KeyStore

        self._seen, accounts = KeyStore(self._database).accounts(self._seen)
        if accounts is not None:
            self._known = {self._key.digest("account", name): name for name in accounts}


def remark(names: AccountNames) -> str:
    """What a reader must know of the names of accounts; nothing where all have theirs."""
    table = names.table()
    pairs = zip(table["digest"].to_pylist(), table["name"].to_pylist(), strict=True)
    nameless = sum(name == pseudonym(digest) for digest, name in pairs)
    if not nameless:
        return ""
    if nameless == len(table):
        return NAMELESS
    return (
        f"{nameless:,} of {len(table):,} accounts are called by their digests, since no key of "
        "theirs is registered"
    )
