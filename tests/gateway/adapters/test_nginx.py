"""nginx asks the gateway with auth_request, by the configuration that docs/nginx.md shows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gateway.adapters.proxies import Site, free_port, host_of, process, shown
from tests.gateway.adapters.streams import begun
from tests.gateway.conftest import Client, gateway_at
from tests.gateway.engine import Engine, served

pytestmark = pytest.mark.service
Until = Callable[[Callable[[], object]], None]


@contextmanager
def nginx(folder: Path, gateway: str, eu: str, us: str) -> Iterator[str]:
    """nginx on a free port; its address."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    text = shown(
        "nginx.md", "nginx.conf",
        {"127.0.0.1:8888": f"127.0.0.1:{port}", "127.0.0.1:8080": host_of(gateway),
         "127.0.0.1:8000": host_of(eu), "127.0.0.1:8001": host_of(us)},
    )  # fmt: skip
    spool = "\n".join(
        f"    {name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    folder.mkdir()
    path = folder / "nginx.conf"
    path.write_text(text.replace("http {", f"http {{\n{spool}\n    access_log off;", 1))
    options = f"user root; daemon off; worker_processes 1; pid {folder}/pid;"
    command = [program, "-p", str(folder), "-c", str(path), "-e", "stderr", "-g", options]
    with process(command, port, folder / "log"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    eu, us = Engine(), Engine()
    with served(eu) as eu_url, served(us) as us_url:
        settings = folder / "stillwatch.yaml"
        settings.write_text(
            shown("nginx.md", "stillwatch.yaml", {"http://127.0.0.1:8000": eu_url,
                                       "http://127.0.0.1:8001": us_url})
        )  # fmt: skip
        with (
            gateway_at(folder / "state", settings) as gateway,
            nginx(folder / "nginx", gateway, eu_url, us_url) as base,
        ):
            yield Site(Client(base, folder / "state", eu), gateway, eu, us)


@pytest.fixture(scope="module")
def key(site: Site) -> str:
    return site.client.key()


def test_an_allowed_request_reaches_the_model_server_and_its_answer_the_client(
    site: Site, key: str
) -> None:
    response = site.client.chat(key)
    assert response.status == 200
    assert response.json()["choices"][0]["message"]["content"] == "you said hello there"
    path, headers, body = site.eu.requests[-1]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [{"role": "user", "content": "hello there"}]
    assert headers["x-stillwatch-account"] == "alice"
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
        response = site.client.chat(key)
        assert response.status == 401
        assert response.json()["error"]["type"] == "authentication_error"
    assert len(site.eu.requests) == before


def test_a_revoked_key_ends_within_two_seconds(site: Site) -> None:
    key = site.client.key()
    assert site.client.chat(key).status == 200
    site.revoke(key)
    revoked = time.monotonic()
    while site.client.chat(key).status == 200:
        time.sleep(0.02)
    assert time.monotonic() - revoked < 2
    assert site.client.chat(key).status == 401


def test_a_suspended_account_is_told_so(site: Site, until: Until) -> None:
    key = site.client.key(account="mallory")
    site.act("mallory", "suspend")
    until(lambda: site.client.chat(key).status == 403)
    assert site.client.chat(key).json()["error"]["code"] == "suspended"


def test_a_narrowed_account_is_shut_out_since_nobody_can_narrow_here(
    site: Site, until: Until
) -> None:
    key = site.client.key(account="narrowed")
    site.act("narrowed", "narrow", surface={"max_tokens": 16})
    until(lambda: site.client.chat(key).status == 403)
    assert site.client.chat(key).json()["error"]["code"] == "undecidable"


def test_what_is_over_a_limit_is_told_when_to_come_again(site: Site) -> None:
    key = site.client.key(tier="trial")
    assert [site.client.chat(key).status for _ in range(3)] == [200, 200, 429]
    response = site.client.chat(key)
    assert int(response.headers["Retry-After"]) > 60
    assert response.json()["error"]["code"] == "rate_limit_exceeded"


def test_a_rule_refuses_with_its_own_status(site: Site) -> None:
    response = site.client.chat(site.client.key(kyc_country="KP"))
    assert response.status == 451
    assert response.json()["error"]["message"] == "not served"


def test_each_customer_is_served_where_the_rules_say(site: Site, key: str) -> None:
    american = site.client.key(account="bob", kyc_country="US")
    before = len(site.eu.requests), len(site.us.requests)
    assert site.client.chat(american).status == 200
    assert (len(site.eu.requests), len(site.us.requests)) == (before[0], before[1] + 1)
    assert site.us.requests[-1][1]["x-stillwatch-account"] == "bob"
    site.client.chat(key)
    assert len(site.eu.requests) == before[0] + 1


def test_what_a_client_says_in_the_gateways_name_does_not_arrive(site: Site, key: str) -> None:
    response = site.client.send(
        "POST", "/v1/chat/completions",
        {"model": "m", "messages": [{"role": "user", "content": "x"}]}, key=key,
        x_stillwatch_account="root", x_stillwatch_mark="mine", x_stillwatch_backends="us-1",
        x_stillwatch_cluster="mine", x_stillwatch_new="1", x_original_uri="/healthz",
        x_original_method="GET",
    )  # fmt: skip
    assert response.status == 200
    said = {k: v for k, v in site.eu.requests[-1][1].items() if k.startswith("x-stillwatch")}
    assert said == {"x-stillwatch-account": "alice"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/chat%2fcompletions", 404),
        ("POST", "/v1//chat/completions", 404),
        ("POST", "/v1/moderations", 404),
        ("GET", "/decide", 404),
        ("GET", "/_decide", 404),
        ("GET", "/metrics", 404),
    ],
)
def test_what_is_not_known_is_refused(
    site: Site, key: str, method: str, path: str, status: int
) -> None:
    before = len(site.eu.requests)
    assert site.client.send(method, path, b"{}" if method == "POST" else None, key=key).status == (
        status
    )
    assert len(site.eu.requests) == before


def test_the_list_of_models_is_the_gateways_own(site: Site, key: str) -> None:
    assert site.client.send("GET", "/v1/models", key=key).json()["object"] == "list"
    assert site.client.send("GET", "/v1/models").status == 401


def test_decisions_without_a_body_are_counted_and_leave_no_row(site: Site, key: str) -> None:
    client = Client(site.gateway, site.client.state, site.eu)
    name = 'stillwatch_requests_total{route="decide",status="200"}'
    before = client.metric(name)
    site.client.chat(key)
    assert client.metric(name) == before + 1
    assert client.rows() == []


def test_without_the_gateway_everything_is_refused(site: Site, key: str, tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    with served(Engine()) as eu, nginx(tmp_path / "nginx", gone, eu, eu) as base:
        response = Client(base, site.client.state, site.eu).chat(key)
    assert response.status == 503
    assert response.json()["error"]["code"] == "unavailable"


def test_a_backend_that_nginx_does_not_know_gets_nothing(site: Site, tmp_path: Path) -> None:
    engine = Engine()
    settings = tmp_path / "stillwatch.yaml"
    settings.write_text(shown("nginx.md", "stillwatch.yaml", {"eu-1": "eu-9", "us-1": "us-9"}))
    with (
        served(engine) as url,
        gateway_at(tmp_path / "state", settings) as gateway,
        nginx(tmp_path / "nginx", gateway, url, url) as base,
    ):
        client = Client(base, tmp_path / "state", engine)
        assert client.chat(client.key()).status == 503
    assert [path for path, _, _ in engine.requests if "chat" in path] == []
