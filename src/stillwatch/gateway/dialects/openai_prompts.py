"""OpenAI's bare prompts: a text, texts, token ids, or lists of these."""

from __future__ import annotations

from typing import Final, NamedTuple

from stillwatch.gateway.dialects.dialect import UnreadableError

__all__ = ["Given", "Prompts", "prompts_in"]

#: The forms in which a prompt may be given.
Given = str | list[str | int | list[int]]
_MOST_TOKEN_ID: Final = 2**31 - 1


class Prompts(NamedTuple):
    """How many there are, their texts (none for token ids), and the number of token ids."""

    number: int
    text: str
    ids: int


def prompts_in(given: Given, field: str) -> Prompts:
    """The prompts in a field of this name; texts are joined by newlines.

    Raises:
        UnreadableError: an empty list, one of several kinds, or a token id that is none.
    """
    if isinstance(given, str):
        return Prompts(1, given, 0)
    texts = [part for part in given if isinstance(part, str)]
    if texts and len(texts) == len(given):
        return Prompts(len(texts), "\n".join(texts), 0)
    ids = [part for part in given if isinstance(part, int)]
    if ids and len(ids) == len(given):
        return Prompts(1, "", _counted(ids, field))
    lists = [part for part in given if isinstance(part, list)]
    if lists and len(lists) == len(given) and all(lists):
        return Prompts(len(lists), "", sum(_counted(part, field) for part in lists))
    raise UnreadableError(f"{field} must be a text, texts, token ids or lists of these", field)


def _counted(ids: list[int], field: str) -> int:
    if min(ids) < 0 or max(ids) > _MOST_TOKEN_ID:
        raise UnreadableError(f"{field}: not a token id", field)
    return len(ids)
