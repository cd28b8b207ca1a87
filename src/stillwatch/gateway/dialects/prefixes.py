"""A digest of a prompt without its last turn, to tell prompts of one family apart."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from stillwatch.exchange import Message

__all__ = ["prefix_of"]


def prefix_of(turns: Iterable[Message]) -> int:
    """63 bits over roles and texts; the same in every process. Not keyed: do not store it.

    Each part is written with its length before it, so that no two lists of turns are the same.
    """
    digest = blake2b(digest_size=8)
    for turn in turns:
        for part in (turn.role, turn.content):
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
    return int.from_bytes(digest.digest(), "big") >> 1
