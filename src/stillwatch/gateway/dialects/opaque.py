"""Opaque reasoning: texts that a client carries from one answer to the next request, unread.

Model servers sign or encrypt what a model thought (Anthropic's `signature` and `redacted_thinking`,
OpenAI's `encrypted_content`), and take it back in the next turn. A dialect knows where such texts
stand; what becomes of them is decided by others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

__all__ = ["Bind", "Opaque"]

#: The text that a client gets in the place of one that the upstream sent.
Bind = Callable[[str], str]


class Opaque(NamedTuple):
    """A place in a request where such a text stands: a field of a struct that is sent on."""

    holder: msgspec.Struct
    field: str

    @property
    def text(self) -> str:
        """What the client sent."""
        found: str = getattr(self.holder, self.field)
        return found

    def put(self, text: str) -> None:
        """Send this to the upstream instead."""
        setattr(self.holder, self.field, text)
