"""OpenAI Responses: the events of a stream, each with a type and a number.

The structs are the allow-list: decoding drops the fields that they do not name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stillwatch.gateway.dialects.openai_logprobs import Position
from stillwatch.gateway.dialects.openai_outputs import Annotation, Response, SummaryText

__all__ = [
    "AnnotationAdded",
    "ArgumentsDelta",
    "ArgumentsDone",
    "Completed",
    "Event",
    "Failed",
    "Failure",
    "Incomplete",
    "ItemAdded",
    "ItemDone",
    "OfItem",
    "OfPart",
    "OfResponse",
    "PartAdded",
    "PartDone",
    "ReasoningDelta",
    "ReasoningDone",
    "RefusalDelta",
    "SummaryDelta",
    "SummaryDone",
    "SummaryPartAdded",
    "SummaryPartDone",
    "TextDelta",
    "TextDone",
    "Typed",
]


class Typed(msgspec.Struct, kw_only=True):
    sequence_number: int = 0


class OfResponse(Typed, kw_only=True):
    response: Response


class Created(OfResponse, tag="response.created"):
    pass


class InProgress(OfResponse, tag="response.in_progress"):
    pass


class Completed(OfResponse, tag="response.completed"):
    pass


class Incomplete(OfResponse, tag="response.incomplete"):
    pass


class Failed(OfResponse, tag="response.failed"):
    pass


class OfItem(Typed, kw_only=True):
    output_index: int


class ItemAdded(OfItem, kw_only=True, tag="response.output_item.added"):
    item: Any


class ItemDone(OfItem, kw_only=True, tag="response.output_item.done"):
    item: Any


class InItem(OfItem, kw_only=True):
    item_id: str = ""


class ArgumentsDelta(InItem, kw_only=True, tag="response.function_call_arguments.delta"):
    delta: str


class ArgumentsDone(InItem, kw_only=True, tag="response.function_call_arguments.done"):
    arguments: str
    name: str | msgspec.UnsetType | None = msgspec.UNSET


class SummaryPartAdded(InItem, kw_only=True, tag="response.reasoning_summary_part.added"):
    summary_index: int
    part: SummaryText


class SummaryPartDone(InItem, kw_only=True, tag="response.reasoning_summary_part.done"):
    summary_index: int
    part: SummaryText


class SummaryDelta(InItem, kw_only=True, tag="response.reasoning_summary_text.delta"):
    summary_index: int
    delta: str


class SummaryDone(InItem, kw_only=True, tag="response.reasoning_summary_text.done"):
    summary_index: int
    text: str


class OfPart(InItem, kw_only=True):
    content_index: int


class PartAdded(OfPart, kw_only=True, tag="response.content_part.added"):
    part: Any


class PartDone(OfPart, kw_only=True, tag="response.content_part.done"):
    part: Any


class TextDelta(OfPart, kw_only=True, tag="response.output_text.delta"):
    delta: str
    logprobs: list[Position] | None = None


class TextDone(OfPart, kw_only=True, tag="response.output_text.done"):
    text: str
    logprobs: list[Position] | None = None


class AnnotationAdded(OfPart, kw_only=True, tag="response.output_text.annotation.added"):
    annotation_index: int
    annotation: Annotation


class RefusalDelta(OfPart, kw_only=True, tag="response.refusal.delta"):
    delta: str


class RefusalDone(OfPart, kw_only=True, tag="response.refusal.done"):
    refusal: str


class ReasoningDelta(OfPart, kw_only=True, tag="response.reasoning_text.delta"):
    delta: str


class ReasoningDone(OfPart, kw_only=True, tag="response.reasoning_text.done"):
    text: str


class Failure(Typed, tag="error"):
    pass


Event = (
    Created | InProgress | Completed | Incomplete | Failed | ItemAdded | ItemDone | PartAdded
    | PartDone | TextDelta | TextDone | AnnotationAdded | RefusalDelta | RefusalDone
    | ArgumentsDelta | ArgumentsDone | SummaryPartAdded | SummaryPartDone | SummaryDelta
    | SummaryDone | ReasoningDelta | ReasoningDone | Failure
)  # fmt: skip
