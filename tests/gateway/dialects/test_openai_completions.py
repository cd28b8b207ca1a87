"""Plain completions: prompts of four kinds, and how many choices they make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillwatch.access import OPEN, Surface
from stillwatch.access.granting import reduced
from stillwatch.gateway.dialects.dialect import Incoming, UnreadableError
from stillwatch.gateway.dialects.openai_completions import OpenAICompletions

PLAIN = OpenAICompletions()


def read(prompt: Any = "Once", **fields: Any) -> Incoming:
    return PLAIN.read(json.dumps({"model": "m", "prompt": prompt, **fields}).encode())


@pytest.mark.parametrize(
    ("prompt", "choices", "text"),
    [
        ("a", 2, "a"),
        (["a", "b", "c"], 6, "a\nb\nc"),
        ([1, 2, 3], 2, ""),
        ([[1, 2], [3]], 4, ""),
        (None, 2, ""),
    ],
)
def test_every_prompt_has_choices_of_its_own(prompt: Any, choices: int, text: str) -> None:
    incoming = read(prompt, n=2)
    assert incoming.asked.n == choices
    assert incoming.prompt == text
    assert incoming.messages is None


def test_token_ids_are_counted_not_estimated() -> None:
    assert read([1] * 50).asked.prompt_tokens == 50
    assert read([[1, 2], [3]]).asked.prompt_tokens == 3


@pytest.mark.parametrize("prompt", [[], [[]], ["a", 1], [1, [2]], [-1], [2**40], 5, {"a": 1}])
def test_a_prompt_of_no_kind_is_unreadable(prompt: Any) -> None:
    with pytest.raises(UnreadableError):
        read(prompt)


def test_the_chosen_token_alone_is_one_log_probability() -> None:
    assert read(logprobs=0).asked.logprobs == 1
    assert read(logprobs=4).asked.logprobs == 4


def test_no_prompt_is_left_out_to_meet_a_bound() -> None:
    incoming = read(["a", "b"], n=3)
    assert incoming.asked.n == 6
    down, _ = reduced(incoming.asked, Surface(n=5))
    assert json.loads(PLAIN.write(incoming, down))["n"] == 2
    down, _ = reduced(incoming.asked, Surface(n=1))
    with pytest.raises(UnreadableError, match="prompt"):
        PLAIN.write(incoming, down)


def test_the_likeliest_alternatives_are_shown() -> None:
    logprobs = {
        "tokens": ["a"],
        "token_logprobs": [None],
        "text_offset": [0],
        "top_logprobs": [{"c": -3.0, "a": -1.0, "b": -2.0}],
    }
    answer = {"choices": [{"index": 0, "text": "a", "logprobs": logprobs}]}
    body = json.dumps(answer).encode()
    out = json.loads(PLAIN.scrub(body, read(), Surface(logprobs=2)).body)["choices"][0]
    assert out["logprobs"]["top_logprobs"] == [{"a": -1.0, "b": -2.0}]
    assert out["logprobs"]["token_logprobs"] == [None]
    assert json.loads(PLAIN.scrub(body, read(), OPEN).body)["choices"][0]["logprobs"] == logprobs
    hidden = json.loads(PLAIN.scrub(body, read(), Surface()).body)["choices"][0]
    assert hidden["logprobs"] is None


def test_ids_that_stand_in_for_tokens_are_hidden() -> None:
    logprobs = {"tokens": ["token_id:77"], "top_logprobs": [{"token_id:77": -1.0}]}
    body = json.dumps({"choices": [{"text": "a", "logprobs": logprobs}]}).encode()
    out = json.loads(PLAIN.scrub(body, read(), Surface(logprobs=2)).body)["choices"][0]
    assert out["logprobs"] == {"tokens": [""], "top_logprobs": [{"": -1.0}]}
    assert json.loads(PLAIN.scrub(body, read(), OPEN).body)["choices"][0]["logprobs"] == logprobs
