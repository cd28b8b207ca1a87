"""The secret that every sketch is keyed with, and the subkeys that are derived from it.

One secret, many purposes: each purpose (``account``, ``ip``, ``cell``…) gets a subkey of its own
by BLAKE2b (RFC 7693) with the purpose in the ``person`` field, so that the same string under two
purposes gives two digests that nobody without the secret can relate.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b
from pathlib import Path

from stillwatch.errors import KeyFileError
from stillwatch.key_files import MINIMUM_BYTES, create_key_file, read_key_file

__all__ = ["SketchKey"]

_SUBKEY_BYTES = 32


class SketchKey:
    """A secret of at least 32 bytes. Its ``repr`` and :attr:`key_id` do not reveal it.

    Raises:
        KeyFileError: the secret is shorter than 32 bytes.
    """

    __slots__ = ("_hashers", "_secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MINIMUM_BYTES:
            raise KeyFileError(
                f"a sketch key needs at least {MINIMUM_BYTES} bytes, this one has {len(secret)}; "
                "make one with SketchKey.generate()"
            )
        self._secret = bytes(secret)
        self._hashers: dict[str, blake2b] = {}

    @classmethod
    def generate(cls) -> SketchKey:
        """A new random key."""
        return cls(secrets.token_bytes(MINIMUM_BYTES))

    @classmethod
    def from_file(cls, path: Path | str) -> SketchKey:
        """Read the key at `path`: raw bytes, as :meth:`write` leaves them.

        Raises:
            KeyFileError: missing, unreadable, shorter than 32 bytes, or open to other users.
        """
        return cls(read_key_file(Path(path), "the sketch key"))

    def write(self, path: Path | str) -> None:
        """Write the key to a new file that only its owner can read (mode 0600).

        Raises:
            KeyFileError: the file exists (a key is never overwritten) or cannot be written.
        """
        path = Path(path)
        try:
            create_key_file(path, self._secret)
        except FileExistsError as error:
            raise KeyFileError(
                "there is a file already, and a key is never overwritten", path=path
            ) from error
        except OSError as error:
            raise KeyFileError(
                f"cannot write the sketch key: {error.strerror}", path=path
            ) from error

    @property
    def key_id(self) -> str:
        """16 hexadecimal digits that name the key: a digest under a purpose of its own."""
        return self.subkey("key-id")[:8].hex()

    def subkey(self, purpose: str) -> bytes:
        """32 bytes for one purpose (at most 16 bytes of UTF-8): BLAKE2b with ``person``."""
        person = purpose.encode()
        if len(person) > blake2b.PERSON_SIZE:
            raise ValueError(f"purpose {purpose!r} is longer than {blake2b.PERSON_SIZE} bytes")
        # A secret longer than BLAKE2b's key goes in as the message, so that all of it counts.
        return blake2b(self._secret, digest_size=_SUBKEY_BYTES, person=person).digest()

    def digest(self, purpose: str, value: str) -> int:
        """The keyed digest of `value` for `purpose`, a signed 64-bit integer."""
        hasher = self._hashers.get(purpose)
        if hasher is None:
            hasher = blake2b(key=self.subkey(purpose), digest_size=8, person=purpose.encode())
            self._hashers[purpose] = hasher
        hasher = hasher.copy()
        hasher.update(value.encode("utf-8", "surrogatepass"))
        return int.from_bytes(hasher.digest(), "little", signed=True)

    def __repr__(self) -> str:
        return f"SketchKey(key_id={self.key_id!r})"
