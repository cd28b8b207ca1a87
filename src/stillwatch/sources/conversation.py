"""Conversations, answers and tools as the dialects write them → plain text and names.

Reads messages of OpenAI (content parts, `tool_calls`), Anthropic (content blocks, `tool_use`,
`tool_result`, `thinking`) and Gemini (`parts`, role `model`). Text is kept in order, joined by line
breaks; a call of a tool is written as its name and its arguments; images, audio and files are
left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stillwatch.exchange import Message
from stillwatch.sources.lenient import parse
from stillwatch.sources.values import UnfitError, kind_of

__all__ = [
    "ROLES",
    "SYSTEM_ROLES",
    "plain_text",
    "read_messages",
    "read_tools",
    "unpacked",
]

#: how other frameworks call a role → how we do
ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant"}
SYSTEM_ROLES = frozenset({"system", "developer"})
_TOOLS_MAX = 10_000
_DEEPEST = 8
#: where a part of a message keeps its text, in the order in which we look
_TEXT_KEYS = ("text", "content", "thinking", "reasoning", "refusal", "output", "response", "parts")
_CALL_KEYS = ("arguments", "input", "args")


def read_messages(value: object) -> tuple[Message, ...] | None:
    """The turns of a conversation, oldest first; None for an empty list.

    Raises:
        UnfitError: not a list of objects with a role, or a content that is neither text nor parts.
    """
    turns = unpacked(value)
    if not isinstance(turns, list):
        raise UnfitError(f"is {kind_of(value)}, not a list of messages")
    return tuple(_message(turn, place) for place, turn in enumerate(turns)) or None


def plain_text(value: object, depth: int = 0) -> str:
    """The text in a message's content: text itself, or a list of parts, or one part.

    Raises:
        UnfitError: it is a number or a flag, or parts lie in parts more than eight deep.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if depth > _DEEPEST:
        raise UnfitError("has content that is nested too deeply")
    if isinstance(value, Sequence):
        return "\n".join(filter(None, (plain_text(part, depth + 1) for part in value)))
    if isinstance(value, Mapping):
        return _part(value, depth)
    raise UnfitError(f"has content that is {kind_of(value)}, not text or parts")


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
    if isinstance(tools, Mapping):
        tools = list(tools.values()) if all(map(_is_tool, tools.values())) else [tools]
    if not isinstance(tools, list):
        raise UnfitError(f"is {kind_of(value)}, not a list of functions, of names, or a count")
    return tuple(name for tool in tools for name in _tool_names(tool))


def unpacked(value: object) -> object:
    """What JSON in a text column says; any other value as it is.

    Raises:
        UnfitError: text that begins like JSON and is none.
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        return parse(value.encode())[0]
    return value


def _message(turn: object, place: int) -> Message:
    if not isinstance(turn, Mapping):
        raise UnfitError(f"has an entry that is no message: number {place + 1} is {kind_of(turn)}")
    role = turn.get("role")
    if not isinstance(role, str) or not role:
        raise UnfitError(f"has a message without a role: number {place + 1}")
    try:
        pieces = [plain_text(turn.get("content", turn.get("parts")))]
        calls = turn.get("tool_calls") or turn.get("function_call") or ()
        pieces += [_call(call) for call in (calls if isinstance(calls, list) else (calls,)) if call]
        if turn.get("refusal"):
            pieces.append(plain_text(turn["refusal"]))
    except UnfitError as unfit:
        raise UnfitError(f"{unfit.reason}, in message number {place + 1}") from None
    role = role.lower()
    return Message(ROLES.get(role, role), "\n".join(filter(None, pieces)))


def _part(part: Mapping[str, object], depth: int) -> str:
    kind = part.get("type")
    if kind in ("tool_use", "tool_call", "function_call", "functionCall", "server_tool_use"):
        return _call(part)
    for nested in ("functionCall", "function_call"):
        if isinstance(part.get(nested), Mapping):
            return _call(part[nested])
    for key in _TEXT_KEYS:
        found = part.get(key)
        if isinstance(found, str | list | Mapping):
            return plain_text(found, depth + 1)
    return ""


def _call(call: object) -> str:
    if not isinstance(call, Mapping):
        raise UnfitError(f"has a call of a tool that is {kind_of(call)}")
    inner = call.get("function")
    call = inner if isinstance(inner, Mapping) else call
    name = call.get("name")
    given = next((call[key] for key in _CALL_KEYS if call.get(key) is not None), "")
    if not isinstance(given, str):
        given = msgspec.json.encode(given, order="sorted").decode()
    return f"{name if isinstance(name, str) else ''} {given}".strip()


def _is_tool(value: object) -> bool:
    return isinstance(value, Mapping) and ("name" in value or "function" in value)


def _tool_names(tool: object) -> list[str]:
    if isinstance(tool, str):
        return [tool]
    if not isinstance(tool, Mapping):
        raise UnfitError(f"has an entry that is {kind_of(tool)}, not a function or its name")
    declared = tool.get("functionDeclarations", tool.get("function_declarations"))
    if isinstance(declared, list):
        return [name for entry in declared for name in _tool_names(entry)]
    inner = tool.get("function")
    inner = inner if isinstance(inner, Mapping) else tool
    for name in (inner.get("name"), tool.get("name"), tool.get("type")):
        if isinstance(name, str):
            return [name]
    return [""]
