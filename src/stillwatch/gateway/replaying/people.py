"""Who sent the rows of a log: from the store of keys, where one is given.

A row is joined by its key, or else by its account. Where an account has several keys and the row
does not say which it used, what they differ in is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from stillwatch.access import Caller
from stillwatch.gateway.replaying.rows import Row

__all__ = ["NOT_KNOWN", "People", "Person"]

#: The level and the tier of a caller of whom neither is known; no file can define it.
NOT_KNOWN = "\0not known"
#: field of a caller → the fact that rules read it as
_REGISTERED = {
    "org": "org",
    "cluster": "cluster",
    "tier": "tier",
    "level": "level",
    "kyc_level": "kyc_level",
    "kyc_country": "kyc_country",
    "purposes": "purposes",
    "terms_version": "terms",
    "created_at": "key_age_days",
}
_LATEST = float("inf")


class Person(NamedTuple):
    """A caller, and the facts about it that are not known."""

    caller: Caller
    missing: frozenset[str]


class People:
    """Finds the person of a row.

    Args:
        keys: a caller for each secret of the store; ``None`` without a store.
        name: what the log calls an account or a key of the store; itself unless it is digested.
        level, tier: assumed of those whom the store does not know.
    """

    def __init__(
        self,
        keys: Iterable[Caller] | None = None,
        *,
        name: Callable[[str, str], str] = lambda _, value: value,
        level: str | None = None,
        tier: str | None = None,
    ) -> None:
        self._level, self._tier = level, tier
        self._by_key: dict[str, Caller] = {}
        self.names: dict[str, str] = {}
        for caller in keys or ():
            known = self._by_key.get(digest := name("key", caller.key_id))
            if known is None or _ends(known) < _ends(caller):
                self._by_key[digest] = caller
        of_account: dict[str, list[Caller]] = {}
        for caller in self._by_key.values():
            called = name("account", caller.account)
            self.names[called] = caller.account
            of_account.setdefault(called, []).append(caller)
        self._by_account = {called: _agreed(each) for called, each in of_account.items()}
        self._strangers: dict[tuple[str, str | None, str | None], Person] = {}
        #: accounts without a key, and those with keys of different levels or tiers
        self.unknown: set[str] = set()
        self.unsure: set[str] = set()
        self.has_keys = keys is not None

    def of(self, row: Row) -> Person:
        """Who sent this row, as far as it is known, at the time when it was sent."""
        at = row.at / 1e6
        if row.key is not None and (caller := self._by_key.get(row.key)) is not None:
            missing: frozenset[str] = frozenset()
            if caller.created_at > at:  # imported since, or rotated in under the same name
                missing = frozenset({"key_age_days"})
            if caller.revoked_at is not None and caller.revoked_at > at:
                caller = msgspec.structs.replace(caller, revoked_at=None)
            return Person(caller, missing)
        if (person := self._by_account.get(row.account)) is not None:
            if NOT_KNOWN in (person.caller.level, person.caller.tier):
                self.unsure.add(row.account)
            if person.caller.created_at > at:
                return Person(person.caller, person.missing | {"key_age_days"})
            return person
        stranger = (row.account, row.key, row.org)
        person = self._strangers.get(stranger)
        if person is None:
            if len(self._strangers) > 1 << 16:
                self._strangers.clear()
            person = self._strangers[stranger] = self._stranger(*stranger)
            self.unknown.add(row.account)
        return person

    def _stranger(self, account: str, key: str | None, org: str | None) -> Person:
        missing = set(_REGISTERED.values())
        if key is None:
            missing.add("key")
        if org is not None:
            missing.discard("org")
        if self._level is not None:
            missing.discard("level")
        if self._tier is not None:
            missing.discard("tier")
        caller = Caller(
            key_id=account if key is None else key,
            account=account,
            org=org,
            level=self._level or NOT_KNOWN,
            tier=self._tier or NOT_KNOWN,
        )
        return Person(caller, frozenset(missing))


def _ends(caller: Caller) -> float:
    return _LATEST if caller.expires_at is None else caller.expires_at


def _agreed(keys: list[Caller]) -> Person:
    """What all keys of an account have in common; which of them was used, is not known."""
    first = keys[0]
    differ = {name for name in _REGISTERED if len({getattr(key, name) for key in keys}) > 1}
    missing = {_REGISTERED[name] for name in differ} | ({"key"} if len(keys) > 1 else set())
    changes: dict[str, object] = {"expires_at": None, "revoked_at": None}
    if len(keys) > 1:
        changes["key_id"] = first.account
    changes.update((name, NOT_KNOWN) for name in differ & {"level", "tier"})
    return Person(msgspec.structs.replace(first, **changes), frozenset(missing))
