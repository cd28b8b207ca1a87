"""OpenAI's embeddings: texts in, vectors out.

No text is generated, so that `Asked.n` is 0 and the prompt alone is charged. There is no smaller
thing to ask for: a request that may not have its vectors, or may not send token ids, is refused.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Asked, Refusal, Surface
from stillwatch.gateway.dialects.bodies import UNREADABLE, Form, encoded, limited, reading_error
from stillwatch.gateway.dialects.dialect import (
    Answer,
    Choices,
    Incoming,
    Scrubber,
    Told,
    UnreadableError,
)
from stillwatch.gateway.dialects.names import model_name
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.openai_errors import failure_event, refusal_body
from stillwatch.gateway.dialects.openai_prompts import Given, prompts_in
from stillwatch.gateway.dialects.sizes import tokens_of_bytes

__all__ = ["OpenAIEmbeddings"]


class _Request(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    model: str
    input: Given
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class _Embedding(msgspec.Struct):
    """A vector: numbers, or little-endian float32 in base64."""

    embedding: list[float] | str
    index: int = 0
    object: str = "embedding"


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = 0
    total_tokens: int | None = 0


class _List(msgspec.Struct):
    data: list[_Embedding]
    object: str = "list"
    model: str = ""
    usage: _Usage | UnsetType | None = UNSET


_FORM: Final = Form(_Request)
_READ: Final = msgspec.json.Decoder(_List).decode


class OpenAIEmbeddings:
    """``POST /v1/embeddings``."""

    name = "openai_embeddings"
    upstream_path = "/v1/embeddings"

    def read(self, body: bytes) -> Incoming:
        found = _FORM.read(body)
        request = found.request
        prompts = prompts_in(request.input, "input")
        limited("dimensions", request.dimensions, 1, 1)
        asked = Asked(
            model=model_name(request.model),
            prompt_tokens=prompts.ids or tokens_of_bytes(len(body)),
            n=0,
            token_ids=bool(prompts.ids),
            embeddings=True,
            unknown_fields=tuple(found.extras),
        )
        return Incoming(
            asked=asked,
            body=found,
            prompt=prompts.text,
            end_user=request.user,
            stripped=found.stripped,
        )

    def write(self, incoming: Incoming, granted: Asked) -> bytes:
        if not granted.embeddings or granted.token_ids != incoming.asked.token_ids:
            what = "token ids" if granted.embeddings else "embeddings"
            raise UnreadableError(f"{what} are not available to this key", "input")
        extras = incoming.body.extras if granted.unknown_fields else {}
        return encoded(incoming.body.request, extras)

    def scrub(
        self,
        body: bytes,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Answer:
        try:
            found = _READ(body)
        except UNREADABLE as error:
            raise reading_error(error) from error
        request: _Request = incoming.body.request
        number = prompts_in(request.input, "input").number
        if not surface.embeddings:
            raise UnreadableError("embeddings are not available to this key")
        found.object = "list"
        found.data = [each for each in found.data if 0 <= each.index < number][:number]
        for each in found.data:
            each.object = "embedding"
            if isinstance(each.embedding, str):
                _check(each.embedding, request)
        told = Told(model=found.model or None)
        if found.usage:
            usage = found.usage
            usage.prompt_tokens = told.prompt_tokens = max(0, usage.prompt_tokens or 0)
            usage.total_tokens = max(0, usage.total_tokens or 0)
            told.completion_tokens = 0
        return Answer(msgspec.json.encode(found), told)

    def stream(
        self,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Scrubber:
        raise UnreadableError("embeddings come at once, not in a stream", "stream")

    def refusal(self, refusal: Refusal) -> bytes:
        return refusal_body(refusal)

    def failure(self, refusal: Refusal) -> bytes:
        return failure_event(refusal)


def _check(text: str, request: _Request) -> None:
    """
    Raises:
        UnreadableError: numbers were asked for, or it is no base64 of float32.
    """
    try:
        whole = request.encoding_format == "base64" and len(b64decode(text, validate=True)) % 4 == 0
    except ValueError:
        whole = False
    if not whole:
        raise UnreadableError("an embedding is not in the form that was asked for")
