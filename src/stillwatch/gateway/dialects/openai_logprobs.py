"""Log probabilities of a chat answer, cut to a surface."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Surface
from stillwatch.gateway.dialects.openai_usage import plain_token

__all__ = ["Logprobs", "Position", "narrow_logprobs", "narrow_positions"]


class Alternative(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | UnsetType | None = UNSET


class Position(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | UnsetType | None = UNSET
    top_logprobs: list[Alternative] = msgspec.field(default_factory=list)


class Logprobs(msgspec.Struct):
    content: list[Position] | UnsetType | None = UNSET
    refusal: list[Position] | UnsetType | None = UNSET


def narrow_logprobs(logprobs: Logprobs, surface: Surface) -> Logprobs | None:
    """At most so many alternatives a position as the surface shows; none, and nothing is left."""
    if surface.logprobs <= 0:
        return None
    for positions in (logprobs.content, logprobs.refusal):
        narrow_positions(positions or (), surface)
    return logprobs


def narrow_positions(positions: Iterable[Position], surface: Surface) -> None:
    """At most so many alternatives at each as the surface shows."""
    shown = surface.logprobs
    for position in positions:
        del position.top_logprobs[shown:]
        if not surface.token_ids:
            _without_ids(position)
            for alternative in position.top_logprobs:
                _without_ids(alternative)


def _without_ids(token: Position | Alternative) -> None:
    """A server that was told to may write ids where the texts of tokens go."""
    plain = plain_token(token.token)
    if plain != token.token:
        token.token, token.bytes = plain, None
