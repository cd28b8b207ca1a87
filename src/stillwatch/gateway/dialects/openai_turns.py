"""OpenAI Chat Completions: the messages of a request."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from stillwatch.exchange import Message
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.dialects.opaque import Opaque
from stillwatch.gateway.dialects.openai_fields import Free
from stillwatch.gateway.dialects.openai_reasoning import DetailsBack, opaque_in

__all__ = ["Part", "Texts", "Turn", "opaque_of", "texts_of", "without_prefill"]

#: A role is written into the prompt by most chat templates, so a role of one's own could dictate
#: where the model's turn begins.
Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


class Part(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: Free = UNSET
    input_audio: Free = UNSET
    video_url: Free = UNSET
    audio_url: Free = UNSET
    file: Free = UNSET
    cache_control: Free = UNSET
    prompt_cache_breakpoint: Free = UNSET
    uuid: str | None = None


class Turn(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    role: Role
    content: str | list[Part] | msgspec.UnsetType | None = UNSET
    name: str | None = None
    tool_calls: Free = UNSET
    tool_call_id: str | None = None
    function_call: Free = UNSET
    refusal: str | None = None
    audio: Free = UNSET
    annotations: Free = UNSET
    reasoning: str | None = None
    reasoning_content: str | None = None
    reasoning_details: DetailsBack = UNSET
    prefix: bool | None = None


class Texts(NamedTuple):
    """What was said; the number of pictures and recordings; the bytes of JSON that these take."""

    turns: tuple[Message, ...]
    media: int
    media_bytes: int


_ENCODE: Final = msgspec.json.Encoder().encode


def texts_of(turns: list[Turn]) -> Texts:
    """The texts of each turn; parts of one turn are joined by newlines."""
    texts, media, size = [], 0, 0
    for turn in turns:
        content = turn.content
        if isinstance(content, list):
            for part in content:
                for held in (
                    part.image_url,
                    part.input_audio,
                    part.video_url,
                    part.audio_url,
                    part.file,
                ):
                    if held is not UNSET:
                        media, size = media + 1, size + len(_ENCODE(held))
            content = "\n".join(part.text for part in content if part.text)
        texts.append(Message(turn.role, content or ""))  # UNSET is false
    return Texts(tuple(texts), media, size)


def opaque_of(turns: list[Turn]) -> tuple[Opaque, ...]:
    """The opaque reasoning of all turns."""
    return tuple(
        place
        for turn in turns
        if turn.reasoning_details  # UNSET is false
        for place in opaque_in(turn.reasoning_details)
    )


def without_prefill(turns: list[Turn]) -> list[Turn]:
    """The conversation up to the last turn that is not the model's.

    Raises:
        UnreadableError: nothing would be left.
    """
    end = len(turns)
    while end and turns[end - 1].role == "assistant":
        end -= 1
    if not end:
        raise UnreadableError("messages must not be prefilled answers alone", "messages")
    last = turns[end - 1]
    if not last.prefix:
        return turns[:end]
    return [*turns[: end - 1], msgspec.structs.replace(last, prefix=None)]
