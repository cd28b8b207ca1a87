"""Anthropic Messages: a streamed response, event by event.

A block that the surface does not show is left out whole, from its start to its stop, and the blocks
after it move up, so that a client counts 0, 1, 2. Events and blocks of types that we do not know
are left out too, as the API asks of its clients; a known one that is malformed ends the stream.

A signature may come in pieces. Where signatures are bound, the pieces wait for the end of their
block, and leave before it as one: clients take the last piece for the whole, or join them.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Surface
from stillwatch.gateway.dialects.anthropic_answers import (
    Message,
    StopDetails,
    bind_block,
    narrow_message,
)
from stillwatch.gateway.dialects.anthropic_blocks import (
    Block,
    CitationsDelta,
    Delta,
    InputDelta,
    SignatureDelta,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    Usage,
    hidden_from,
    known_type,
    note_usage,
)
from stillwatch.gateway.dialects.bodies import UNREADABLE, reading_error
from stillwatch.gateway.dialects.dialect import Choices, Told, UnreadableError
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.sizes import tokens_of_piece

__all__ = ["MessageScrubber"]


class MessageStart(msgspec.Struct, tag="message_start"):
    message: Message


class BlockStart(msgspec.Struct, tag="content_block_start"):
    index: int
    content_block: Block


class BlockDelta(msgspec.Struct, tag="content_block_delta"):
    index: int
    delta: Delta


class BlockStop(msgspec.Struct, tag="content_block_stop"):
    index: int


class _Stop(msgspec.Struct):
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | UnsetType | None = UNSET


class MessageDelta(msgspec.Struct, tag="message_delta"):
    delta: _Stop
    usage: Usage | UnsetType = UNSET


class MessageStop(msgspec.Struct, tag="message_stop"):
    pass


class Ping(msgspec.Struct, tag="ping"):
    pass


class Failure(msgspec.Struct, tag="error"):
    pass


Event = (
    MessageStart | BlockStart | BlockDelta | BlockStop | MessageDelta | MessageStop | Ping | Failure
)


class _Kind(msgspec.Struct):
    type: str = ""


class _Head(msgspec.Struct):
    """As much of an event as tells whether it is one that we know."""

    type: str
    index: int = -1
    content_block: _Kind | None = None
    delta: _Kind | None = None


_READ: Final = msgspec.json.Decoder(Event).decode
_HEAD: Final = msgspec.json.Decoder(_Head).decode
_ENCODE: Final = msgspec.json.Encoder().encode
_DELTA: Final = b"event: content_block_delta\ndata: "
_KNOWN: Final = frozenset(
    str(struct.__struct_config__.tag)
    for struct in (
        MessageStart,
        BlockStart,
        BlockDelta,
        BlockStop,
        MessageDelta,
        MessageStop,
        Ping,
        Failure,
    )
)


class MessageScrubber:
    """One stream."""

    def __init__(
        self, surface: Surface, bind: Bind | None = None, choices: Choices | None = None
    ) -> None:
        self.told = Told()
        self.ended = False
        self._surface = surface
        self._hidden = hidden_from(surface)
        self._bind, self._choices = bind, choices
        #: Pieces of signatures by the upstream's numbers of their blocks.
        self._signed: dict[int, str] = {}
        #: Where a block of the upstream stands in what the client sees; ``None`` if it does not.
        self._places: dict[int, int | None] = {}
        self._next = 0

    def event(self, name: str | None, data: bytes) -> bytes:
        if self.ended:
            return b""
        try:
            event = _READ(data)
        except UNREADABLE as error:
            return self._unknown(data, error)
        if type(event) is BlockDelta:
            return self._delta(event)
        match event:
            case BlockStart():
                return self._start(event)
            case BlockStop():
                place = self._place(event.index)
                if place is None:
                    return b""
                before = self._held(event.index, place) + self._signature(event.index, place)
                event.index = place
                return before + _framed(event)
            case MessageStart():
                narrow_message(event.message, self.told, self._surface, self._bind)
                self.told.completion_tokens = None  # it has only begun
                self._next = len(event.message.content)
            case MessageDelta():
                self.told.finish_reason = event.delta.stop_reason or self.told.finish_reason
                if event.usage is UNSET:  # clients need one
                    event.usage = Usage(output_tokens=self.told.completion_tokens or 0)
                else:
                    note_usage(event.usage, self.told, self._surface)
            case MessageStop():
                self.ended = True
            case Failure():
                raise UnreadableError("the upstream reported an error in mid-stream")
        return _framed(event)

    def _start(self, event: BlockStart) -> bytes:
        block = event.content_block
        if type(block) in self._hidden:
            self._places[event.index] = None
            return b""
        if isinstance(block, TextBlock):
            if self._choices is not None and block.text:
                block.text = self._choices.piece(event.index, block.text)
            self.told.texts.append(block.text)
            if CitationsDelta in self._hidden:
                block.citations = UNSET
        if self._bind is not None:
            if isinstance(block, ThinkingBlock):
                self._signed[event.index], block.signature = block.signature, ""
            else:
                bind_block(block, self._bind)
        self._places[event.index] = event.index = self._next
        self._next += 1
        return _framed(event)

    def _delta(self, event: BlockDelta) -> bytes:
        delta = event.delta
        if type(delta) is TextDelta:
            if self._choices is not None:
                self._place(event.index)
                delta.text = self._choices.piece(event.index, delta.text)
                if not delta.text:
                    return b""
            self.told.texts.append(delta.text)
            self.told.streamed += tokens_of_piece(delta.text)
        elif isinstance(delta, ThinkingDelta):
            self.told.streamed += tokens_of_piece(delta.thinking)
        elif isinstance(delta, InputDelta):
            self.told.streamed += tokens_of_piece(delta.partial_json)
        place = self._place(event.index)
        if place is None or type(delta) in self._hidden:
            return b""
        if self._bind is not None and isinstance(delta, SignatureDelta):
            self._signed[event.index] = self._signed.get(event.index, "") + delta.signature
            return b""
        event.index = place
        return _DELTA + _ENCODE(event) + b"\n\n"

    def _held(self, index: int, place: int) -> bytes:
        """The event with what is held of the text of a block that ends, if anything is."""
        rest = "" if self._choices is None else self._choices.rest(index)
        if not rest:
            return b""
        self.told.texts.append(rest)
        self.told.streamed += tokens_of_piece(rest)
        return _framed(BlockDelta(place, TextDelta(rest)))

    def _signature(self, index: int, place: int) -> bytes:
        """The event with the signature of a block that ends, if it has one."""
        signature = self._signed.pop(index, "")
        if not signature or self._bind is None:
            return b""
        return _framed(BlockDelta(place, SignatureDelta(self._bind(signature))))

    def _place(self, index: int) -> int | None:
        try:
            return self._places[index]
        except KeyError:
            raise UnreadableError("an event of the stream belongs to no block") from None

    def _unknown(self, data: bytes, error: Exception) -> bytes:
        """Nothing, for what is of a type that we do not know.

        Raises:
            UnreadableError: the type is known, so that something else is wrong.
        """
        try:
            head = _HEAD(data)
        except UNREADABLE:
            raise reading_error(error) from error
        if head.type not in _KNOWN:
            self.told.unknown += 1
            return b""
        held = head.content_block if head.type == "content_block_start" else head.delta
        if held is None or not held.type or known_type(held.type):
            raise reading_error(error) from error
        if head.type == "content_block_start":
            self._places[head.index] = None
        self.told.unknown += 1
        return b""


def _framed(event: Event) -> bytes:
    tag = event.__struct_config__.tag
    return b"event: %b\ndata: %b\n\n" % (str(tag).encode(), _ENCODE(event))
