"""The texts of the pool `tools`: a request, a line of dashes, the functions on offer as JSON."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

__all__ = ["ToolRequest", "tool_request"]


class ToolRequest(NamedTuple):
    """What the user asked, the functions' names in the order of the request, and their JSON."""

    request: str
    names: tuple[str, ...]
    functions: str


class _Function(msgspec.Struct):
    name: str


def tool_request(text: str) -> ToolRequest:
    """Take a text of the pool `tools` apart; one without functions has no names."""
    request, _, functions = text.rpartition("\n---\n")
    if not request:
        return ToolRequest(text, (), "[]")
    names = tuple(f.name for f in msgspec.json.decode(functions, type=list[_Function]))
    return ToolRequest(request, names, functions)
