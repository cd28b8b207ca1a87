"""OpenAI Responses: a streamed response, event by event.

An item that the surface does not show is left out whole, from its beginning to its end, and so is a
part; those after it move up, and events are numbered anew, so that a client counts 0, 1, 2. Events
of types that we do not know are left out and counted; a known one that is malformed ends the
stream. The last event repeats the whole answer, which is narrowed like an answer that came whole.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from stillwatch.access import Reasoning, Surface
from stillwatch.gateway.dialects.bodies import UNREADABLE, reading_error
from stillwatch.gateway.dialects.dialect import Told, UnreadableError
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.openai_output_surface import (
    narrow_response,
    shown_annotation,
    shown_item,
    shown_part,
    shown_positions,
    without_logprobs,
)
from stillwatch.gateway.dialects.openai_outputs import OutputText, Repeated, read_item, read_part
from stillwatch.gateway.dialects.openai_typed_events import (
    AnnotationAdded,
    ArgumentsDelta,
    ArgumentsDone,
    Completed,
    Event,
    Failed,
    Failure,
    Incomplete,
    ItemAdded,
    ItemDone,
    OfItem,
    OfPart,
    OfResponse,
    PartAdded,
    PartDone,
    ReasoningDelta,
    ReasoningDone,
    RefusalDelta,
    SummaryDelta,
    SummaryDone,
    SummaryPartAdded,
    SummaryPartDone,
    TextDelta,
    TextDone,
    Typed,
)
from stillwatch.gateway.dialects.sizes import tokens_of_piece

__all__ = ["ResponseScrubber"]

_DELTAS: Final = (TextDelta, ArgumentsDelta, RefusalDelta, SummaryDelta, ReasoningDelta)
_SUMMARIES: Final = (SummaryPartAdded, SummaryPartDone, SummaryDelta, SummaryDone)
_LAST: Final = (Completed, Incomplete, Failed)


class _Kind(msgspec.Struct):
    type: str


_READ: Final = msgspec.json.Decoder(Event).decode
_KIND: Final = msgspec.json.Decoder(_Kind).decode
_ENCODE: Final = msgspec.json.Encoder().encode
_KNOWN: Final = frozenset(str(kind.__struct_config__.tag) for kind in Event.__args__)


class ResponseScrubber:
    """One stream."""

    def __init__(self, repeated: Repeated, surface: Surface, bind: Bind | None = None) -> None:
        self.told = Told()
        self.ended = False
        self._repeated, self._surface, self._bind = repeated, surface, bind
        #: Whether all that was generated so far is shown: else log probabilities would spell it.
        self._whole = True
        #: Where an item of the upstream stands in what the client sees; ``None`` if it does not.
        self._items: dict[int, int | None] = {}
        #: The same of the parts of each item.
        self._parts: dict[int, dict[int, int | None]] = {}
        self._next = 0
        self._number = 0

    def event(self, name: str | None, data: bytes) -> bytes:
        if self.ended:
            return b""
        if name == "error":
            raise UnreadableError("the upstream reported an error in mid-stream")
        try:
            event = _READ(data)
        except UNREADABLE as error:
            return self._unknown(data, error)
        if isinstance(event, _DELTAS):
            self.told.streamed += tokens_of_piece(event.delta)
        if isinstance(event, OfResponse):
            return self._response(event)
        if isinstance(event, ItemAdded | ItemDone):
            return self._item(event)
        if isinstance(event, Failure):
            raise UnreadableError("the upstream reported an error in mid-stream")
        place = self._place(event)
        if place is None or not self._allows(event):
            return b""
        if isinstance(event, OfPart) and not self._within(event):
            return b""
        event.output_index = place
        return self._framed(event)

    def _response(self, event: OfResponse) -> bytes:
        response, told, last = event.response, self.told, isinstance(event, _LAST)
        said = Told(texts=[])
        narrow_response(response, said, self._repeated, self._surface, self._bind)
        told.model = said.model or told.model
        if last:
            self.ended = True
            told.texts = told.texts or said.texts  # some send no deltas
            told.finish_reason = said.finish_reason
            told.streamed = max(told.streamed, said.streamed)
        if response.usage:
            told.prompt_tokens, told.completion_tokens = said.prompt_tokens, said.completion_tokens
            told.cached_tokens, told.reasoning_tokens = said.cached_tokens, said.reasoning_tokens
        if not self._whole:
            for item in response.output:
                without_logprobs(item)
        return self._framed(event)

    def _item(self, event: ItemAdded | ItemDone) -> bytes:
        item, unknown = read_item(event.item)
        if isinstance(event, ItemAdded):
            self.told.unknown += unknown
        elif self._place(event) is None:
            return b""
        whole = not unknown
        if item is not None:
            item, all_of_it = shown_item(item, self._surface, self._bind)
            whole = whole and all_of_it
        self._whole = self._whole and whole
        if isinstance(event, ItemAdded):
            self._parts[event.output_index] = {}
            self._items[event.output_index] = None if item is None else self._next
            self._next += item is not None
        if item is None:
            return b""
        if not self._whole:
            without_logprobs(item)
        place = self._place(event)
        assert place is not None  # the item is shown
        event.item, event.output_index = item, place
        return self._framed(event)

    def _allows(self, event: Any) -> bool:
        """Whether the surface shows this kind of event, whatever item it says that it is of."""
        if isinstance(event, ArgumentsDelta | ArgumentsDone):
            return self._surface.tools
        if isinstance(event, _SUMMARIES):
            return self._surface.reasoning >= Reasoning.SUMMARY
        if isinstance(event, ReasoningDelta | ReasoningDone):
            self._whole = self._whole and self._surface.reasoning >= Reasoning.FULL
            return self._surface.reasoning >= Reasoning.FULL
        if isinstance(event, AnnotationAdded):
            return shown_annotation(event.annotation, self._surface)
        return True

    def _within(self, event: OfPart) -> bool:
        """Whether the part is shown; the event is narrowed and moved in place."""
        places = self._parts[event.output_index]
        if isinstance(event, PartAdded | PartDone):
            part = read_part(event.part)
            shown = part is not None and shown_part(part, self._surface)
            if isinstance(event, PartAdded):
                self.told.unknown += part is None
                self._whole = self._whole and shown
                places[event.content_index] = _after(places) if shown else None
            if not shown:
                return False
            if isinstance(part, OutputText) and not self._whole:
                part.logprobs = msgspec.UNSET
            event.part = part
        # some servers do not say where a part begins
        place = places.setdefault(event.content_index, _after(places))
        if place is None:
            return False
        event.content_index = place
        if isinstance(event, TextDelta | TextDone):
            shown_here = event.logprobs if self._whole else None
            event.logprobs = shown_positions(shown_here, self._surface)
            if isinstance(event, TextDelta):
                self.told.texts.append(event.delta)
        return True

    def _place(self, event: OfItem) -> int | None:
        try:
            return self._items[event.output_index]
        except KeyError:
            raise UnreadableError("an event of the stream belongs to no item") from None

    def _unknown(self, data: bytes, error: Exception) -> bytes:
        """Nothing, for an event of a type that we do not know.

        Raises:
            UnreadableError: the type is known, so that something else is wrong.
        """
        try:
            kind = _KIND(data).type
        except UNREADABLE:
            raise reading_error(error) from error
        if kind in _KNOWN:
            raise reading_error(error) from error
        self.told.unknown += 1
        return b""

    def _framed(self, event: Typed) -> bytes:
        event.sequence_number = self._number
        self._number += 1
        tag = str(event.__struct_config__.tag)
        return b"event: %b\ndata: %b\n\n" % (tag.encode(), _ENCODE(event))


def _after(places: dict[int, int | None]) -> int:
    return sum(place is not None for place in places.values())
