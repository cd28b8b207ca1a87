"""The keys that a provider gives out: made, rotated, revoked, linked, listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update

from stillwatch.access.callers import read_callers
from stillwatch.access.database import Database, Version
from stillwatch.access.facts import UNKNOWN, Caller
from stillwatch.access.imported import ImportedKey, registered
from stillwatch.access.lists import read_list
from stillwatch.access.registration import check_caller, check_name, check_time
from stillwatch.access.schema import KEYS, LINKS, SECRETS
from stillwatch.access.secret import digest_of, new_key_id, new_secret
from stillwatch.errors import InputError

__all__ = ["KeyStore"]

_AT_ONCE = 500  # values in one statement
_COLUMNS = tuple(column.name for column in KEYS.columns)


class KeyStore:
    """Writes and reads keys. Every write is durable when the method returns.

    `clock` gives seconds since the epoch. Besides what they say, all methods raise StorageError
    and StoreFormatError as :class:`~stillwatch.access.Database` does.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def create(
        self,
        *,
        account: str,
        org: str | None = None,
        cluster: str | None = None,
        tier: str = "default",
        level: str = "default",
        kyc_level: int = 0,
        kyc_country: str = UNKNOWN,
        purposes: Iterable[str] = (),
        terms_version: str | None = None,
        terms_accepted_at: int | None = None,
        expires_at: int | None = None,
    ) -> tuple[str, Caller]:
        """Make a key; its secret, which is stored nowhere, and the caller that it speaks for.

        Terms without a time count as accepted now. Without a cluster the account stays where it
        is linked to.

        Raises:
            InputError: a field cannot stand as it is.
        """
        now = int(self._clock())
        caller = Caller(
            key_id=new_key_id(),
            account=account,
            org=org,
            cluster=cluster,
            tier=tier,
            level=level,
            kyc_level=kyc_level,
            kyc_country=kyc_country,
            purposes=tuple(sorted(set(purposes))),
            terms_version=terms_version,
            terms_accepted_at=now if terms_version and terms_accepted_at is None
            else terms_accepted_at,
            created_at=now,
            expires_at=expires_at,
        )  # fmt: skip
        check_caller(caller)
        _check_expiry(expires_at, now)
        secret = new_secret()
        with self._database.writing() as (connection, version):
            _insert(connection, version, [(digest_of(secret), caller)], issued_at=now)
            return secret, _one(connection, caller.key_id)

    def rotate(
        self, key_id: str, overlap_seconds: int, *, expires_at: int | None = None
    ) -> tuple[str, Caller]:
        """A new secret for the same key; older ones end after the overlap, or as they would have.

        The new one ends at `expires_at`, or when the latest of the older ones would have.

        Raises:
            InputError: there is no such key, it is revoked, or it has expired and no new end is
                given.
        """
        now = int(self._clock())
        if overlap_seconds < 0:
            raise InputError(f"overlap: {overlap_seconds} seconds; give 0 or more")
        _check_expiry(expires_at, now)
        with self._database.writing() as (connection, version):
            caller = _one(connection, key_id)
            if caller.revoked_at is not None:
                raise InputError(f"{key_id} is revoked; make a new key for {caller.account}")
            ends = expires_at if expires_at is not None else caller.expires_at
            if ends is not None and ends <= now:
                raise InputError(f"{key_id} has expired; say when the new secret shall expire")
            last = now + overlap_seconds
            connection.execute(
                update(SECRETS)
                .where(SECRETS.c.key_id == key_id)
                .where(or_(SECRETS.c.expires_at.is_(None), SECRETS.c.expires_at > last))
                .values(expires_at=last, version=version)
            )
            secret = new_secret()
            _insert_secrets(connection, version, [(digest_of(secret), key_id, ends)], now)
            return secret, msgspec.structs.replace(caller, expires_at=ends)

    def revoke(self, key_id: str) -> Caller:
        """End a key with all of its secrets, now and for good; a second time changes nothing.

        Raises:
            InputError: there is no such key.
        """
        with self._database.writing() as (connection, version):
            caller = _one(connection, key_id)
            if caller.revoked_at is None:
                connection.execute(
                    update(KEYS)
                    .where(KEYS.c.key_id == key_id)
                    .values(revoked_at=int(self._clock()))
                )
                connection.execute(
                    update(SECRETS).where(SECRETS.c.key_id == key_id).values(version=version)
                )
            return _one(connection, key_id)

    def find(self, secret: str) -> Caller | None:
        """Whom a secret speaks for, be it revoked or expired, such as one that was leaked."""
        with self._database.reading() as (connection, _):
            found = dict(read_callers(connection, SECRETS.c.digest == digest_of(secret)))
            return next(iter(found.values()), None)

    def list(self, account: str | None = None) -> Iterator[Caller]:
        """A caller for each secret, by account and age; all of them, or those of one account.

        The store is read as it is at the first one. A key whose rotation overlaps comes twice.
        """
        conditions = [] if account is None else [KEYS.c.account == account]
        with self._database.reading() as (connection, _):
            for _, caller in read_callers(connection, *conditions, ordered=True):
                yield caller

    def accounts(self, seen: Version | None = None) -> tuple[Version, tuple[str, ...] | None]:
        """Every account with a key, be it revoked, and the version of the store that says so.

        None for the accounts where the version is still the one that was `seen`.
        """
        with self._database.reading() as (connection, version):
            if version == seen:
                return version, None
            return version, tuple(connection.scalars(select(KEYS.c.account).distinct()))

    def relink(self, clusters: Mapping[str, str | None]) -> None:
        """Put accounts into clusters, by name; ``None`` makes one its own again. All or none.

        It holds for every key of the account, also for those that are made later.

        Raises:
            InputError: a name cannot stand as it is.
        """
        for account, cluster in clusters.items():
            check_name("account", account)
            if cluster is not None:
                check_name("cluster", cluster)
        with self._database.writing() as (connection, version):
            _link(connection, version, clusters)

    def import_file(self, path: Path) -> int:
        """Take keys that were made elsewhere, all or none; how many.

        A line is a JSON object: ``sha256``, the hexadecimal SHA-256 of a secret that is random and
        has 128 bits or more, ``account``, and any other field of a caller.

        Raises:
            InputError: a line is no such object, or its secret or id is known; it is named.
        """
        now = int(self._clock())
        lines = read_list(path, ImportedKey)
        with self._database.writing() as (connection, version):
            fresh: list[tuple[bytes, Caller]] = []
            seen: set[bytes | str] = set()
            for start in range(0, len(lines), _AT_ONCE):
                some = lines[start : start + _AT_ONCE]
                seen |= registered(connection, [line for _, line in some])
                for number, line in some:
                    try:
                        fresh.append(line.taken(now, seen))
                    except InputError as error:
                        raise InputError(
                            f"{error}; nothing of the file was taken", path=path, line=number
                        ) from error
            for start in range(0, len(fresh), _AT_ONCE):
                _insert(connection, version, fresh[start : start + _AT_ONCE], issued_at=now)
        return len(fresh)


