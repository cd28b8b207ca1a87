"""Keys that were made elsewhere: a line of a list, and what must be new about it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from stillwatch.access.facts import Caller
from stillwatch.access.registration import check_caller
from stillwatch.access.schema import KEYS, SECRETS
from stillwatch.access.secret import DIGEST_BYTES, new_key_id
from stillwatch.errors import InputError

__all__ = ["ImportedKey", "registered"]


class ImportedKey(Caller, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A caller and the SHA-256 of its secret in hexadecimal digits; an empty id is filled in."""

    sha256: str
    key_id: str = ""

    def digest(self) -> bytes | None:
        """What `sha256` says, if it says anything."""
        try:
            digest = bytes.fromhex(self.sha256)
        except ValueError:
            return None
        return digest if len(digest) == DIGEST_BYTES else None

    def taken(self, now: int, seen: set[bytes | str]) -> tuple[bytes, Caller]:
        """The digest and the caller; the digest and the id join those that were `seen`.

        Raises:
            InputError: a field cannot stand as it is, or is that of another key.
        """
        digest = self.digest()
        if digest is None:
            raise InputError("sha256: this is no SHA-256 in 64 hexadecimal digits")
        if digest in seen:
            raise InputError("sha256: this secret is registered already; remove the line")
        if self.key_id in seen:
            raise InputError(f"key_id: {self.key_id} is taken; leave it out, and one is made")
        fields: dict[str, Any] = {name: getattr(self, name) for name in Caller.__struct_fields__}
        fields["key_id"] = self.key_id or new_key_id()
        fields["created_at"] = self.created_at or now
        fields["purposes"] = tuple(sorted(set(self.purposes)))
        caller = Caller(**fields)
        check_caller(caller)
        seen |= {digest, caller.key_id}
        return digest, caller


def registered(connection: Connection, keys: list[ImportedKey]) -> set[bytes | str]:
    """Which digests and ids of the keys the store knows."""
    digests = [digest for key in keys if (digest := key.digest())]
    ids = [key.key_id for key in keys if key.key_id]
    found = connection.execute(select(SECRETS.c.digest).where(SECRETS.c.digest.in_(digests)))
    taken = connection.execute(select(KEYS.c.key_id).where(KEYS.c.key_id.in_(ids)))
    return {bytes(digest) for (digest,) in found} | {key_id for (key_id,) in taken}
