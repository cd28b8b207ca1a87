"""The Ed25519 keys (RFC 8032) that heads are signed with: one secret file, one public PEM file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from stillwatch.errors import KeyFileError
from stillwatch.key_files import read_key_file

__all__ = ["KEY_BYTES", "SigningKey", "is_signed", "public_pem", "read_public_key"]

KEY_BYTES: Final = 32
_NAME = "the key that signs the ledger's heads"


class SigningKey:
    """A secret key; its `public` half is 64 hexadecimal digits."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = self._key.public_key().public_bytes_raw().hex()

    @classmethod
    def from_file(cls, path: Path) -> SigningKey:
        """Read 32 raw bytes.

        Raises:
            KeyFileError: missing, of another length, or open to other users.
        """
        secret = read_key_file(path, _NAME)
        if len(secret) != KEY_BYTES:
            raise KeyFileError(f"{_NAME} has {KEY_BYTES} bytes, not {len(secret)}", path=path)
        return cls(secret)

    def sign(self, message: bytes) -> str:
        """The signature, 128 hexadecimal digits."""
        return self._key.sign(message).hex()


def is_signed(message: bytes, signature: str, public: str) -> bool:
    """Whether `signature` was made of `message` with the secret half of `public`; all are hex."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_pem(public: str) -> bytes:
    """The PEM text of a public key (SubjectPublicKeyInfo, RFC 8410), as `openssl pkey` reads it."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_public_key(path: Path) -> str:
    """The public key in a PEM file, as 64 hexadecimal digits.

    Raises:
        KeyFileError: it is missing, or holds no public Ed25519 key.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise KeyFileError(f"cannot read the public key: {error.strerror}", path=path) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError("this is no public key in PEM form", path=path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError("this is a public key of another kind than Ed25519", path=path)
    return key.public_bytes_raw().hex()
