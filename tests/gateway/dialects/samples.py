"""Requests, answers and surfaces of every dialect, to ask the same of all of them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from stillwatch.access import CLOSED, Bias, Reasoning, Structure, Surface
from stillwatch.gateway.dialects.anthropic_counting import AnthropicCounting
from stillwatch.gateway.dialects.anthropic_messages import AnthropicMessages
from stillwatch.gateway.dialects.dialect import Dialect
from stillwatch.gateway.dialects.openai_chat import OpenAIChat
from stillwatch.gateway.dialects.openai_completions import OpenAICompletions
from stillwatch.gateway.dialects.openai_embeddings import OpenAIEmbeddings
from stillwatch.gateway.dialects.openai_responses import OpenAIResponses

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}


#: For properties: no test measures time, not even of its own examples.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Sample(NamedTuple):
    """A dialect; the least request it takes; every field that bears on a surface; an answer;
    whether a model generates it, so that it has a text and may come as a stream; the least surface
    that shows any answer."""

    dialect: Dialect
    least: dict[str, Any]
    more: dict[str, list[Any]]
    answer: dict[str, Any]
    generated: bool = True
    shows: Surface = CLOSED

    def __repr__(self) -> str:
        return self.dialect.name


_SAMPLING: dict[str, list[Any]] = {
    "stream": [True, False],
    "temperature": [0, 0.3, 2],
    "n": [1, 2, 7],
    "best_of": [3],
    "max_tokens": [1, 500, 10**18],
    "seed": [1],
    "logit_bias": [{"5": -100}, {"5": 1.5, "7": -100}],
    "allowed_token_ids": [[1, 2, 3]],
    "bad_words": [["no"]],
    "echo": [True],
    "prompt_logprobs": [0, 4],
    "return_token_ids": [True],
    "return_tokens_as_token_ids": [True],
    "response_format": [{"type": "text"}, {"type": "json_object"}, SCHEMA, {"type": "regex"}],
    "guided_regex": ["a+"],
    "structured_outputs": [{"choice": ["a"]}],
    "strange_field": [{"deep": [1]}],
    "vllm_xargs": [{"watermark": 0}],
}

CHAT = Sample(
    OpenAIChat(),
    {"model": "m", "messages": [{"role": "user", "content": "Hello"}]},
    {
        **_SAMPLING,
        "messages": [
            [{"role": "user", "content": "a"}, {"role": "assistant", "content": "Sure, "}],
            [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
             {"role": "assistant", "content": "c", "prefix": True}],
            [{"role": "user", "content": "a", "prefix": True}],
        ],
        "continue_final_message": [True],
        "add_generation_prompt": [False],
        "max_completion_tokens": [3, 10**6],
        "logprobs": [True],
        "top_logprobs": [0, 3, 20],
        "include_reasoning": [True],
        "tools": [[TOOL]],
        "tool_choice": ["required"],
        "functions": [[{"name": "f"}]],
        "web_search_options": [{}, {"search_context_size": "low"}],
    },
    {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"},
                     "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    },
)  # fmt: skip

COMPLETIONS = Sample(
    OpenAICompletions(),
    {"model": "m", "prompt": "Once upon a time"},
    {
        **_SAMPLING,
        "prompt": ["a", ["a", "b"], [1, 2, 3], [[1, 2], [3]], None],
        "logprobs": [0, 1, 5, 50],
        "suffix": ["the end"],
    },
    {
        "id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "text": "Hi", "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    },
)  # fmt: skip

MESSAGES = Sample(
    AnthropicMessages(),
    {"model": "m", "max_tokens": 4000, "messages": [{"role": "user", "content": "Hello"}]},
    {
        "messages": [
            [{"role": "user", "content": "a"}, {"role": "assistant", "content": "Sure, "}],
            [{"role": "user", "content": [{"type": "text", "text": "a"}]}],
        ],
        "max_tokens": [1, 900, 5000, 10**18],
        "stream": [True, False],
        "temperature": [0, 1],
        "thinking": [
            {"type": "enabled", "budget_tokens": 2000},
            {"type": "adaptive"},
            {"type": "adaptive", "display": "summarized"},
            {"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
            {"type": "between_tools"},
            {"type": "disabled"},
        ],
        "output_config": [
            {"effort": "low"},
            {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
            {"format": {"type": "grammar"}},
        ],
        "output_format": [{"type": "json_schema", "schema": {}}],
        "tools": [[{"name": "weather", "input_schema": {"type": "object"}}]],
        "tool_choice": [{"type": "any"}],
        "mcp_servers": [[{"type": "url", "url": "https://example.com", "name": "x"}]],
        "container": ["c"],
        "strange_field": [[1]],
        "priority": [0],
    },
    {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn",
        "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 2},
    },
)  # fmt: skip

_COUNTED = ("messages", "thinking", "output_config", "output_format", "tools", "tool_choice",
            "mcp_servers", "strange_field", "priority")  # fmt: skip
COUNTING = Sample(
    AnthropicCounting(),
    {"model": "m", "messages": [{"role": "user", "content": "Hello"}]},
    {name: MESSAGES.more[name] for name in _COUNTED},
    {"input_tokens": 3},
    generated=False,
)

EMBEDDINGS = Sample(
    OpenAIEmbeddings(),
    {"model": "m", "input": "Hello"},
    {
        "input": ["a", ["a", "b"], [1, 2, 3], [[1, 2], [3]]],
        "dimensions": [2, 10**18],
        "encoding_format": ["float", "base64"],
        "user": ["u"],
        "strange_field": [1],
        "cache_salt": ["x"],
    },
    {
        "object": "list", "model": "m",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    },
    generated=False,
    shows=Surface(embeddings=True),
)  # fmt: skip

_ITEM = {"role": "user", "content": "a"}
RESPONSES = Sample(
    OpenAIResponses(),
    {"model": "m", "input": "Hello", "store": False},
    {
        "input": [
            [_ITEM, {"role": "assistant", "content": "Sure, "}],
            [_ITEM, {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "e"}],
            [_ITEM, {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
             {"type": "function_call_output", "call_id": "c", "output": "sun"}],
            [{"role": "user", "content": [{"type": "input_text", "text": "a"}]}],
        ],
        "instructions": ["Be brief"],
        "stream": [True, False],
        "store": [True],
        "temperature": [0, 0.3, 2],
        "max_output_tokens": [1, 500, 10**18],
        "seed": [1],
        "logit_bias": [{"5": -100}, {"5": 1.5, "7": -100}],
        "include": [["message.output_text.logprobs"], ["reasoning.encrypted_content"],
                    ["message.output_text.logprobs", "reasoning.encrypted_content"]],
        "top_logprobs": [0, 3, 20],
        "reasoning": [{"effort": "low"}, {"effort": "low", "summary": "auto"},
                      {"generate_summary": "concise"}],
        "include_reasoning": [True, False],
        "text": [{"format": {"type": "text"}}, {"format": {"type": "json_object"}},
                 {"format": {"type": "json_schema", "name": "s", "schema": {}}, "verbosity": "low"},
                 {"format": {"type": "grammar"}}],
        "structured_outputs": [{"choice": ["a"]}],
        "tools": [[{"type": "function", "name": "weather", "parameters": {}, "strict": True}]],
        "tool_choice": ["required"],
        "parallel_tool_calls": [True],
        "previous_response_id": [None, ""],
        "strange_field": [1],
        "cache_salt": ["x"],
    },
    {
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m",
        "error": None, "incomplete_details": None,
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5,
                  "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                  "output_tokens_details": {"reasoning_tokens": 0}},
        "tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "metadata": {},
    },
)  # fmt: skip

SAMPLES = (CHAT, COMPLETIONS, MESSAGES, RESPONSES, COUNTING, EMBEDDINGS)
GENERATED = tuple(sample for sample in SAMPLES if sample.generated)

SURFACES = st.builds(
    Surface,
    logprobs=st.integers(0, 5),
    reasoning=st.sampled_from(Reasoning),
    n=st.sampled_from([1, 2, 4, 2**31 - 1]),
    logit_bias=st.sampled_from(Bias),
    biased_tokens=st.sampled_from([0, 1, 300]),
    seed=st.booleans(),
    prefill=st.booleans(),
    echo=st.booleans(),
    prompt_logprobs=st.booleans(),
    token_ids=st.booleans(),
    max_tokens=st.sampled_from([None, 1, 800, 2000]),
    structure=st.sampled_from(Structure),
    tools=st.booleans(),
    embeddings=st.booleans(),
    min_temperature=st.sampled_from([0.0, 0.5]),
    unknown_fields=st.booleans(),
    response_fields=st.frozensets(
        st.sampled_from(["system_fingerprint", "service_tier", "citations", "annotations"])
    ),
)


@st.composite
def requests(draw: st.DrawFn, sample: Sample) -> bytes:
    """A request with some of the fields that bear on a surface."""
    fields = draw(st.lists(st.sampled_from(sorted(sample.more)), unique=True, max_size=6))
    body = sample.least | {name: draw(st.sampled_from(sample.more[name])) for name in fields}
    return json.dumps(body).encode()
