"""Anthropic's count_tokens through a running gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.conftest import Response
from tests.gateway.routes.conftest import Site
from tests.gateway.routes.engine import LEAK

Until = Callable[[Callable[[], object]], None]
PATH = "/v1/messages/count_tokens"
USER = {"role": "user", "content": "how many words are these"}


def count(site: Site, key: str, **fields: Any) -> Response:
    return site.client.send("POST", PATH, {"model": "m", "messages": [USER], **fields}, key=key)


def test_the_model_server_counts_and_nothing_else_comes_out(site: Site, plain: str) -> None:
    response = count(site, plain, system="be brief")
    assert (response.status, response.json()) == (200, {"input_tokens": 5})
    assert LEAK not in response.body.decode()
    assert site.router.requests[-1][0] == PATH
    assert site.sent() == {"model": "m", "messages": [USER], "system": "be brief"}


def test_the_official_client_counts_unmodified(site: Site, plain: str) -> None:
    anthropic = pytest.importorskip("anthropic")
    with anthropic.Anthropic(base_url=site.client.base, api_key=plain, max_retries=0) as client:
        found = client.messages.count_tokens(model="m", messages=[USER])
    assert found.input_tokens == 5


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tools": [{"name": "f", "input_schema": {}}]}, "tools"),
        ({"messages": [USER, {"role": "assistant", "content": "Sure, "}]}, "prefill"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "reasoning"),
        ({"novel_field": 1}, "novel_field"),
        ({"stream": True}, "stream"),
    ],
)
def test_it_is_judged_as_the_message_would_be(
    site: Site, plain: str, fields: dict[str, Any], named: str
) -> None:
    before = len(site.router.requests)
    response = count(site, plain, **fields)
    assert response.status == 400
    assert f"'{named}'" in response.json()["error"]["message"]
    assert len(site.router.requests) == before


def test_models_and_rules_hold_for_it(site: Site, plain: str) -> None:
    assert count(site, site.key("small")).status == 404
    refused = count(site, plain, model="dog")
    assert (refused.status, refused.json()["error"]["type"]) == (403, "permission_error")


def test_it_costs_a_request_and_no_tokens(site: Site) -> None:
    poor = site.key("poor")
    long = {"role": "user", "content": "word " * 200}  # far more than the budget of 40 tokens
    assert [count(site, poor, messages=[long]).status for _ in range(3)] == [200] * 3
    rare = site.key("rare")
    assert [count(site, rare).status for _ in range(3)] == [200, 200, 429]


def test_it_is_an_exchange_without_an_answer(site: Site, until: Until) -> None:
    key = site.key("counting")
    response = count(site, key)
    row = site.row(response, until)
    assert (row["endpoint"], row["status"], row["n"]) == ("messages.count_tokens", 200, 0)
    assert row["output_shingles"] is None
    assert (row["prompt_tokens"], row["completion_tokens"], row["mark"]) == (None, None, None)
    assert "x-stillwatch-mark" not in site.router.requests[-1][1]
    assert site.row(count(site, key, logprobs=5), until)["status"] == 400


@pytest.mark.parametrize(
    ("model", "status", "kind"),
    [
        ("absent", 404, "not_found_error"),
        ("error-405", 404, "not_found_error"),
        ("error-400", 400, "invalid_request_error"),
        ("error-429", 429, "rate_limit_error"),
        ("error-401", 502, "api_error"),
        ("error-500", 502, "api_error"),
        ("garbage", 502, "api_error"),
        ("dies", 502, "api_error"),
    ],
)
def test_faults_of_the_model_server_are_told_in_the_words_of_the_api(
    site: Site, plain: str, model: str, status: int, kind: str
) -> None:
    response = count(site, plain, model=model)
    assert (response.status, response.json()["error"]["type"]) == (status, kind)
    assert LEAK not in response.body.decode()
    if status == 404:
        assert "the model server has no such route or model" in response.json()["error"]["message"]


def test_a_slot_is_free_again_after_every_end(site: Site, until: Until) -> None:
    key = site.key("single")
    for model in ("m", "absent", "garbage", "dies"):
        until(lambda: count(site, key).status == 200)
        count(site, key, model=model)
    until(lambda: count(site, key).status == 200)
