"""Conversations, answers and tools as the dialects write them → plain text and names.

Reads messages of OpenAI (content parts, `tool_calls`, items of the Responses API), Anthropic
(content blocks, `tool_use`, `tool_result`, `thinking`), Gemini (`parts`, role `model`) and
OpenTelemetry (`parts` with `content`). Text is kept in order, joined by line breaks; a call of a
tool is written as its name and its arguments; images, audio and files are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from stillwatch.exchange import Message
from stillwatch.sources.lenient import parse
from stillwatch.sources.nested import first
from stillwatch.sources.values import UnfitError, kind_of

__all__ = [
    "ROLES",
    "SYSTEM_ROLES",
    "answer",
    "plain_text",
    "read_messages",
    "structured",
    "unpacked",
]

#: how other frameworks call a role → how we do
ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant"}
SYSTEM_ROLES = frozenset({"system", "developer"})
_DEEPEST = 8
#: types of parts that hold no text, whatever their keys
_MEDIA = frozenset({"blob", "image", "audio", "video", "input_image", "input_audio", "image_url"})
_CALLS = frozenset(
    {"tool_use", "tool_call", "function_call", "server_tool_use", "server_tool_call"}
)
_RESULTS = frozenset(
    {"tool_result", "tool_call_response", "function_call_output", "server_tool_call_response"}
)
#: the role of an item that has none
_ITEM_ROLES = dict.fromkeys((*_CALLS, "reasoning"), "assistant") | dict.fromkeys(_RESULTS, "tool")
#: parts that are named by their key: Gemini's
_NAMED_CALLS = ("functionCall", "function_call")
_NAMED_RESULTS = ("functionResponse", "function_response")
#: where a part keeps its text, a call its arguments, a result what came back
_TEXT_KEYS = ("text", "content", "thinking", "reasoning", "summary", "refusal", "parts")
_ARGUMENT_KEYS = ("arguments", "input", "args", "server_tool_call")
_RESULT_KEYS = ("content", "response", "result", "output", "server_tool_call_response")


def read_messages(value: object) -> tuple[Message, ...] | None:
    """The turns of a conversation, oldest first; None for an empty list.

    Raises:
        UnfitError: not a list of objects with a role, or a content that is neither text nor parts.
    """
    turns = unpacked(value)
    if not isinstance(turns, list):
        raise UnfitError(f"is {kind_of(value)}, not a list of messages")
    return tuple(_message(turn, number) for number, turn in enumerate(turns, 1)) or None


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
        return _joined([plain_text(part, depth + 1) for part in value])
    if isinstance(value, dict):
        return _part(value, depth)
    raise UnfitError(f"has content that is {kind_of(value)}, not text or parts")


def answer(response: object) -> tuple[str | None, str | None]:
    """The text of a response and why it ended: the first choice of several.

    Reads chat and text completions, Anthropic messages, the Responses API, and bare text; None
    where there is no text, as for an error.
    """
    if isinstance(response, str):
        return response, None
    if not isinstance(response, dict):
        return None, None
    choices = response.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else response
    if not isinstance(choice, dict):
        return None, None
    reason = first(choice, "finish_reason", "stop_reason")
    content = first(choice, "message", "text", "content", "output")
    try:
        text = _turn_text(content) if isinstance(content, dict) else plain_text(content)
    except UnfitError:
        return None, reason if isinstance(reason, str) else None
    return text if content is not None else None, reason if isinstance(reason, str) else None


def unpacked(value: object) -> object:
    """What JSON in a text column says; any other value as it is.

    Raises:
        UnfitError: text that begins like JSON and is none.
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        return parse(value.encode())[0]
    return value


def structured(value: object, *keys: str) -> object:
    """What JSON in a text says, if that is an object, or a list of them, with one of `keys`.

    Any other value as it is: a text that happens to be JSON, or only begins like it ("[INST]"),
    stays text.
    """
    try:
        found = unpacked(value)
    except UnfitError:
        return value
    sample = found[0] if isinstance(found, list) and found else found
    return found if isinstance(sample, dict) and not sample.keys().isdisjoint(keys) else value


def _message(turn: object, number: int) -> Message:
    if not isinstance(turn, dict):
        raise UnfitError(f"has an entry that is no message: number {number} is {kind_of(turn)}")
    role = turn.get("role")
    if role is None:  # an item of the Responses API beside the messages
        role = _ITEM_ROLES.get(_kind(turn))
    if not isinstance(role, str) or not role:
        raise UnfitError(f"has a message without a role: number {number}")
    try:
        text = _turn_text(turn)
    except UnfitError as unfit:
        raise UnfitError(f"{unfit.reason}, in message number {number}") from None
    role = role.lower()
    return Message(ROLES.get(role, role), text)


def _turn_text(turn: Mapping[str, object]) -> str:
    """The text of a turn, its calls of tools behind it."""
    if _kind(turn) in _ITEM_ROLES:
        return _part(turn, 0)
    pieces = [plain_text(first(turn, "content", "parts", "summary", "text"))]
    calls = turn.get("tool_calls") or turn.get("function_call") or ()
    pieces += [_call(call) for call in (calls if isinstance(calls, list) else (calls,)) if call]
    if turn.get("refusal"):
        pieces.append(plain_text(turn["refusal"]))
    return _joined(pieces)


def _part(part: Mapping[str, object], depth: int) -> str:
    kind = _kind(part)
    if kind in _MEDIA:
        return ""
    named = next((part[key] for key in _NAMED_CALLS if isinstance(part.get(key), dict)), None)
    if kind in _CALLS or named is not None:
        return _call(named or part)
    for key in _NAMED_RESULTS:
        result = part.get(key)
        if isinstance(result, dict):
            return _result(result, depth)
    if kind in _RESULTS:
        return _result(part, depth)
    for key in _TEXT_KEYS:
        found = part.get(key)
        if isinstance(found, str | list | dict):
            return plain_text(found, depth + 1)
    return ""


def _kind(part: Mapping[str, object]) -> str:
    kind = part.get("type")
    return kind if isinstance(kind, str) else ""


def _call(call: object) -> str:
    if not isinstance(call, dict):
        raise UnfitError(f"has a call of a tool that is {kind_of(call)}")
    inner = call.get("function")
    call = inner if isinstance(inner, dict) else call
    name = call.get("name")
    given = first(call, *_ARGUMENT_KEYS)
    return f"{name if isinstance(name, str) else ''} {_json(given)}".strip()


def _result(result: Mapping[str, object], depth: int) -> str:
    """What a tool gave back: text, parts with text, or the JSON of anything else."""
    given = first(result, *_RESULT_KEYS)
    if isinstance(given, list):
        return plain_text(given, depth + 1) or _json(given)
    return _json(given)


def _json(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    except RecursionError:
        raise UnfitError("has content that is nested too deeply") from None


def _joined(pieces: list[str]) -> str:
    return "\n".join(filter(None, pieces))
