"""The secret that a customer sends: its form, its checksum, and what is stored in its place.

A secret is ``sw-``, 30 random letters and digits (178 bits), and 6 more that are the CRC-32 of
everything before them. All match :data:`PATTERN`. The checksum says nothing about whether a key
exists; it lets a scanner for leaked keys, or a form, discard a look-alike or a typo without asking
anybody. CRC-32 notices every error within 32 bits in a row, so every wrong character and every two
neighbours that changed places.

What is stored is the SHA-256. A slow hash (bcrypt, argon2) is for passwords, which people choose
and which can be guessed; among 2^178 secrets nothing is found by guessing, however fast the hash.
So whoever reads the table gets no key that works, and a lookup costs a microsecond, not 100 ms.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib

__all__ = [
    "DIGEST_BYTES",
    "LONGEST",
    "PATTERN",
    "digest_of",
    "is_well_formed",
    "new_key_id",
    "new_secret",
]

#: for scanners; whoever matches it should check the checksum too
PATTERN = r"sw-[0-9A-Za-z]{36}"
#: characters; what is longer is never hashed. Imported keys of another make may have other forms
LONGEST = 512
#: of what is stored in the place of a secret
DIGEST_BYTES = 32

_PREFIX = "sw-"
_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM = 30
_CHECK = 6


def new_secret() -> str:
    """A secret that nobody had before."""
    return seal(_random(RANDOM))


def seal(random: str) -> str:
    """The secret of so many random letters and digits: between the prefix and the checksum."""
    body = _PREFIX + random
    return body + _checksum(body)


def new_key_id() -> str:
    """A name for a key, which may be shown: ``key-`` and 16 random letters and digits."""
    return "key-" + _random(16)


def is_well_formed(secret: str) -> bool:
    """Whether the form and the checksum are those of a secret that we made."""
    body, check = secret[:-_CHECK], secret[-_CHECK:]
    return (
        len(secret) == len(_PREFIX) + RANDOM + _CHECK
        and body.startswith(_PREFIX)
        and all(letter in _LETTERS for letter in body[len(_PREFIX) :])
        and check == _checksum(body)
    )


def digest_of(secret: str) -> bytes:
    """The 32 bytes that are stored for a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_LETTERS))
        letters = _LETTERS[digit] + letters
    return letters
