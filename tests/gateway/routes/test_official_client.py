"""The official client, unmodified, against a running gateway: Responses, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.routes.conftest import Site
from tests.gateway.routes.responder import LEAK, SUMMARY, THOUGHT

openai = pytest.importorskip("openai")
TypeAdapter = pytest.importorskip("pydantic").TypeAdapter
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": True}


@pytest.fixture
def client(site: Site, plain: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=site.client.base + "/v1", api_key=plain, max_retries=0) as client:
        yield client


@pytest.fixture
def opened(site: Site) -> Iterator[Any]:
    key = site.key("official")
    with openai.OpenAI(base_url=site.client.base + "/v1", api_key=key, max_retries=0) as client:
        yield client


def test_an_answer_is_parsed(client: Any) -> None:
    found = client.responses.create(model="m", input="hello there", instructions="be brief")
    assert found.output_text == "you said hello there"
    assert (found.status, found.usage.input_tokens) == ("completed", 7)
    assert (found.tools, found.tool_choice, found.parallel_tool_calls) == ([], "auto", True)
    TypeAdapter(openai.types.responses.Response).validate_json(found.to_json())


def test_each_event_is_of_its_own_type(client: Any, opened: Any) -> None:
    events = TypeAdapter(openai.types.responses.ResponseStreamEvent)
    for asks, number in ((client, 11), (opened, 24)):
        fields = {} if asks is client else {"tools": [TOOL]}
        found = list(asks.responses.create(model="m", input="hello", stream=True, **fields))
        assert len(found) == number
        for event in found:
            assert type(events.validate_json(event.to_json())) is type(event)
            assert LEAK not in event.to_json()
        assert found[-1].response.output_text == "you said hello"


def test_what_a_stream_adds_up_to_is_what_its_end_says(opened: Any) -> None:
    with opened.responses.stream(model="m", input="hello", tools=[TOOL]) as stream:
        text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        found = stream.get_final_response()
    assert text == found.output_text == "you said hello"
    thought, message, call = found.output
    assert (thought.summary[0].text, thought.content[0].text) == (SUMMARY, THOUGHT)
    assert (message.type, call.name, call.arguments) == (
        "message", "weather", '{"city": "Oslo"}',
    )  # fmt: skip


def test_an_answer_goes_back_as_it_came(site: Site, opened: Any) -> None:
    first = opened.responses.create(
        model="m", input="hello", tools=[TOOL], include=["reasoning.encrypted_content"]
    )
    given = [{"role": "user", "content": "hello"}, *first.output,
             {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}]  # fmt: skip
    second = opened.responses.create(model="m", input=given, tools=[TOOL])
    assert second.output_text == "you said sunny"
    assert [item.get("type") for item in site.sent()["input"]] == [
        None, "reasoning", "message", "function_call", "function_call_output",
    ]  # fmt: skip


def test_refusals_and_broken_streams_are_its_own_errors(client: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="m", input="hello", previous_response_id="resp_0")
    assert "nothing is stored here" in refused.value.message
    with pytest.raises(openai.APIError, match="broke off"):
        list(client.responses.create(model="dies", input="hello", stream=True))
