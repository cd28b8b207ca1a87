"""What each column of a native row may hold, and the reasons for what it may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from stillwatch.exchange import Message, RawExchange

Row = Callable[..., RawExchange]
Refusal = Callable[..., str]
_ABSENT = ("org", "ip", "temperature", "stream", "tools", "system", "completion", "latency_ms")


def test_a_row_of_the_required_columns_leaves_the_rest_unknown(read_row: Row) -> None:
    row = read_row()
    assert (row.at, row.account, row.prompt) == (1_763_700_000_000_000, "a", "why?")
    assert all(getattr(row, name) is None for name in _ABSENT)
    assert read_row(**dict.fromkeys(_ABSENT)) == row


@pytest.mark.parametrize("column", ["at", "account"])
def test_a_row_without_a_required_column_is_refused(refusal: Refusal, column: str) -> None:
    assert refusal(**{column: ...}) == f"'{column}' is missing"
    assert refusal(**{column: None}) == f"'{column}' is missing"


def test_a_row_needs_a_prompt_or_messages_and_not_both(refusal: Refusal, read_row: Row) -> None:
    turn = [{"role": "user", "content": "x"}]
    assert refusal(prompt=...) == "neither 'prompt' nor 'messages' is given"
    assert refusal(prompt=..., messages=[]) == "neither 'prompt' nor 'messages' is given"
    assert refusal(prompt="p", messages=turn).startswith("both 'prompt' and 'messages'")
    assert read_row(prompt="").prompt == ""
    assert read_row(prompt="", messages=turn).prompt is None
    assert read_row(prompt="p", messages=[]).messages is None


@pytest.mark.parametrize(
    ("column", "written", "read"),
    [
        ("account", 42, "42"),
        ("org", 7, "7"),
        ("org", "", None),
        ("temperature", "0.7", 0.7),
        ("temperature", 1, 1.0),
        ("top_p", " 1e-1 ", 0.1),
        ("n", "3", 3),
        ("n", 3.0, 3),
        ("status", 200.0, 200),
        ("status", "200.0", 200),
        ("max_tokens", -1, None),
        ("max_tokens", 256, 256),
        ("latency_ms", 12.6, 13),
        ("latency_ms", "12.4", 12),
        ("stream", 1, True),
        ("stream", 0, False),
        ("stream", "true", True),
        ("stream", "False", False),
        ("stream", "1", True),
        ("stream", "0", False),
        ("logprobs", True, True),
        ("logprobs", 0, False),
        ("asn", 13335, 13335),
        ("asn", "AS13335", 13335),
        ("asn", "13335", 13335),
        ("ip", "198.51.100.7", "198.51.100.7"),
        ("ip", "::ffff:198.51.100.7", "198.51.100.7"),
        ("ip", "2001:DB8:0:0::1", "2001:db8::1"),
        ("ip", "[2001:db8::1]", "2001:db8::1"),
        ("ip", "not an address", None),
        ("ip", "198.51.100.7, 10.0.0.1", None),
        ("logit_bias", {"50256": -100, "11": 5}, 2),
        ("logit_bias", '{"50256": -100}', 1),
        ("logit_bias", 4, 4),
        ("tools", 2, ("", "")),
        ("tools", [], ()),
        ("tools", ["look_up", "add"], ("look_up", "add")),
        ("tools", [{"type": "function", "function": {"name": "look_up"}}], ("look_up",)),
        ("tools", [{"name": "add", "input_schema": {}}], ("add",)),
        ("tools", [{"type": "web_search_20250305"}], ("web_search_20250305",)),
        ("tools", [{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}], ("a", "b")),
        ("tools", '[{"name": "add"}]', ("add",)),
        ("response_format", {"type": "json_schema", "json_schema": {}}, "json_schema"),
        ("response_format", '{"type": "json_object"}', "json_object"),
        ("response_format", "text", "text"),
        ("reasoning", "high", "high"),
        ("reasoning", {"effort": "low", "summary": "auto"}, "low"),
        ("reasoning", {"type": "enabled", "budget_tokens": 1024}, "enabled"),
        ("reasoning", True, "enabled"),
        ("reasoning", False, "disabled"),
        ("prefill", "Sure,", "Sure,"),
        ("prefill", True, "…"),
        ("prefill", False, ""),
        (
            "system",
            [{"type": "text", "text": "be"}, {"type": "text", "text": "brief"}],
            "be\nbrief",
        ),
        ("completion", [{"type": "text", "text": "so"}], "so"),
        ("completion", {"choices": [{"message": {"content": "so"}}]}, "so"),
        ("completion", {"type": "text", "text": "so"}, "so"),
        ("completion", '{"is": "text"}', '{"is": "text"}'),
        ("finish_reason", ["stop", "length"], "stop"),
    ],
)
def test_what_is_unambiguous_is_read(read_row: Row, column: str, written: Any, read: Any) -> None:
    assert getattr(read_row(**{column: written}), column) == read


@pytest.mark.parametrize(
    ("column", "written", "reason"),
    [
        ("account", 1.5, "is a number, not text"),
        ("account", True, "is true or false, not text"),
        ("account", 10**50, "is a number too large for a name"),
        ("prompt", 5, "is a number, not text"),
        ("prompt", ["x"], "is a list, not text"),
        ("temperature", "warm", "is text, not a number"),
        ("temperature", 1e300, "is not finite, or out of range"),
        ("temperature", "nan", "is text, not a number"),
        ("temperature", True, "is true or false, not a number"),
        ("n", 1.5, "is a number, not a whole number"),
        ("n", -1, "is negative"),
        ("prompt_tokens", 2**31, "is too large"),
        ("max_tokens", -2, "is negative"),
        ("stream", 2, "is a number, not true or false"),
        ("stream", "yes", "is text, not true or false"),
        ("asn", -1, "is no autonomous system number"),
        ("asn", "ASx", "is text, not a whole number"),
        ("ip", 3_000_000, "is a number, not text"),
        ("tools", -1, "is a count outside of 0 to 10,000"),
        ("tools", 10_001, "is a count outside of 0 to 10,000"),
        ("tools", [5], "has an entry that is a number, not a function or its name"),
        ("tools", True, "is true or false, not a list of functions, of names, or a count"),
        ("response_format", {}, "is an object without a type"),
        ("completion", {"a": 1}, "is an object that holds no text of an answer"),
        ("reasoning", 5, "is a number, not text, an object or true"),
        ("messages", {"role": "user"}, "is an object, not a list of messages"),
        ("messages", "[oops", "is not JSON: expecting value, character 2"),
        ("messages", ["hi"], "has an entry that is no message: number 1 is text"),
        ("messages", [{"content": "hi"}], "has a message without a role: number 1"),
        (
            "messages",
            [{"role": "user", "content": "a"}, {"role": "user", "content": 5}],
            "has content that is a number, not text or parts, in message number 2",
        ),
    ],
)
def test_what_a_column_cannot_be_is_refused_with_its_name(
    refusal: Refusal, column: str, written: Any, reason: str
) -> None:
    assert refusal(**{column: written}) == f"'{column}' {reason}"


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_not_finite_are_refused(read_lines: Any, literal: bytes) -> None:
    reading = read_lines(b'{"at":1763700000,"account":"a","prompt":"p","top_p":%s}' % literal)
    assert reading.reasons == ["'top_p' is not finite, or out of range"]


def test_logprobs_of_the_older_api_say_how_many(read_row: Row) -> None:
    row = read_row(logprobs=5)
    assert (row.logprobs, row.top_logprobs) == (True, 5)
    assert read_row(logprobs=5, top_logprobs=3).top_logprobs == 3


def test_system_turns_at_the_start_become_the_system_prompt(read_row: Row) -> None:
    turns = [
        {"role": "system", "content": "be brief"},
        {"role": "developer", "content": "and kind"},
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "later"},
    ]
    row = read_row(messages=turns)
    assert row.system == "be brief\nand kind"
    assert row.messages == (Message("user", "hi"), Message("system", "later"))
    kept = read_row(messages=turns, system="given")
    assert kept.system == "given"
    assert len(kept.messages or ()) == 4
    alone = read_row(messages=turns[:1])
    assert (alone.system, alone.messages) == (None, (Message("system", "be brief"),))


def test_a_last_turn_of_the_assistant_is_the_prefill_unless_it_is_the_answer(
    read_row: Row,
) -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Sure,"}]
    begun = read_row(messages=turns, completion=" here it is")
    assert begun.prefill == "Sure,"
    assert len(begun.messages or ()) == 2
    logged = read_row(messages=turns, completion="Sure,")
    assert logged.prefill is None
    assert logged.messages == (Message("user", "hi"),)


def test_roles_of_other_frameworks_are_renamed(read_row: Row) -> None:
    turns = [
        {"role": "human", "content": "a"},
        {"role": "AI", "content": "b"},
        {"role": "User", "content": "c"},
    ]
    assert [m.role for m in read_row(messages=turns).messages or ()] == [
        "user",
        "assistant",
        "user",
    ]


def test_messages_may_be_json_in_text(read_row: Row) -> None:
    written = json.dumps([{"role": "user", "content": "hi"}])
    assert read_row(messages=written).messages == (Message("user", "hi"),)


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        ({"role": "user", "content": None}, ""),
        ({"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}, "a\nb"),
        (
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "data:..."}},
                    {"type": "input_audio", "input_audio": {"data": "..."}},
                ],
            },
            "look",
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "1", "function": {"name": "add", "arguments": '{"a": 1}'}},
                    {"id": "2", "function": {"name": "sub", "arguments": "{}"}},
                ],
            },
            'add {"a": 1}\nsub {}',
        ),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}, "f {}"),
        (
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "…"},
                    {"type": "tool_use", "id": "1", "name": "add", "input": {"b": 2, "a": 1}},
                ],
            },
            'hm\nadd {"a": 1, "b": 2}',
        ),
        (
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "1",
                        "content": [{"type": "text", "text": "3"}],
                    }
                ],
            },
            "3",
        ),
        ({"role": "model", "parts": [{"text": "a"}, {"functionCall": {"name": "f"}}]}, "a\nf"),
        (
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"x": 1}}}]},
            '{"x": 1}',
        ),
        ({"role": "assistant", "content": "", "refusal": "I cannot."}, "I cannot."),
        ({"type": "function_call", "name": "f", "arguments": "{}"}, "f {}"),
        ({"type": "function_call_output", "call_id": "1", "output": "4"}, "4"),
        (
            {"role": "user", "parts": [{"type": "blob", "modality": "image", "content": "aGk="}]},
            "",
        ),
    ],
)
def test_messages_of_every_dialect_become_plain_text(
    read_row: Row, turn: dict[str, Any], text: str
) -> None:
    (message, _) = read_row(messages=[turn, {"role": "user", "content": "x"}]).messages or ()
    assert message.content == text


def test_content_that_is_nested_without_end_is_refused(refusal: Refusal) -> None:
    content: Any = "x"
    for _ in range(20):
        content = [content]
    reason = refusal(messages=[{"role": "user", "content": content}])
    assert reason.startswith("'messages' has content that is nested too deeply")