def _check_expiry(expires_at: int | None, now: int) -> None:
    if expires_at is None:
        return
    check_time("expires_at", expires_at)
    if expires_at <= now:
        raise InputError(f"expires_at: {expires_at} is in the past; give a later time")


def _one(connection: Connection, key_id: str) -> Caller:
    """The key with its latest end."""
    found = [caller for _, caller in read_callers(connection, KEYS.c.key_id == key_id)]
    if not found:
        raise InputError(f"there is no key {key_id!r}; `stillwatch keys list` shows all")
    return max(found, key=lambda c: float("inf") if c.expires_at is None else c.expires_at)


def _insert(
    connection: Connection, version: int, fresh: list[tuple[bytes, Caller]], *, issued_at: int
) -> None:
    rows = [
        {name: getattr(caller, name) for name in _COLUMNS} | {"purposes": " ".join(caller.purposes)}
        for _, caller in fresh
    ]
    connection.execute(insert(KEYS), rows)
    of_keys = [(digest, caller.key_id, caller.expires_at) for digest, caller in fresh]
    _insert_secrets(connection, version, of_keys, issued_at)
    linked = {caller.account: caller.cluster for _, caller in fresh if caller.cluster is not None}
    if linked:
        _link(connection, version, linked)


def _insert_secrets(
    connection: Connection,
    version: int,
    of_keys: list[tuple[bytes, str, int | None]],
    issued_at: int,
) -> None:
    rows = [
        {
            "digest": digest,
            "key_id": key_id,
            "issued_at": issued_at,
            "expires_at": expires_at,
            "version": version,
        }
        for digest, key_id, expires_at in of_keys
    ]
    connection.execute(insert(SECRETS), rows)


def _link(connection: Connection, version: int, clusters: Mapping[str, str | None]) -> None:
    accounts = list(clusters)
    for start in range(0, len(accounts), _AT_ONCE):
        some = accounts[start : start + _AT_ONCE]
        connection.execute(delete(LINKS).where(LINKS.c.account.in_(some)))
        linked = [
            {"account": account, "cluster": cluster}
            for account in some
            if (cluster := clusters[account]) not in (None, account)
        ]
        if linked:
            connection.execute(insert(LINKS), linked)
        of_accounts = select(KEYS.c.key_id).where(KEYS.c.account.in_(some))
        connection.execute(
            update(SECRETS).where(SECRETS.c.key_id.in_(of_accounts)).values(version=version)
        )
