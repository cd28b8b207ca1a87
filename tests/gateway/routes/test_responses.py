"""OpenAI's Responses through a running gateway, whole and streamed."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.gateway.conftest import Response
from tests.gateway.routes.conftest import Site
from tests.gateway.routes.responder import ENCRYPTED, LEAK, SUMMARY, THOUGHT

Until = Callable[[Callable[[], object]], None]
PATH = "/v1/responses"
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": True}
LOGPROBS = "message.output_text.logprobs"
SEALED = "reasoning.encrypted_content"
streaming = pytest.mark.parametrize("stream", [False, True])


def respond(site: Site, key: str, given: Any = "hello there", **fields: Any) -> Response:
    return site.client.send("POST", PATH, {"model": "m", "input": given, **fields}, key=key)


def events(response: Response) -> list[dict[str, Any]]:
    """The events, each under its own name."""
    found = []
    for block in response.body.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def answer(response: Response) -> dict[str, Any]:
    """The whole answer; of a stream, as its last event has it."""
    assert response.status == 200
    if response.body[:1] == b"{":
        return dict(response.json())
    return dict(events(response)[-1]["response"])


@pytest.fixture(scope="module")
def openly(site: Site) -> str:
    return site.key("open")


@streaming
def test_the_text_comes_out_and_nothing_above_the_level(
    site: Site, plain: str, stream: bool
) -> None:
    response = respond(site, plain, stream=stream, metadata={"mine": "1"})
    found = answer(response)
    assert LEAK not in response.body.decode()
    assert THOUGHT not in response.body.decode()
    assert SUMMARY not in response.body.decode()
    (message,) = found["output"]
    assert message["content"] == [
        {"type": "output_text", "text": "you said hello there", "annotations": []}
    ]
    assert (found["status"], found["usage"]["output_tokens"]) == ("completed", 5)
    assert found["metadata"] == {"mine": "1"}


def test_nothing_is_stored_whatever_was_asked(site: Site, plain: str) -> None:
    for store in (None, True, False):
        respond(site, plain, store=store)
        assert site.sent()["store"] is False
        assert site.sent()["max_output_tokens"] == 64


def test_a_stream_numbers_what_is_left_of_it(site: Site, plain: str) -> None:
    found = events(respond(site, plain, stream=True))
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert {event["output_index"] for event in found if "output_index" in event} == {0}
    assert [event["type"].removeprefix("response.") for event in found] == [
        "created", "in_progress", "output_item.added", "content_part.added",
        *["output_text.delta"] * 4, "output_text.done", "content_part.done", "output_item.done",
        "completed",
    ]  # fmt: skip
    text = [event["delta"] for event in found if event["type"].endswith("text.delta")]
    assert text == ["you ", "said ", "hello ", "there"]


@streaming
def test_a_level_that_shows_more_shows_each_thing_where_it_belongs(
    site: Site, openly: str, stream: bool
) -> None:
    response = respond(site, openly, stream=stream, tools=[TOOL], include=[SEALED])
    assert LEAK not in response.body.decode()
    thought, message, call = answer(response)["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": SUMMARY}]
    assert thought["content"] == [{"type": "reasoning_text", "text": THOUGHT}]
    assert message["content"][0]["text"] == "you said hello there"
    assert (call["name"], call["arguments"]) == ("weather", '{"city": "Oslo"}')
    if stream:
        at = {each["output_index"]: each["item"]["type"] for each in events(response)
              if each["type"] == "response.output_item.done"}  # fmt: skip
        assert at == {0: "reasoning", 1: "message", 2: "function_call"}


def test_between_the_two_only_the_summary_is_shown(site: Site) -> None:
    key = site.key("summed")
    for stream in (False, True):
        response = respond(site, key, stream=stream, reasoning={"summary": "auto"})
        assert answer(response)["output"][0]["summary"][0]["text"] == SUMMARY
        assert THOUGHT not in response.body.decode()


@streaming
def test_log_probabilities_come_only_with_all_that_was_generated(
    site: Site, openly: str, stream: bool
) -> None:
    fields = {"include": [LOGPROBS], "top_logprobs": 1, "stream": stream}
    shown = respond(site, openly, model="plain", **fields)
    (position,) = answer(shown)["output"][0]["content"][0]["logprobs"]
    assert (position["token"], len(position["top_logprobs"])) == ("you", 2)  # the level shows 5
    assert site.sent()["top_logprobs"] == 1
    hidden = respond(site, openly, **fields)  # it searched the web, and nobody sees that
    assert b'"logprob"' not in hidden.body


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"previous_response_id": "resp_0"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"background": True}, "background"),
        ({"previous_input_messages": [{"role": "user"}]}, "previous_input_messages"),
        ({"input": [{"type": "item_reference", "id": "msg_0"}]}, "item_reference"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
         "file_id"),
        ({"tools": [{"type": "web_search"}]}, "web_search"),
        ({"tools": [{"type": "mcp", "server_label": "x", "server_url": "u"}]}, "mcp"),
        ({"tools": [{"type": "custom", "name": "x"}]}, "custom"),
        ({"input": [{"type": "additional_tools", "role": "developer", "tools": []}]},
         "additional_tools"),
        ({"include": ["file_search_call.results"]}, "include"),
        ({"include": [LOGPROBS], "text": {"format": {"type": "json_schema"}}}, "schema"),
        ({"include": [LOGPROBS], "input": [{"role": "user", "content": "a"},
                                           {"role": "assistant", "content": "Sure"}]}, "prefilled"),
        ({"include": [LOGPROBS], "logit_bias": {"5": 1}}, "logit_bias"),
        ({"top_logprobs": 6}, "logprobs"),
        ({"input": []}, "input"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"novel_field": 1}, "novel_field"),
    ],
)  # fmt: skip
def test_what_is_stored_hosted_or_leaks_is_refused_by_its_name(
    site: Site, openly: str, fields: dict[str, Any], named: str
) -> None:
    before = len(site.router.requests)
    response = respond(site, openly, **{"given": fields.pop("input", "hello"), **fields})
    assert response.status == 400
    assert named in response.json()["error"]["message"]
    assert len(site.router.requests) == before


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tools": [TOOL]}, "tools"), ({"include": [SEALED]}, "reasoning"),
        ({"reasoning": {"summary": "auto"}}, "reasoning"), ({"include": [LOGPROBS]}, "logprobs"),
        ({"seed": 1}, "seed"), ({"text": {"format": {"type": "json_object"}}}, "structure"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"given": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
         "prefill"),
    ],
)  # fmt: skip
def test_what_the_level_does_not_show_is_refused(
    site: Site, plain: str, fields: dict[str, Any], named: str
) -> None:
    response = respond(site, plain, **fields)
    assert (response.status, response.json()["error"]["code"]) == (400, "beyond_level")
    assert f"'{named}'" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("model", "status"),
    [("absent", 404), ("error-400", 400), ("error-429", 429), ("error-500", 502),
     ("garbage", 502), ("dies", 502)],
)  # fmt: skip
def test_faults_of_the_model_server_are_told_without_its_secrets(
    site: Site, plain: str, model: str, status: int
) -> None:
    response = respond(site, plain, model=model)
    assert response.status == status
    assert LEAK not in response.body.decode()


@pytest.mark.parametrize("model", ["dies", "endless", "errs", "broken"])
def test_a_stream_that_breaks_off_never_looks_whole(site: Site, plain: str, model: str) -> None:
    response = respond(site, plain, model=model, stream=True)
    last = events(response)[-1]
    assert (last["type"], last["code"]) == ("error", "upstream_failed")
    assert "broke off" in last["message"]
    assert b"response.completed" not in response.body
    assert LEAK not in response.body.decode()


@streaming
@pytest.mark.parametrize("model", ["failed", "incomplete"])
def test_an_answer_that_failed_or_was_cut_says_so(
    site: Site, plain: str, model: str, stream: bool, until: Until
) -> None:
    response = respond(site, plain, model=model, stream=stream)
    found = answer(response)
    assert found["status"] == model
    assert LEAK not in response.body.decode()
    if model == "failed":
        assert found["error"] == {"code": "server_error", "message": "the model server failed"}
    else:
        assert found["incomplete_details"] == {"reason": "max_output_tokens"}
    row = site.row(response, until)
    assert row["finish_reason"] == ("failed" if model == "failed" else "max_output_tokens")


@streaming
def test_every_exchange_is_recorded_without_its_text(
    site: Site, openly: str, stream: bool, until: Until
) -> None:
    given = [{"role": "user", "content": "zebras cross the road quickly in the morning light"}]
    fields = {"instructions": "be brief", "stream": stream, "tools": [TOOL]}
    row = site.row(respond(site, openly, given, **fields), until)
    same = site.client.send(
        "POST", "/v1/messages",
        {"model": "m", "max_tokens": 9, "system": "be brief", "messages": given}, key=openly,
    )  # fmt: skip
    assert (row["endpoint"], row["status"], row["stream"], row["turns"], row["tools"]) == (
        "responses", 200, stream, 2, 1,
    )  # fmt: skip
    assert (row["prompt_tokens"], row["cached_tokens"]) == (7, 3)
    assert (row["completion_tokens"], row["reasoning_tokens"]) == (5, 2)
    assert row["finish_reason"] == "completed"
    assert len(row["output_shingles"]) > 0
    assert row["mark"] == "radioactive"
    other = site.row(same, until)
    assert (row["content"], row["system"], row["prefixes"]) == (
        other["content"], other["system"], other["prefixes"],
    )  # fmt: skip
    assert "zebra" not in str(row)


@streaming
def test_what_was_not_used_is_given_back(site: Site, stream: bool) -> None:
    key = site.key("frugal streaming" if stream else "frugal")
    # 12 tokens each as the model server counts, of 200; 64 and more are reserved for each
    statuses = [respond(site, key, stream=stream).status for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2


@streaming
def test_a_slot_is_free_again_after_every_end(site: Site, stream: bool, until: Until) -> None:
    key = site.key("slot streaming" if stream else "slot")
    for model in ("absent", "garbage", "dies", "errs", "failed"):
        until(lambda: respond(site, key).status == 200)
        respond(site, key, model=model, stream=stream)
    until(lambda: respond(site, key).status == 200)


@streaming
def test_encrypted_reasoning_is_bound_and_comes_back_as_it_was(
    site: Site, openly: str, stream: bool, until: Until
) -> None:
    first = answer(respond(site, openly, include=[SEALED], stream=stream))
    thought = first["output"][0]
    assert thought["encrypted_content"].startswith("swbound1")
    assert ENCRYPTED not in json.dumps(first)
    turns = [{"role": "user", "content": "hello there"}, *first["output"],
             {"role": "user", "content": "go on"}]  # fmt: skip
    second = respond(site, openly, turns)
    assert site.sent()["input"][1]["encrypted_content"] == ENCRYPTED
    assert site.row(second, until)["replay"] == "same"
    elsewhere = site.key("elsewhere streaming" if stream else "elsewhere")
    assert site.row(respond(site, elsewhere, turns), until)["replay"] == "other_account"


def test_what_is_of_no_known_type_is_counted(site: Site, plain: str) -> None:
    name = 'stillwatch_unknown_parts_total{route="responses"}'
    before = site.client.metric(name)
    respond(site, plain)
    assert site.client.metric(name) == before + 1  # the search
    respond(site, plain, stream=True)  # the search, an event of it, and an event that is new
    assert site.client.metric(name) == before + 4


def test_the_first_event_arrives_before_the_last_is_sent(site: Site, plain: str) -> None:
    began = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(site.client.base).netloc, timeout=60)
    body = {"model": "slow", "stream": True, "input": "hello"}
    headers = {"authorization": f"Bearer {plain}"}
    connection.request("POST", PATH, json.dumps(body), headers)
    response = connection.getresponse()
    response.readline()
    waited = time.monotonic() - began
    response.read()
    assert waited < (time.monotonic() - began) / 2
    connection.close()
