"""OpenAI Responses: what of an answer a surface shows.

Of reasoning, ``Reasoning.SUMMARY`` shows the summary, ``Reasoning.FULL`` its text and what is
encrypted of it. What an answer repeats of its request is taken from the request.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from stillwatch.access import Reasoning, Surface
from stillwatch.gateway.dialects.bodies import UNREADABLE, reading_error
from stillwatch.gateway.dialects.dialect import Answer, Told
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.openai_logprobs import Position, narrow_positions
from stillwatch.gateway.dialects.openai_outputs import (
    Annotation,
    FunctionCall,
    Item,
    Message,
    OutputRefusal,
    OutputText,
    Part,
    ReasoningText,
    Repeated,
    Response,
    read_item,
)
from stillwatch.gateway.dialects.sizes import tokens_of_piece

__all__ = [
    "narrow_response",
    "scrub_response",
    "shown_annotation",
    "shown_item",
    "shown_part",
    "shown_positions",
    "without_logprobs",
]


class Shown(NamedTuple):
    """An item as far as it is shown, if at all; and whether that is all that was generated."""

    item: Item | None
    whole: bool


_READ: Final = msgspec.json.Decoder(Response).decode
_ENCODE: Final = msgspec.json.Encoder().encode
#: Errors whose words are for whoever asked; those of others may tell of the inside of the server.
_CALLERS: Final = ("invalid_", "image_", "unsupported_", "empty_image", "failed_to_download")
_LONGEST: Final = 500  # characters of an error's message


def scrub_response(
    body: bytes, repeated: Repeated, surface: Surface, bind: Bind | None = None
) -> Answer:
    """A whole response within `surface`.

    Raises:
        UnreadableError: it is no response.
    """
    try:
        response = _READ(body)
    except UNREADABLE as error:
        raise reading_error(error) from error
    told = Told()
    narrow_response(response, told, repeated, surface, bind)
    return Answer(_ENCODE(response), told)


def narrow_response(
    response: Response, told: Told, repeated: Repeated, surface: Surface, bind: Bind | None
) -> None:
    """Note what was said, take away what the surface does not show, and bind what is opaque.

    Raises:
        UnreadableError: an item of a known type is malformed.
    """
    response.object = "response"
    response.tools, response.tool_choice = repeated.tools, repeated.tool_choice
    response.parallel_tool_calls = repeated.parallel_tool_calls
    response.metadata = repeated.metadata
    if "service_tier" not in surface.response_fields:
        response.service_tier = UNSET
    if response.error is not None:
        theirs = response.error.code.startswith(_CALLERS)
        words = response.error.message[:_LONGEST] if theirs else "the model server failed"
        response.error.message = words
    _note(response, told)
    whole, kept = True, []
    for raw in response.output:
        item, unknown = read_item(raw)
        told.unknown += unknown
        if item is not None:
            _note_item(item, told)
            item, all_of_it = shown_item(item, surface, bind)
            whole = whole and all_of_it
        whole = whole and not unknown
        if item is not None:
            kept.append(item)
    response.output = kept
    if not whole:
        for item in kept:
            without_logprobs(item)


def _note(response: Response, told: Told) -> None:
    """What the upstream counted; counts that are missing or below zero are taken for none."""
    told.model = response.model or told.model
    details = response.incomplete_details
    told.finish_reason = (details.reason if details else None) or response.status
    usage = response.usage
    if not usage:  # UNSET is false
        return
    usage.input_tokens = told.prompt_tokens = max(0, usage.input_tokens or 0)
    usage.output_tokens = told.completion_tokens = max(0, usage.output_tokens or 0)
    usage.total_tokens = max(0, usage.total_tokens or 0)
    if usage.input_tokens_details:
        told.cached_tokens = usage.input_tokens_details.cached_tokens
    if usage.output_tokens_details:
        told.reasoning_tokens = usage.output_tokens_details.reasoning_tokens


def _note_item(item: Item, told: Told) -> None:
    if isinstance(item, FunctionCall):
        told.streamed += tokens_of_piece(item.arguments or item.name)
        return
    if isinstance(item, Message):
        for part in item.content:
            if isinstance(part, OutputText):
                told.texts.append(part.text)
            said = part.refusal if isinstance(part, OutputRefusal) else part.text
            told.streamed += tokens_of_piece(said)
        return
    for each in item.content or item.summary:  # UNSET is false
        told.streamed += tokens_of_piece(each.text)


def shown_item(item: Item, surface: Surface, bind: Bind | None) -> Shown:
    """The item within the surface, changed in place."""
    if isinstance(item, FunctionCall):
        return Shown(item, True) if surface.tools else Shown(None, False)
    if isinstance(item, Message):
        item.role, came = "assistant", len(item.content)
        item.content = [part for part in item.content if shown_part(part, surface)]
        return Shown(item, len(item.content) == came)
    if not surface.reasoning:
        return Shown(None, False)
    if surface.reasoning < Reasoning.FULL:
        whole = not item.content  # UNSET is false
        item.content = item.encrypted_content = UNSET
        return Shown(item, whole)
    if bind is not None and item.encrypted_content:
        item.encrypted_content = bind(item.encrypted_content)
    return Shown(item, True)


def shown_part(part: Part, surface: Surface) -> bool:
    """Whether the part is shown; its text is narrowed in place."""
    if isinstance(part, ReasoningText):
        return surface.reasoning >= Reasoning.FULL
    if isinstance(part, OutputText):
        _narrow_text(part, surface)
    return True


def _narrow_text(part: OutputText, surface: Surface) -> None:
    if part.logprobs is not UNSET:
        part.logprobs = shown_positions(part.logprobs, surface) or UNSET
    part.annotations = [each for each in part.annotations if shown_annotation(each, surface)]


def shown_positions(positions: list[Position] | None, surface: Surface) -> list[Position]:
    """Log probabilities, as far as the surface shows them."""
    if not positions or surface.logprobs <= 0:
        return []
    narrow_positions(positions, surface)
    return positions


def shown_annotation(annotation: Annotation, surface: Surface) -> bool:
    """Whether a citation is shown; of those of files we know no more than that they are."""
    return annotation.type == "url_citation" and "annotations" in surface.response_fields


def without_logprobs(item: Item) -> None:
    """They would spell out, token by token, what was taken away."""
    if isinstance(item, Message):
        for part in item.content:
            if isinstance(part, OutputText):
                part.logprobs = UNSET
