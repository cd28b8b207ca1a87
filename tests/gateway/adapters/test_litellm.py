"""Stillwatch inside LiteLLM: the real proxy before the engine, configured as the page says."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.gateway.adapters.proxy import MASTER_KEY, JSONClient, Proxy, proxy, settings, statuses
from tests.gateway.conftest import Client
from tests.gateway.engine import LEAK, Engine

pytestmark = pytest.mark.service

Until = Callable[[Callable[[], object]], None]
CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "hello there"}]


@pytest.fixture(scope="module")
def running(
    engine: tuple[Engine, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Client, Proxy]]:
    folder = tmp_path_factory.mktemp("litellm")
    with proxy(folder, *settings(engine[1])) as process:
        yield JSONClient(process.wait().base, folder / "state", engine[0]), process


@pytest.fixture(scope="module")
def inside(running: tuple[Client, Proxy]) -> Client:
    return running[0]


@pytest.fixture(scope="module")
def key(inside: Client) -> str:
    return inside.key()


def asked(inside: Client) -> dict[str, Any]:
    """The body that the engine got last."""
    return inside.engine.requests[-1][2]


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_passes_within_the_surface(inside: Client, key: str, stream: bool) -> None:
    response = inside.chat(key, stream=stream)
    assert response.status == 200
    assert "there" in response.body.decode()
    assert LEAK not in response.body.decode() + str(response.headers)
    assert response.headers["x-stillwatch-changed"] == "max_tokens"
    assert urlsplit(inside.base).hostname not in response.headers["x-litellm-model-api-base"]


def test_the_model_server_is_asked_for_what_was_granted_and_nothing_else(
    inside: Client, key: str
) -> None:
    inside.chat(key, max_tokens=1000, watermark={"key": 1}, temperature=0.5)
    assert asked(inside) == {
        "model": "m", "messages": MESSAGES, "max_tokens": 64, "temperature": 0.5,
    }  # fmt: skip


def test_what_a_rule_takes_away_does_not_come_back(inside: Client) -> None:
    secret = inside.key(level="open")
    response = inside.chat(secret, model="bare", seed=5, n=2)
    assert response.status == 200
    assert "seed" in response.headers["x-stillwatch-changed"]
    assert asked(inside) == {"model": "bare", "messages": MESSAGES, "max_tokens": 64, "n": 2}


def test_the_mark_of_a_level_is_named_to_the_model_server(inside: Client) -> None:
    inside.chat(inside.key(level="open"))
    headers = inside.engine.requests[-1][1]
    assert headers["x-stillwatch-mark"] == "red;normal"
    assert re.fullmatch("[0-9a-f]{16}", headers["x-stillwatch-cluster"])


def test_a_key_of_a_client_stays_at_the_door(inside: Client, key: str) -> None:
    inside.chat(key)
    assert key not in str(inside.engine.requests[-1])


def test_an_exchange_has_the_request_id_that_the_client_and_the_model_server_see(
    inside: Client, key: str, until: Until
) -> None:
    named = inside.chat(key).headers["x-request-id"]
    assert inside.engine.requests[-1][1]["x-request-id"] == named
    until(lambda: any(row["status"] == 200 for row in inside.rows()))


@pytest.mark.parametrize("secret", [None, "sw-unknown", MASTER_KEY])
def test_nobody_is_let_in_without_a_key_of_ours(inside: Client, secret: str | None) -> None:
    response = inside.chat(secret)
    assert response.status == 401
    assert response.json()["error"]["code"] == ("no_key" if secret is None else "unknown_key")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/completions", "/completions", "/v1/messages", "/v1/responses", "/responses",
        "/v1/embeddings", "/v1/moderations", "/v1/images/generations", "/v1/audio/speech",
        "/v1/rerank", "/v1/batches", "/v1/messages/count_tokens", "/engines/m/chat/completions",
        "/openai/deployments/m/chat/completions", "/anthropic/v1/messages", "/openai/v1/responses",
        "/openai_passthrough/v1/chat/completions", "/vllm/v1/chat/completions", "/closed",
        "/gemini/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent",
        "/key/generate", "/model/new", "/config/update", "/guardrails/apply_guardrail",
        "/utils/transform_request", "/queue/chat/completions", "/cursor/chat/completions",
    ],
)  # fmt: skip
def test_a_route_that_cannot_be_judged_is_refused(inside: Client, key: str, path: str) -> None:
    before = len(inside.engine.requests)
    body = {"model": "m", "messages": MESSAGES, "prompt": "x", "input": "x", "max_tokens": 5}
    for secret in (key, MASTER_KEY):
        assert inside.send("POST", path, body, key=secret).status in (401, 403, 404, 405, 406)
    assert len(inside.engine.requests) == before


def test_a_pass_through_that_wants_no_key_is_refused_like_any_other(inside: Client) -> None:
    before = len(inside.engine.requests)
    assert inside.send("POST", "/open", {"model": "m", "messages": MESSAGES}).status == 404
    assert len(inside.engine.requests) == before


@pytest.mark.parametrize("level", ["default", "open"])
@pytest.mark.parametrize(
    "field",
    [
        {"guardrails": []}, {"disable_global_guardrails": True}, {"fallbacks": ["dog"]},
        {"mock_response": "hi"}, {"litellm_metadata": {"user_api_key_user_id": "mallory"}},
        {"num_retries": 9}, {"tags": ["x"]}, {"extra_body": {"n": 9}}, {"model_info": {"id": "x"}},
        {"extra_headers": {"x-stillwatch-mark": "none"}}, {"include_fallback_errors": True},
        {"include_guardrail_response": True}, {"caching": True}, {"timeout": 1},
    ],
    ids=lambda field: next(iter(field)),
)  # fmt: skip
def test_a_field_that_steers_litellm_is_refused_on_every_level(
    inside: Client, field: dict[str, Any], level: str
) -> None:
    response = inside.chat(inside.key(level=level), **field)
    assert response.status == 400
    assert response.json()["error"]["code"] == "beyond_level"


@pytest.mark.parametrize("field", ["api_base", "base_url", "api_key", "user_config"])
def test_no_request_reaches_a_server_of_the_clients_choosing(
    inside: Client, key: str, field: str
) -> None:
    before = len(inside.engine.requests)
    assert inside.chat(key, **{field: "http://127.0.0.1:9"}).status >= 400
    assert len(inside.engine.requests) == before


def test_metadata_and_user_change_nobodys_identity(inside: Client, until: Until) -> None:
    secret = inside.key(account="meg", tier="few")
    claims = {
        "guardrails": "[]", "tags": "free", "user_api_key_user_id": "mallory",
        "user_api_key": "sw-other", "disable_global_guardrails": "true",
    }  # fmt: skip
    for _ in range(2):
        assert inside.chat(secret, model="claims", metadata=claims, user="mallory").status == 200
    assert "mallory" not in str(inside.engine.requests[-1])
    assert inside.chat(secret, model="claims", metadata=claims, user="x").status == 429
    until(lambda: statuses(inside, "claims") == [200, 200, 429])
    meg, other = _accounts(inside, "claims"), _accounts(inside, "m")
    assert len(meg) == 1
    assert not meg & other


def test_headers_that_steer_litellm_are_taken_out(inside: Client, key: str) -> None:
    response = inside.send(
        "POST", CHAT, {"model": "m", "messages": MESSAGES}, key=key,
        **{"x-litellm-timeout": "0.000001", "x-litellm-model": "dog", "x-litellm-tags": "x",
           "x-litellm-api-key": MASTER_KEY, "api-key": MASTER_KEY, "x-stillwatch-mark": "none"},
    )  # fmt: skip
    assert response.status == 200
    sent = inside.engine.requests[-1]
    assert sent[2]["model"] == "m"
    assert "x-stillwatch-mark" not in sent[1]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "a/b"])
def test_a_body_that_litellm_could_read_otherwise_is_refused(
    inside: Client, key: str, kind: str
) -> None:
    body = {"model": "m", "messages": MESSAGES}
    assert inside.send("POST", CHAT, body, key=key, **{"content-type": kind}).status == 415


@pytest.mark.parametrize(
    ("path", "model"), [(CHAT + "?model=dog", "m"), (CHAT, "m,m"), (CHAT, "dog,m")]
)
def test_a_request_names_one_model_in_one_place(
    inside: Client, key: str, path: str, model: str
) -> None:
    before = len(inside.engine.requests)
    assert inside.send("POST", path, {"model": model, "messages": MESSAGES}, key=key).status == 400
    assert len(inside.engine.requests) == before


def test_a_rule_refuses_with_its_status_and_reason(inside: Client, key: str) -> None:
    response = inside.chat(key, model="dog")
    assert response.status == 451
    assert "no dogs" in response.json()["error"]["message"]


def test_a_model_beyond_the_level_does_not_exist_and_is_not_listed(inside: Client) -> None:
    secret = inside.key(level="small")
    assert inside.chat(secret, model="m").status == 404
    assert inside.chat(secret, model="small-1").status == 200
    listed = inside.send("GET", "/v1/models", key=secret).json()["data"]
    assert [model["id"] for model in listed] == []
    assert inside.send("GET", "/v1/models/home", key=secret).status == 404


def test_a_rule_about_backends_binds_litellm(inside: Client, key: str) -> None:
    assert inside.chat(key, model="home").status == 503


def test_a_limit_is_told_with_the_time_to_wait(inside: Client) -> None:
    secret = inside.key(account="fred", tier="few")
    assert [inside.chat(secret).status for _ in range(3)] == [200, 200, 429]
    refused = inside.chat(secret)
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("model", "stream", "status"),
    [
        ("m", False, 200), ("m", True, 200), ("error-400", False, 400), ("error-401", False, 502),
        ("error-429", True, 429), ("error-500", True, 502), ("garbage", False, 502),
        ("dies", False, 502), ("dies", True, None), ("dog", False, 451),
    ],
)  # fmt: skip
def test_a_slot_is_free_again_after_every_exit(
    inside: Client, model: str, stream: bool, status: int | None
) -> None:
    secret = inside.key(account=f"one-{model}-{stream}", tier="one")
    response = inside.chat(secret, model=model, stream=stream)
    assert status is None or response.status == status
    assert LEAK not in response.body.decode() + str(response.headers)
    assert "litellm" not in response.body.decode().lower()
    assert inside.chat(secret).status == 200


@pytest.mark.parametrize("model", ["error-500", "error-429", "dies"])
def test_a_request_that_fails_is_not_sent_again(inside: Client, key: str, model: str) -> None:
    before = len(inside.engine.requests)
    assert inside.chat(key, model=model).status in (429, 502)
    assert len(inside.engine.requests) == before + 1


@pytest.mark.parametrize(("model", "stream"), [("stalls", True), ("slow", False)])
def test_a_client_that_leaves_is_told_to_the_model_server_and_recorded(
    inside: Client, until: Until, model: str, stream: bool
) -> None:
    secret = inside.key(account=f"leaves-{model}", tier="one")
    before, recorded = inside.engine.broken_off, statuses(inside, model).count(499)
    connection = http.client.HTTPConnection(urlsplit(inside.base).netloc, timeout=60)
    body = json.dumps({"model": model, "stream": stream, "messages": MESSAGES})
    seen = len(inside.engine.requests)
    connection.request("POST", CHAT, body, _headers(secret))
    until(lambda: len(inside.engine.requests) > seen)
    if stream:
        connection.getresponse().readline()
    connection.close()
    until(lambda: inside.engine.broken_off > before)
    until(lambda: statuses(inside, model).count(499) > recorded)


def test_a_stream_that_dies_never_ends_as_if_it_were_whole(inside: Client, key: str) -> None:
    body = inside.chat(key, " ".join(["w"] * 50), model="dies", stream=True).body
    assert b"[DONE]" not in body
    assert b"broke off" in body


def test_events_come_as_they_are_made(inside: Client, key: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(inside.base).netloc, timeout=60)
    said = [{"role": "user", "content": " ".join(["w"] * 40)}]
    body = json.dumps({"model": "slow", "stream": True, "messages": said})
    finished = inside.engine.finished
    connection.request("POST", CHAT, body, _headers(key))
    connection.getresponse().readline()
    assert inside.engine.finished == finished
    connection.close()


def test_a_model_server_that_does_not_count_is_charged_by_our_estimate(inside: Client) -> None:
    secret = inside.key(account="uncounted", tier="tight")
    text = "several words of a prompt " * 8
    answers = [inside.chat(secret, text, model="uncounted", max_tokens=5) for _ in range(12)]
    assert answers[0].status == 200
    assert answers[-1].status == 429


def test_official_clients_read_answers_refusals_and_streams(inside: Client, key: str) -> None:
    import openai

    with openai.OpenAI(base_url=inside.base + "/v1", api_key=key, max_retries=0) as client:
        answer = client.chat.completions.create(model="m", messages=MESSAGES)  # type: ignore
        assert answer.choices[0].message.content == "you said hello there"
        stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)  # type: ignore
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == (
            "you said hello there "
        )
        with pytest.raises(openai.BadRequestError, match="logprobs"):
            client.chat.completions.create(model="m", messages=MESSAGES, logprobs=True)  # type: ignore


def _headers(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}", "content-type": "application/json"}


def _accounts(inside: Client, model: str) -> set[object]:
    return {row["account"] for row in inside.rows() if row["model"] == model}
