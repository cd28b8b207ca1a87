"""The functions that a request offers → their names, in its order.

Definitions of OpenAI (`function`, or flat), Anthropic (`name`), Gemini (`functionDeclarations`),
built-in tools by their type, bare names, or only how many there were.
"""

from __future__ import annotations

from stillwatch.sources.conversation import unpacked
from stillwatch.sources.values import UnfitError, kind_of

__all__ = ["read_tools"]

_TOOLS_MAX = 10_000


def read_tools(value: object) -> tuple[str, ...] | None:
    """The names of the offered functions; of a bare count, that many empty names.

    Raises:
        UnfitError: neither definitions, nor names, nor a count of at most 10,000.
    """
    tools = unpacked(value)
    if isinstance(tools, int) and not isinstance(tools, bool):
        if not 0 <= tools <= _TOOLS_MAX:
            raise UnfitError(f"is a count outside of 0 to {_TOOLS_MAX:,}")
        return ("",) * tools
    if isinstance(tools, dict):
        tools = [tools]
    if not isinstance(tools, list):
        raise UnfitError(f"is {kind_of(value)}, not a list of functions, of names, or a count")
    return tuple(name for tool in tools for name in _names(tool))


def _names(tool: object) -> list[str]:
    if isinstance(tool, str):
        return [tool]
    if not isinstance(tool, dict):
        raise UnfitError(f"has an entry that is {kind_of(tool)}, not a function or its name")
    for key in ("functionDeclarations", "function_declarations"):
        declared = tool.get(key)
        if isinstance(declared, list):
            return [name for entry in declared for name in _flat(entry)]
    return _flat(tool)


def _flat(tool: object) -> list[str]:
    if not isinstance(tool, dict):
        raise UnfitError(f"has an entry that is {kind_of(tool)}, not a function or its name")
    inner = tool.get("function")
    inner = inner if isinstance(inner, dict) else tool
    for name in (inner.get("name"), tool.get("name"), tool.get("type")):
        if isinstance(name, str):
            return [name]
    return [""]
