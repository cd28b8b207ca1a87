"""The official clients, unmodified, against the running gateway: answers, streams and errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway.faults.conftest import SETTINGS, Running, serving
from tests.gateway.faults.wild_engine import WildEngine, served

TURNS: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def engine() -> Iterator[WildEngine]:  # type: ignore[override]
    with served() as engine:
        yield engine


@pytest.fixture(scope="module")
def gateway(engine: WildEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("clients")
    with serving(folder, SETTINGS.replace("URL", engine.url)) as running:
        yield running
        assert running.failures() == []


def openai_of(gateway: Running, key: str, **options: Any) -> openai.OpenAI:
    options = {"max_retries": 0, "timeout": 30, **options}
    return openai.OpenAI(base_url=f"{gateway.base}/v1", api_key=key, **options)


def anthropic_of(gateway: Running, key: str, **options: Any) -> anthropic.Anthropic:
    options = {"max_retries": 0, "timeout": 30, **options}
    return anthropic.Anthropic(base_url=gateway.base, api_key=key, **options)


@pytest.fixture(scope="module")
def key(gateway: Running) -> str:
    return gateway.account()[1]


@pytest.fixture(scope="module")
def client(gateway: Running, key: str) -> Iterator[openai.OpenAI]:
    with openai_of(gateway, key) as client:
        yield client


@pytest.fixture(scope="module")
def claude(gateway: Running, key: str) -> Iterator[anthropic.Anthropic]:
    with anthropic_of(gateway, key) as client:
        yield client


def test_openai_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="m", messages=TURNS)
    assert answer.choices[0].message.content == "you said hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 5)


def test_openai_says_which_request_it_was(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="m", messages=TURNS, max_tokens=99)
    assert len(raw.request_id or "") == 32
    assert raw.headers["x-stillwatch-changed"] == "max_tokens"


@pytest.mark.parametrize("usage", [True, False])
def test_openai_stream(client: openai.OpenAI, usage: bool) -> None:
    options: Any = {"include_usage": usage}
    stream = client.chat.completions.create(
        model="m", messages=TURNS, stream=True, stream_options=options
    )
    chunks = list(stream)
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == "you said hello"
    counted = [chunk.usage.total_tokens for chunk in chunks if chunk.usage]
    assert counted == ([12] if usage else [])


def test_openai_stream_helper(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="m", messages=TURNS) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "you said hello"


def test_openai_completions(gateway: Running) -> None:
    """A raw prompt may hold a conversation with an answer begun, so the level must allow that."""
    with openai_of(gateway, gateway.account(level="open")[1]) as client:
        answer = client.completions.create(model="m", prompt="once")
        assert answer.choices[0].text == "once, and so on"
        stream = client.completions.create(model="m", prompt="once", stream=True)
        assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices) == "and so on"


def test_openai_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["m", "other/m"]
    assert client.models.retrieve("m").id == "m"
    assert client.models.retrieve("other/m").id == "other/m"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none")


async def _openai_async(gateway: Running, key: str) -> str:
    async with openai.AsyncOpenAI(
        base_url=f"{gateway.base}/v1", api_key=key, max_retries=0
    ) as client:
        stream = await client.chat.completions.create(model="m", messages=TURNS, stream=True)
        return "".join(
            [part.choices[0].delta.content or "" async for part in stream if part.choices]
        )


def test_openai_async(gateway: Running, key: str) -> None:
    import asyncio

    assert asyncio.run(_openai_async(gateway, key)) == "you said hello"


def test_anthropic_messages(claude: anthropic.Anthropic) -> None:
    answer = claude.messages.create(model="m", messages=TURNS, max_tokens=9)
    assert [block.text for block in answer.content if block.type == "text"] == ["you said hello"]
    assert (answer.stop_reason, answer.usage.input_tokens) == ("end_turn", 7)
    assert answer.usage.output_tokens == 5


def test_anthropic_stream(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model="m", messages=TURNS, max_tokens=9) as stream:
        assert "".join(stream.text_stream) == "you said hello"
        final = stream.get_final_message()
    assert (final.stop_reason, final.usage.input_tokens) == ("end_turn", 7)
    assert final.usage.output_tokens == 5


def test_anthropic_events(claude: anthropic.Anthropic) -> None:
    stream = claude.messages.create(model="m", messages=TURNS, max_tokens=9, stream=True)
    kinds = [event.type for event in stream]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"


def test_anthropic_models(claude: anthropic.Anthropic) -> None:
    assert [model.id for model in claude.models.list()] == ["m", "other/m"]
    assert claude.models.retrieve("m").display_name == "m"


#: What goes wrong → the class of both clients. Fields go into the request.
ERRORS: list[tuple[str, dict[str, Any], str]] = [
    ("beyond the level", {"tools": [{"name": "f", "input_schema": {"type": "object"},
                                     "type": "function", "function": {"name": "f"}}]},
     "BadRequestError"),
    ("mistyped", {"messages": [{"role": "emperor", "content": 5}]}, "BadRequestError"),
    ("unknown field", {"extra_body": {"novel": 1}}, "BadRequestError"),
    ("a rule", {"model": "café"}, "PermissionDeniedError"),
    ("the engine refuses", {"model": "error-400"}, "BadRequestError"),
    ("the engine has no such model", {"model": "error-404"}, "NotFoundError"),
    ("the engine is busy", {"model": "error-429"}, "RateLimitError"),
    ("the engine fails", {"model": "error-500"}, "InternalServerError"),
    ("the engine is silent", {"model": "no-answer"}, "InternalServerError"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "fields", "name"), ERRORS, ids=[what for what, *_ in ERRORS])
def test_errors_have_the_classes_that_both_clients_know(
    client: openai.OpenAI, claude: anthropic.Anthropic, what: str, fields: Any, name: str
) -> None:
    asked: Any = {"model": "m", "messages": TURNS, "max_tokens": 9, **fields}
    with pytest.raises(getattr(openai, name)) as ours:
        client.chat.completions.create(**asked)
    assert isinstance(ours.value, openai.APIStatusError)
    assert ours.value.code
    assert len(ours.value.request_id or "") == 32
    with pytest.raises(getattr(anthropic, name)) as theirs:
        claude.messages.create(**asked)
    body: Any = theirs.value.body
    assert body["type"] == "error"
    assert body["error"]["message"]


def test_without_a_key_that_is_known_both_say_so(gateway: Running) -> None:
    with openai_of(gateway, "sw-nobody") as client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="m", messages=TURNS)
    with openai_of(gateway, "sw-nobody") as client, pytest.raises(openai.AuthenticationError):
        client.models.list()
    with anthropic_of(gateway, "no") as client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(model="m", messages=TURNS, max_tokens=9)
    with anthropic_of(gateway, "no") as client, pytest.raises(anthropic.AuthenticationError):
        client.models.list()


def test_routes_that_are_not_served_are_not_found(
    client: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    with pytest.raises(openai.NotFoundError):
        client.images.generate(model="m", prompt="a still")
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.batches.list()


def test_a_limit_tells_both_when_to_come_back(gateway: Running) -> None:
    _, key = gateway.account(tier="few")
    with openai_of(gateway, key) as client:
        client.chat.completions.create(model="m", messages=TURNS)
        with pytest.raises(openai.RateLimitError) as limited:
            client.chat.completions.create(model="m", messages=TURNS)
    assert limited.value.code == "rate_limit_exceeded"
    assert int(limited.value.response.headers["retry-after"]) > 60
    with anthropic_of(gateway, key) as claude, pytest.raises(anthropic.RateLimitError) as again:
        claude.messages.create(model="m", messages=TURNS, max_tokens=9)
    assert int(again.value.response.headers["retry-after"]) > 60


def test_a_client_that_tries_again_waits_as_long_as_it_is_told(gateway: Running) -> None:
    """One request a second: the next waits its turn, and then is served."""
    _, key = gateway.account(tier="slow")
    with openai_of(gateway, key, max_retries=2) as client:
        client.chat.completions.create(model="m", messages=TURNS)
        began = time.monotonic()
        client.chat.completions.create(model="m", messages=TURNS)
    assert 0.5 < time.monotonic() - began < 5


@pytest.mark.parametrize("model", ["dies", "no-end", "error-event"])
def test_a_stream_that_breaks_off_is_an_error_to_openai(client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(model=model, messages=TURNS, stream=True)
    with pytest.raises(openai.APIError, match="broke off"):
        list(stream)


def test_a_stream_that_breaks_off_is_an_error_to_anthropic(claude: anthropic.Anthropic) -> None:
    with (
        pytest.raises(anthropic.APIError),
        claude.messages.stream(model="messages-die", messages=TURNS, max_tokens=9) as stream,
    ):
        stream.get_final_message()
