"""OpenAI's plain completions: the response, whole and streamed; both have one form."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Surface
from stillwatch.gateway.dialects.bodies import UNREADABLE, reading_error
from stillwatch.gateway.dialects.dialect import Answer, Choices, Told, UnreadableError
from stillwatch.gateway.dialects.openai_usage import (
    PromptLogprobs,
    Usage,
    narrow_prompt_logprobs,
    note_usage,
    plain_token,
)
from stillwatch.gateway.dialects.sizes import tokens_of_piece

__all__ = ["TextScrubber", "scrub_texts"]

Ids = list[int] | None | UnsetType


class Logprobs(msgspec.Struct):
    """Four lists of one length. The first entries may be ``null``: nothing precedes them."""

    text_offset: list[int] | UnsetType | None = UNSET
    token_logprobs: list[float | None] | UnsetType | None = UNSET
    tokens: list[str] | UnsetType | None = UNSET
    top_logprobs: list[dict[str, float] | None] | UnsetType | None = UNSET


class Choice(msgspec.Struct):
    index: int = 0
    text: str = ""
    logprobs: Logprobs | UnsetType | None = UNSET
    finish_reason: str | None = None
    prompt_logprobs: PromptLogprobs | UnsetType | None = UNSET
    token_ids: Ids = UNSET
    prompt_token_ids: Ids = UNSET


class Completion(msgspec.Struct):
    id: str = ""
    object: str = "text_completion"
    created: int = 0
    model: str = ""
    choices: list[Choice] = msgspec.field(default_factory=list)
    usage: Usage | UnsetType | None = UNSET
    system_fingerprint: str | UnsetType | None = UNSET
    error: Any = UNSET


_READ: Final = msgspec.json.Decoder(Completion).decode
_ENCODE: Final = msgspec.json.Encoder().encode


def scrub_texts(body: bytes, surface: Surface, choices: Choices | None = None) -> Answer:
    """A whole response within `surface`.

    Raises:
        UnreadableError: it is no completion.
    """
    completion = _read(body)
    if not completion.choices or completion.error is not UNSET:
        raise UnreadableError("the upstream's answer is no completion")
    if choices is not None:
        for choice in completion.choices:
            choice.text = choices.whole(choice.text)
            choice.logprobs, choice.token_ids = UNSET, UNSET  # they are of another text
    told = Told()
    _note(completion, told)
    _narrow(completion, surface)
    return Answer(_ENCODE(completion), told)


class TextScrubber:
    """One stream. The usage chunk is always asked for, and shown only to whom asked for it."""

    def __init__(self, surface: Surface, *, usage: bool, choices: Choices | None = None) -> None:
        self.told = Told()
        self.ended = False
        self._surface, self._usage, self._choices = surface, usage, choices
        self._last = Completion()  # to which what is held at the end belongs

    def event(self, name: str | None, data: bytes) -> bytes:
        if self.ended:
            return b""
        if data == b"[DONE]":
            self.ended = True
            return self._rest() + b"data: [DONE]\n\n"
        completion = _read(data)
        if completion.error is not UNSET or name == "error":
            raise UnreadableError("the upstream reported an error in mid-stream")
        had = bool(completion.choices)
        if self._choices is not None:
            _write_piece(completion, self._choices, self._surface.n)
            self._last = completion
        _note(completion, self.told)
        _narrow(completion, self._surface)
        if not self._usage:
            if not had and completion.usage:
                return b""
            completion.usage = UNSET
        if had and not completion.choices and not completion.usage:
            return b""
        return b"data: " + _ENCODE(completion) + b"\n\n"

    def _rest(self) -> bytes:
        """The chunk with what is held of choices that did not say that they end."""
        rests = {} if self._choices is None else self._choices.rests()
        if not rests:
            return b""
        last = self._last
        completion = Completion(id=last.id, created=last.created, model=last.model)
        for index, rest in rests.items():
            assert isinstance(index, int)
            completion.choices.append(Choice(index=index, text=rest))
        _note(completion, self.told)
        return b"data: " + _ENCODE(completion) + b"\n\n"


def _write_piece(completion: Completion, choices: Choices, n: int) -> None:
    """Put what may leave in the place of what came, and leave out choices of which nothing does;
    the end of a choice brings the rest of it."""
    for choice in completion.choices:
        if 0 <= choice.index < n:  # others are not shown
            choice.text = choices.piece(choice.index, choice.text) if choice.text else ""
            if choice.finish_reason:
                choice.text += choices.rest(choice.index)
            choice.logprobs, choice.token_ids = UNSET, UNSET  # they are of another text
    completion.choices = [each for each in completion.choices if each.text or each.finish_reason]


def _read(data: bytes) -> Completion:
    try:
        return _READ(data)
    except UNREADABLE as error:
        raise reading_error(error) from error


def _narrow(completion: Completion, surface: Surface) -> None:
    completion.object, completion.error = "text_completion", UNSET
    if "system_fingerprint" not in surface.response_fields:
        completion.system_fingerprint = UNSET
    n = surface.n
    choices = completion.choices
    if len(choices) > n or any(not 0 <= choice.index < n for choice in choices):
        completion.choices = [choice for choice in choices if 0 <= choice.index < n][:n]
    for choice in completion.choices:
        if choice.logprobs:
            choice.logprobs = _narrowed(choice.logprobs, surface)
        if choice.prompt_logprobs is not UNSET:
            choice.prompt_logprobs = narrow_prompt_logprobs(choice.prompt_logprobs, surface)
        if not surface.token_ids:
            choice.token_ids = choice.prompt_token_ids = UNSET


def _narrowed(logprobs: Logprobs, surface: Surface) -> Logprobs | None:
    """At most so many alternatives a position, the likeliest; none, and nothing is left."""
    shown = surface.logprobs
    if shown <= 0:
        return None
    if logprobs.top_logprobs:
        logprobs.top_logprobs = [
            position and dict(sorted(position.items(), key=lambda item: -item[1])[:shown])
            for position in logprobs.top_logprobs
        ]
    if not surface.token_ids:
        if logprobs.tokens:
            logprobs.tokens = [plain_token(token) for token in logprobs.tokens]
        if logprobs.top_logprobs:
            logprobs.top_logprobs = [
                position and {plain_token(token): value for token, value in position.items()}
                for position in logprobs.top_logprobs
            ]
    return logprobs


def _note(completion: Completion, told: Told) -> None:
    if completion.model:
        told.model = completion.model
    for choice in completion.choices:
        text = choice.text
        if text:
            if choice.index == 0:
                told.texts.append(text)
            told.streamed += tokens_of_piece(text)
        if choice.finish_reason:
            told.finish_reason = choice.finish_reason
    if completion.usage:
        note_usage(completion.usage, told)
