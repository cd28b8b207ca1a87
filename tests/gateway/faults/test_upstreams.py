"""A model server that misbehaves: what its caller sees, what is recorded, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.gateway.faults.conftest import Asker, Running
from tests.gateway.faults.wild_engine import LEAK, WILD, WildEngine

#: They go on until somebody leaves; see ``test_slow_clients.py``.
ENDLESS = {"endless", "stalls", "hangs"}


@pytest.fixture(scope="module")
def asker(gateway: Running) -> Iterator[Asker]:
    """All that it asks must be recorded in the end."""
    asker = Asker(gateway)
    yield asker
    asker.rows()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", sorted(set(WILD) - ENDLESS))
def test_nothing_of_it_is_a_fault_of_ours_or_shows_what_was_not_asked_for(
    asker: Asker, model: str, stream: bool
) -> None:
    response = asker.chat(model, stream=stream)
    assert response.status in (200, 400, 404, 429, 502)
    assert LEAK.encode() not in response.body
    assert LEAK not in str(response.headers)
    assert (b"broke off" in response.body) == (response.status != asker.statuses[-1])


@pytest.mark.parametrize(
    "model",
    ["no-answer", "not-http", "endless-head", "half-a-body", "not-json", "other-json", "no-choices",
     "empty", "no-content", "bad-gzip", "redirect", "error-401", "error-403", "error-500",
     "error-503", "error-long", "odd-usage"],
)  # fmt: skip
def test_what_is_no_answer_is_said_to_be_none(asker: Asker, model: str) -> None:
    response = asker.chat(model)
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_failed")


@pytest.mark.parametrize(
    "model",
    ["dies", "dies-in-chunk", "bad-chunk", "no-end", "oversized", "half-an-event", "not-utf-8",
     "error-event", "deep-event", "never-an-event"],
)  # fmt: skip
def test_a_stream_that_goes_wrong_ends_with_an_error_and_never_as_whole(
    asker: Asker, model: str
) -> None:
    response = asker.chat(model, stream=True)
    events = [json.loads(part[6:]) for part in response.body.decode().strip().split("\n\n")]
    assert events[-1]["error"]["code"] == "upstream_failed"
    assert all("choices" in event for event in events[:-1])
    assert asker.statuses[-1] == 502


def test_a_stream_whose_type_is_written_in_capitals_is_one(asker: Asker) -> None:
    assert b"two" in asker.chat("loud-type", stream=True).body


def test_an_answer_for_a_stream_is_no_stream(asker: Asker) -> None:
    assert asker.chat("json-for-stream", stream=True).status == 502


def test_a_redirect_is_not_followed(asker: Asker, engine: WildEngine) -> None:
    before = len(engine.asked)
    assert asker.chat("redirect").status == 502
    assert len(engine.asked) == before + 1


def test_its_errors_are_told_without_its_secrets(asker: Asker) -> None:
    response = asker.chat("error-400")
    assert (response.status, response.json()["error"]["code"]) == (400, "upstream_refused")
    assert response.json()["error"]["message"] == "the engine says no"
    assert asker.chat("error-404").status == 404


@pytest.mark.parametrize(("model", "wait"), [("error-429", "17"), ("error-429-odd", "3600")])
def test_when_it_is_busy_its_wait_is_passed_on_within_an_hour(
    asker: Asker, model: str, wait: str
) -> None:
    response = asker.chat(model)
    assert (response.status, response.headers["retry-after"]) == (429, wait)


@pytest.mark.parametrize("stream", [False, True])
def test_a_field_that_nobody_named_does_not_pass(asker: Asker, stream: bool) -> None:
    response = asker.chat("novel", stream=stream)
    assert response.status == 200
    assert b"known" in response.body
    assert b"novelty" not in response.body
    assert response.headers.keys().isdisjoint({"x-novelty"})


@pytest.mark.parametrize(
    ("model", "prompt", "completion"),
    [("huge-usage", 2**31 - 1, 2**31 - 1), ("negative-usage", 0, 0), ("null-usage", 0, 0),
     ("uncounted", None, None)],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_odd_counts_of_tokens_are_recorded_within_bounds(
    asker: Asker, model: str, prompt: int | None, completion: int | None, stream: bool
) -> None:
    assert asker.chat(model, stream=stream).status == 200
    row = asker.rows()[-1]
    assert (row["prompt_tokens"], row["completion_tokens"]) == (prompt, completion)


@pytest.mark.parametrize(
    ("model", "stream", "least", "most"),
    [
        ("costly", False, 500, 500),  # as it counted
        ("costly", True, 500, 500),
        ("error-500", False, 0, 0),
        ("error-429", False, 0, 0),
        ("no-answer", False, 30, 60),  # it may have done the work: the prompt
        ("dies", True, 30, 60),  # the prompt and what was seen
        ("uncounted", True, 60, 110),  # the prompt and 40 tokens
    ],
)
def test_what_it_used_is_charged_and_the_rest_given_back(
    gateway: Running, model: str, stream: bool, least: int, most: int
) -> None:
    asker = Asker(gateway, tier="budget")
    nothing = asker.spent()
    asker.chat(model, stream=stream)
    assert least - 10 <= asker.spent() - nothing <= most + 10
