"""Keys of marks: one master secret, one key for each tenant, epoch, cluster and scheme.

Derived by HKDF-SHA256 (RFC 5869). The ``info`` names each part with its length before it, so that
no two combinations are the same string. A cluster is a group of linked accounts; keys never come
from a request. Which accounts belong to a cluster is kept elsewhere: the key is a pseudonym in
public text.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from stillwatch.errors import KeyFileError
from stillwatch.key_files import MINIMUM_BYTES, read_key_file

__all__ = ["ENVIRONMENT", "GLOBAL", "KeyRing", "MarkKey", "hkdf_sha256"]

#: the cluster of the global key, which proves theft and traces nobody
GLOBAL: Final = "*"
#: bytes of the salt of a commitment
LEAST_SALT: Final = 16
#: where :meth:`KeyRing.from_environment` looks: hexadecimal digits
ENVIRONMENT: Final = "STILLWATCH_MARK_KEY"

_VERSION: Final = "stillwatch-mark-v1"
_RING: Final = "stillwatch-mark-ring-v1"
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class MarkKey:
    """The key of one mark. Its ``repr`` does not show the 64-bit `value`.

    64 bits is what the samplers of vLLM and SGLang take. It is enough against guessing from text
    by most; not against somebody who can afford 2^64 trials.
    """

    value: int = field(repr=False)
    epoch: str
    cluster: str
    scheme: str = "gumbel"

    def __post_init__(self) -> None:
        if not 0 <= self.value < 1 << 64:
            raise ValueError("the value of a key has 64 bits")

    def commitment(self, salt: bytes) -> str:
        """SHA-256, 64 hexadecimal digits, that binds to the key and shows nothing without `salt`.

        Publish it before a test; open it afterwards by showing key and salt. At least 16 random
        bytes of salt, one for each commitment: with a known salt 64 bits could be searched.

        Raises:
            ValueError: a shorter salt.
        """
        if len(salt) < LEAST_SALT:
            raise ValueError(f"a salt has at least {LEAST_SALT} random bytes")
        parts = ("stillwatch-mark-commitment-v1", self.epoch, self.cluster, self.scheme)
        return hashlib.sha256(
            _prefixed(salt, self.value.to_bytes(8, "big"), *(p.encode() for p in parts))
        ).hexdigest()


class KeyRing:
    """The keys of one epoch, from one master secret of at least 32 bytes.

    Args:
        master: secret bytes; its ``repr`` does not show them.
        epoch: a name for the period in which these keys are in use, say ``2026-11``.
        tenant: separates operators that share a master.

    Raises:
        KeyFileError: the master is shorter than 32 bytes.
        ValueError: the epoch is empty.
    """

    __slots__ = ("_secret", "epoch", "tenant")

    def __init__(self, master: bytes, epoch: str, *, tenant: str = "") -> None:
        if len(master) < MINIMUM_BYTES:
            raise KeyFileError(
                f"a mark's master key needs at least {MINIMUM_BYTES} bytes, this one has "
                f"{len(master)}"
            )
        if not epoch:
            raise ValueError("an epoch has a name")
        self._secret = bytes(master)
        self.epoch, self.tenant = epoch, tenant

    @classmethod
    def from_file(cls, path: Path | str, epoch: str, *, tenant: str = "") -> KeyRing:
        """Read the master at `path`: raw bytes, in a regular file that is not open to everybody.

        Raises:
            KeyFileError: missing, unreadable, shorter than 32 bytes, or open to other users.
        """
        master = read_key_file(Path(path), "the mark's master key")
        return cls(master, epoch, tenant=tenant)

    @classmethod
    def from_environment(
        cls, epoch: str, *, tenant: str = "", variable: str = ENVIRONMENT
    ) -> KeyRing:
        """Read the master from an environment variable: at least 64 hexadecimal digits.

        Raises:
            KeyFileError: not set, not hexadecimal, or too short.
        """
        written = os.environ.get(variable)
        if not written:
            raise KeyFileError(f"the environment variable {variable} is not set")
        try:
            master = bytes.fromhex(written)
        except ValueError:
            raise KeyFileError(f"the environment variable {variable} is not hexadecimal") from None
        if len(master) < MINIMUM_BYTES:
            raise KeyFileError(
                f"the environment variable {variable} has {len(master)} bytes, at least "
                f"{MINIMUM_BYTES} are needed"
            )
        return cls(master, epoch, tenant=tenant)

    def key(self, cluster: str, scheme: str = "gumbel") -> MarkKey:
        """The key of `cluster` under `scheme`; :data:`GLOBAL` is the cluster of everybody.

        Raises:
            ValueError: a cluster without a name, or one that begins as :data:`GLOBAL` does.
        """
        if not cluster or not scheme:
            raise ValueError("a cluster and a scheme have names")
        if cluster.startswith(GLOBAL) and cluster != GLOBAL:
            raise ValueError(f"a cluster's name does not begin with {GLOBAL!r}: it is reserved")
        parts = (_VERSION, self.tenant, self.epoch, cluster, scheme)
        derived = hkdf_sha256(self._secret, info=_prefixed(*(p.encode() for p in parts)), length=8)
        return MarkKey(int.from_bytes(derived, "big"), self.epoch, cluster, scheme)

    def values(self, clusters: Sequence[str], scheme: str = "gumbel") -> npt.NDArray[np.uint64]:
        """The values of the keys of many clusters, uint64 [clusters]; see :meth:`key`."""
        return np.fromiter(
            (self.key(cluster, scheme).value for cluster in clusters), np.uint64, len(clusters)
        )

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that name master and tenant, of all epochs, and show no key.

        Derived as keys are, of a ``info`` that no key has: whoever could learn something of the
        master from it could do so from any key.
        """
        info = _prefixed(_RING.encode(), self.tenant.encode())
        return hkdf_sha256(self._secret, info=info).hex()

    def at(self, epoch: str) -> KeyRing:
        """The ring of another epoch, of the same master and tenant."""
        return KeyRing(self._secret, epoch, tenant=self.tenant)

    def __repr__(self) -> str:
        return f"KeyRing(epoch={self.epoch!r}, tenant={self.tenant!r})"


def hkdf_sha256(secret: bytes, *, info: bytes, salt: bytes = b"", length: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869): extract, then expand to `length` bytes, of at most 255 · 32.

    Raises:
        ValueError: more bytes than that.
    """
    if not 0 < length <= 255 * _HASH_BYTES:
        raise ValueError(f"HKDF-SHA256 gives 1 to {255 * _HASH_BYTES} bytes")
    extracted = hmac.digest(salt or bytes(_HASH_BYTES), secret, "sha256")
    block, out, count = b"", b"", 0
    while len(out) < length:
        count += 1
        block = hmac.digest(extracted, block + info + bytes([count]), "sha256")
        out += block
    return out[:length]


def _prefixed(*parts: bytes) -> bytes:
    """The parts, each after its length as four bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
