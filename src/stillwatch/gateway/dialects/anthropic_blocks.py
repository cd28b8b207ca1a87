"""Anthropic Messages: what an answer may consist of, and what of it a surface shows.

The structs are the allow-list: decoding drops the fields that they do not name. Thinking is shown
at ``Reasoning.FULL`` only, since a summary looks the same; with it goes its signature, so that a
client who sees no thinking cannot hand it back in the next turn of a conversation with tools.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Reasoning, Surface
from stillwatch.gateway.dialects.dialect import Told

__all__ = [
    "Block",
    "CitationsDelta",
    "Delta",
    "InputDelta",
    "RedactedThinkingBlock",
    "SignatureDelta",
    "TextBlock",
    "TextDelta",
    "ThinkingBlock",
    "ThinkingDelta",
    "Usage",
    "hidden_from",
    "known_type",
    "note_usage",
]

Text = str | None | UnsetType
Count = int | None | UnsetType


class Citation(msgspec.Struct):
    type: str
    cited_text: str = ""
    document_index: Count = UNSET
    document_title: Text = UNSET
    file_id: Text = UNSET
    start_char_index: Count = UNSET
    end_char_index: Count = UNSET
    start_page_number: Count = UNSET
    end_page_number: Count = UNSET
    start_block_index: Count = UNSET
    end_block_index: Count = UNSET
    search_result_index: Count = UNSET
    encrypted_index: Text = UNSET
    source: Text = UNSET
    title: Text = UNSET
    url: Text = UNSET


class TextBlock(msgspec.Struct, tag="text"):
    text: str = ""
    citations: list[Citation] | UnsetType | None = UNSET


class ThinkingBlock(msgspec.Struct, tag="thinking"):
    thinking: str = ""
    signature: str = ""


class RedactedThinkingBlock(msgspec.Struct, tag="redacted_thinking"):
    data: str = ""


class ToolUseBlock(msgspec.Struct, tag="tool_use"):
    id: str
    name: str
    input: dict[str, Any] = msgspec.field(default_factory=dict)


class ServerToolUseBlock(msgspec.Struct, tag="server_tool_use"):
    id: str
    name: str
    input: dict[str, Any] = msgspec.field(default_factory=dict)


class WebSearchResult(msgspec.Struct, tag="web_search_result"):
    url: str = ""
    title: str = ""
    encrypted_content: str = ""
    page_age: Text = UNSET


class WebSearchError(msgspec.Struct, tag="web_search_tool_result_error"):
    error_code: str = "unavailable"


class WebSearchBlock(msgspec.Struct, tag="web_search_tool_result"):
    tool_use_id: str
    content: list[WebSearchResult] | WebSearchError


class TextDelta(msgspec.Struct, tag="text_delta"):
    text: str = ""


class InputDelta(msgspec.Struct, tag="input_json_delta"):
    partial_json: str = ""


class ThinkingDelta(msgspec.Struct, tag="thinking_delta"):
    thinking: str = ""


class SignatureDelta(msgspec.Struct, tag="signature_delta"):
    signature: str = ""


class CitationsDelta(msgspec.Struct, tag="citations_delta"):
    citation: Citation


Block = (
    TextBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ServerToolUseBlock
    | WebSearchBlock
)
Delta = TextDelta | InputDelta | ThinkingDelta | SignatureDelta | CitationsDelta

_THINKING: Final = (ThinkingBlock, RedactedThinkingBlock, ThinkingDelta, SignatureDelta)
_TOOLS: Final = (ToolUseBlock, ServerToolUseBlock, WebSearchBlock, InputDelta)
_TAGS: Final = frozenset(
    str(struct.__struct_config__.tag)
    for struct in (*_THINKING, *_TOOLS, TextBlock, TextDelta, CitationsDelta)
)


def known_type(name: str) -> bool:
    """Whether a block or a delta of this type may be shown to anybody."""
    return name in _TAGS


def hidden_from(surface: Surface) -> frozenset[type]:
    """The kinds of blocks and deltas that the surface does not show."""
    return _hidden(
        surface.reasoning >= Reasoning.FULL, surface.tools, "citations" in surface.response_fields
    )


@cache
def _hidden(thinking: bool, tools: bool, citations: bool) -> frozenset[type]:
    kinds: list[type] = []
    if not thinking:
        kinds += _THINKING
    if not tools:
        kinds += _TOOLS
    if not citations:
        kinds.append(CitationsDelta)
    return frozenset(kinds)


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class _OutputDetails(msgspec.Struct):
    thinking_tokens: int = 0


class _ServerTools(msgspec.Struct):
    web_search_requests: int = 0
    web_fetch_requests: int = 0


class Usage(msgspec.Struct):
    input_tokens: Count = UNSET
    output_tokens: int | None = 0
    cache_creation_input_tokens: Count = UNSET
    cache_read_input_tokens: Count = UNSET
    cache_creation: _CacheCreation | UnsetType | None = UNSET
    output_tokens_details: _OutputDetails | UnsetType | None = UNSET
    server_tool_use: _ServerTools | UnsetType | None = UNSET
    service_tier: Text = UNSET


def note_usage(usage: Usage, told: Told, surface: Surface) -> None:
    """What the upstream counted; in a stream, the later event's counts replace the earlier one's.
    `input_tokens` leaves out what was read from a cache or written to it; ours are all of them."""
    if usage.input_tokens is not UNSET and usage.input_tokens is not None:
        read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        told.prompt_tokens = max(0, usage.input_tokens) + max(0, read) + max(0, written)
        told.cached_tokens = max(0, read)
    usage.output_tokens = told.completion_tokens = max(0, usage.output_tokens or 0)
    if usage.output_tokens_details:
        told.reasoning_tokens = usage.output_tokens_details.thinking_tokens
    if "service_tier" not in surface.response_fields:
        usage.service_tier = UNSET
