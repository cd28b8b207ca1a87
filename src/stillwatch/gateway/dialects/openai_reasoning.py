"""OpenAI Chat Completions: `reasoning_details`, the form in which several providers and routers
show reasoning and carry it to the next turn (OpenRouter's documentation, "Preserving reasoning").

A stream sends an entry in several chunks of one `index`: its text in pieces, what is opaque in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.gateway.dialects.opaque import Opaque

__all__ = ["Detail", "Details", "DetailsBack", "opaque_in"]

Text = str | None | UnsetType


class Detail(msgspec.Struct):
    """An entry: a summary, a text with its signature, or `data` that is encrypted."""

    type: Text = UNSET
    id: Text = UNSET
    format: Text = UNSET
    index: int | UnsetType | None = UNSET
    text: Text = UNSET
    summary: Text = UNSET
    signature: Text = UNSET
    data: Text = UNSET
    encrypted_content: Text = UNSET


class DetailBack(Detail, forbid_unknown_fields=True):
    """The same in a request, where nothing is dropped unsaid."""


Details = list[Detail] | UnsetType | None
DetailsBack = list[DetailBack] | UnsetType | None
_OPAQUE: Final = ("signature", "data", "encrypted_content")


def opaque_in(details: Sequence[Detail]) -> Iterator[Opaque]:
    """Where opaque texts stand; an empty one is none."""
    for detail in details:
        for field in _OPAQUE:
            if getattr(detail, field):  # UNSET is false
                yield Opaque(detail, field)
