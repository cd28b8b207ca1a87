"""Identifiers as texts that both sides write alike, filled up to a size that says little.

A text is the field and a digest under a key that both make of the exchange's number: the same
identifier is another text in every exchange. The key is no secret; what protects an identifier is
the blinding, and that nobody can try them all.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Final

from stillwatch.errors import OverlapError
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.overlap.message import FEWEST, FORMAT, MOST

__all__ = ["exchange_key", "filled", "text_of"]

_KEY: Final = FORMAT.encode() + b"\n"


def exchange_key(exchange: str) -> CommunityKey:
    """The key of an exchange (64 hexadecimal digits), which normalises and digests like the one
    of a community, and refuses what can be guessed like that."""
    return CommunityKey("overlap", "1", hashlib.sha256(_KEY + bytes.fromhex(exchange)).digest())


def text_of(field: str, digest: str) -> str:
    """What is hashed to a point."""
    return f"{field}:{digest}"


def filled(texts: Iterable[str]) -> list[str]:
    """`texts` and random ones, so that there is a power of two of them (64 at least), shuffled.

    A random text is 256 bits, which nobody else holds.

    Raises:
        OverlapError: there are more than a message holds.
    """
    found = list(texts)
    size = max(FEWEST, 1 << max(0, len(found) - 1).bit_length())
    if size > MOST:
        raise OverlapError(f"{len(found):,} identifiers are more than a message holds: {MOST:,}")
    found += ["-:" + secrets.token_hex(32) for _ in range(size - len(found))]
    secrets.SystemRandom().shuffle(found)
    return found
