"""The official clients' own types take what comes out, and what they send is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillwatch.access import CLOSED, OPEN, Surface
from stillwatch.gateway.dialects.openai_models import Model, listed, one

from .samples import CHAT, COMPLETIONS, COUNTING, EMBEDDINGS, MESSAGES, RESPONSES, Sample

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")
TypeAdapter = pytest.importorskip("pydantic").TypeAdapter
surfaces = pytest.mark.parametrize("surface", [CLOSED, OPEN], ids=["closed", "open"])

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
POSITION = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
CITATION = {"url": "u", "title": "t", "start_index": 0, "end_index": 1}


def scrubbed(sample: Sample, surface: Surface, answer: dict[str, Any]) -> bytes:
    incoming = sample.dialect.read(json.dumps(sample.least).encode())
    return sample.dialect.scrub(json.dumps(answer).encode(), incoming, surface).body


def streamed(sample: Sample, surface: Surface, event: dict[str, Any]) -> bytes:
    incoming = sample.dialect.read(json.dumps(sample.least | {"stream": True}).encode())
    out = sample.dialect.stream(incoming, surface).event(None, json.dumps(event).encode())
    return out.partition(b"data: ")[2]


@surfaces
def test_openai_takes_our_chat_answers(surface: Surface) -> None:
    answer = json.loads(json.dumps(CHAT.answer))
    message = answer["choices"][0]["message"]
    message |= {"tool_calls": [CALL], "reasoning": "r", "refusal": None}
    message["annotations"] = [{"type": "url_citation", "url_citation": CITATION}]
    answer["choices"][0]["logprobs"] = {"content": [POSITION], "refusal": None}
    body = scrubbed(CHAT, surface, answer)
    found = TypeAdapter(openai.types.chat.ChatCompletion).validate_json(body)
    assert found.choices[0].message.content == "Hi"
    assert bool(found.choices[0].message.tool_calls) is surface.tools


@surfaces
def test_openai_takes_our_chunks(surface: Surface) -> None:
    delta = {"role": "assistant", "content": "Hi", "tool_calls": [{"index": 0, **CALL}]}
    chunk = CHAT.answer | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    body = streamed(CHAT, surface, chunk)
    found = TypeAdapter(openai.types.chat.ChatCompletionChunk).validate_json(body)
    assert found.choices[0].delta.content == "Hi"


@surfaces
def test_openai_takes_our_plain_completions(surface: Surface) -> None:
    body = scrubbed(COMPLETIONS, surface, COMPLETIONS.answer)
    assert TypeAdapter(openai.types.Completion).validate_json(body).choices[0].text == "Hi"


@surfaces
def test_anthropic_takes_our_messages(surface: Surface) -> None:
    blocks = [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
    ]
    answer = MESSAGES.answer | {"content": [*blocks, *MESSAGES.answer["content"]]}
    found = TypeAdapter(anthropic.types.Message).validate_json(scrubbed(MESSAGES, surface, answer))
    assert [block.type for block in found.content][-1] == "text"
    assert len(found.content) == (3 if surface is OPEN else 1)


EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": MESSAGES.answer | {"content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
     "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]  # fmt: skip


@surfaces
def test_anthropic_takes_our_events(surface: Surface) -> None:
    incoming = MESSAGES.dialect.read(json.dumps(MESSAGES.least | {"stream": True}).encode())
    scrubber = MESSAGES.dialect.stream(incoming, surface)
    adapter = TypeAdapter(anthropic.types.RawMessageStreamEvent)
    for event in EVENTS:
        data = scrubber.event(None, json.dumps(event).encode()).partition(b"data: ")[2]
        assert adapter.validate_json(data).type == event["type"]


def test_both_take_our_models() -> None:
    models = (Model(id="m", created=5),)
    body = one(models, "m", OPEN)
    assert body is not None
    assert TypeAdapter(openai.types.Model).validate_json(body).id == "m"
    page = json.loads(listed(models, OPEN, anthropic=True))
    (entry,) = page["data"]
    assert TypeAdapter(anthropic.types.ModelInfo).validate_python(entry).display_name == "m"


#: Fields of the official clients that we refuse unless a level lets unknown fields through.
REFUSED = {
    "chat": {"audio", "moderation"},
    "plain": set(),
    "responses": {
        "access_programs",
        "background_options",
        "context_management",
        "image",
        "moderation",
    },
    "counting": {"user_profile_id", "workspace_id"},
    "embeddings": set(),
    "messages": {"diagnostics", "inference_geo", "user_profile_id", "workspace_id"},
}


def test_the_official_clients_send_no_field_that_we_forgot() -> None:
    chat = openai.types.chat.completion_create_params.CompletionCreateParamsStreaming
    plain = openai.types.completion_create_params.CompletionCreateParamsStreaming
    messages = anthropic.types.message_create_params.MessageCreateParamsStreaming
    counting = anthropic.types.message_count_tokens_params.MessageCountTokensParams
    responses = openai.types.responses.response_create_params.ResponseCreateParamsStreaming
    embeddings = openai.types.embedding_create_params.EmbeddingCreateParams
    for kind, params, sample in (
        ("counting", counting, COUNTING),
        ("responses", responses, RESPONSES),
        ("embeddings", embeddings, EMBEDDINGS),
        ("chat", chat, CHAT),
        ("plain", plain, COMPLETIONS),
        ("messages", messages, MESSAGES),
    ):
        fields = dict.fromkeys(params.__annotations__) | sample.least
        known = {
            name
            for name in fields
            if not sample.dialect.read(
                json.dumps(sample.least | {name: sample.least.get(name)}).encode()
            ).asked.unknown_fields
        }
        assert set(fields) - known == REFUSED[kind]
