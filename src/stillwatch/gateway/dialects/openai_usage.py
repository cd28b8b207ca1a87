"""What an upstream in OpenAI's form counted, and what it says of a prompt's tokens."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Surface
from stillwatch.gateway.dialects.dialect import Told

__all__ = ["PromptLogprobs", "Usage", "narrow_prompt_logprobs", "note_usage", "plain_token"]


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct):
    """Counts of predicted tokens that were accepted stay inside: they tell what the model would
    have said to a guess."""

    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    total_tokens: int | None = 0
    prompt_tokens_details: _PromptDetails | UnsetType | None = UNSET
    completion_tokens_details: _OutputDetails | UnsetType | None = UNSET


class PromptToken(msgspec.Struct):
    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


#: A position each; ``null`` for the first, which nothing precedes. Keys are token ids.
PromptLogprobs = list[dict[str, PromptToken] | None]


def note_usage(usage: Usage, told: Told) -> None:
    """What the upstream counted; counts that are missing or below zero are taken for none."""
    usage.prompt_tokens = told.prompt_tokens = max(0, usage.prompt_tokens or 0)
    usage.completion_tokens = told.completion_tokens = max(0, usage.completion_tokens or 0)
    usage.total_tokens = max(0, usage.total_tokens or 0)
    if usage.prompt_tokens_details:
        told.cached_tokens = usage.prompt_tokens_details.cached_tokens
    if usage.completion_tokens_details:
        told.reasoning_tokens = usage.completion_tokens_details.reasoning_tokens


def narrow_prompt_logprobs(
    found: PromptLogprobs | UnsetType | None, surface: Surface
) -> PromptLogprobs | UnsetType | None:
    """The token of each position (the first entry) and at most `surface.logprobs` alternatives. A
    surface without token ids sees the tokens' texts as keys in their place."""
    if not (surface.prompt_logprobs and surface.logprobs):
        return UNSET
    if found is UNSET or found is None:
        return found
    return [position and _narrowed(position, surface) for position in found]


def _narrowed(position: dict[str, PromptToken], surface: Surface) -> dict[str, PromptToken]:
    first, *others = position.items()
    others.sort(key=lambda item: -item[1].logprob)
    shown = [first, *others[: surface.logprobs]]
    if surface.token_ids:
        return dict(shown)
    texts: dict[str, PromptToken] = {}
    for _, token in shown:
        token.decoded_token = plain_token(token.decoded_token or "")
        texts.setdefault(token.decoded_token, token)
    return texts


def plain_token(token: str) -> str:
    """A token's text; nothing, where a server writes its id in place of it."""
    return "" if token.startswith(_AS_ID) else token


_AS_ID: Final = "token_id:"
