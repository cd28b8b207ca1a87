"""How many tokens a text may have, before a tokenizer has seen it."""

from __future__ import annotations

__all__ = ["MEDIA_TOKENS", "tokens_of_bytes", "tokens_of_piece"]

#: Tokens reserved for a picture or a recording; settled by what the upstream reports.
MEDIA_TOKENS = 1600
#: Bytes of UTF-8 a token. English has 4 and more, Chinese and code about 3; a text with fewer is
#: settled upwards when the upstream reports its usage.
_BYTES = 3


def tokens_of_bytes(size: int) -> int:
    """An estimate on the high side, never less than 1."""
    return size // _BYTES + 1


def tokens_of_piece(text: str) -> int:
    """The same for a piece of a stream: at least the one token that made the upstream send it."""
    size = len(text) if text.isascii() else len(text.encode())
    return max(1, size // _BYTES)
