"""What a proxy is told that asks for decisions and serves requests itself."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from stillwatch.access.actions import Action
from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from stillwatch.errors import SettingsError
from stillwatch.gateway import read_gateway
from stillwatch.sketches import SketchKey
from tests.access.conftest import put_shut
from tests.gateway.conftest import Client, Response, gateway_at
from tests.gateway.engine import Engine

Until = Callable[[Callable[[], object]], None]
SETTINGS = """
levels:
  default: {max_tokens: 64}
  open: {max_tokens: 64, n: 4, seed: true, unknown_fields: true}
tiers:
  few: [{name: rate, scope: key, unit: requests, amount: 2, period: 3600}]
  slots: [{name: slots, scope: account, unit: concurrent, amount: 1}]
  loose: [{name: loose slots, scope: account, unit: concurrent, amount: 1}]
  budget: [{name: budget, scope: account, unit: tokens, amount: 150, calendar: month}]
backends:
  - {name: one, url: "http://127.0.0.1:9"}
  - {name: "a,b", url: "http://127.0.0.1:9"}
places:
  lists: {hosting: [hosting.txt]}
rules:
  - {id: no-hosting, when: "asn_class == 'hosting'", unknown: skip, deny: true, reason: home only}
  - {id: no-dogs, when: "model == 'dog' && kyc_level > 5", deny: true, reason: no dogs}
  - {id: seen, when: "kyc_level > 5", slow: 0.3, reason: r}
gateway:
  marks: {open: radioactive}
  decide:
    networks: [127.0.0.1/32]
    waive: {levels: [default, open], limits: [loose slots]}
"""
BODY = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "hello there"}]}
CHAT = "/v1/chat/completions"
BLIND = {"x_original_uri": CHAT + "?beta=true", "x_original_method": "POST"}


class Asker(Client):
    """Asks as a proxy does."""

    def blind(self, key: str | None, **headers: str) -> Response:
        return self.send("GET", "/decide", key=key, **{**BLIND, **headers})

    def seeing(
        self, key: str | None, body: Any = None, path: str = CHAT, **fields: Any
    ) -> Response:
        return self.send("POST", "/decide" + path, body or {**BODY, **fields}, key=key)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("deciding")
    (made / "hosting.txt").write_text("8.8.8.0/24\n")
    (made / "stillwatch.yaml").write_text(SETTINGS)
    return made


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    """Callers by what is particular about them, registered before the gateway starts."""
    callers: dict[str, dict[str, Any]] = {
        "plain": {},
        "open": {"level": "open", "account": "Zoë, inc"},
        "few": {"tier": "few"},
        "slots": {"tier": "slots"},
        "loose": {"tier": "loose"},
        "frugal": {"tier": "budget", "account": "frugal"},
        "verified": {"kyc_level": 9},
        "suspended": {"account": "mallory"},
    }
    database = open_database(folder / "state", create=True)
    made = {
        name: KeyStore(database).create(**{"account": "alice", **fields})[0]
        for name, fields in callers.items()
    }
    suspension = Action(
        subject_kind="account", subject="mallory", kind="suspend", reason="r",
        message="ü" * 1900, by="ana", person=True, expires_at=int(time.time()) + 3600,
    )  # fmt: skip
    put_shut(database, suspension, time.time())
    database.close()
    return made


@pytest.fixture(scope="module")
def asker(folder: Path, keys: dict[str, str]) -> Iterator[Asker]:
    with gateway_at(folder / "state", folder / "stillwatch.yaml") as base:
        yield Asker(base, folder / "state", Engine())


@pytest.fixture
def key(keys: dict[str, str]) -> str:
    return keys["open"]


def cluster(state: Path, name: str) -> str:
    digest = SketchKey.from_file(state / "sketch.key").digest("account", name)
    return f"{digest % 2**64:016x}"


@pytest.mark.parametrize("ask", [Asker.blind, Asker.seeing])
def test_who_is_let_in_and_where_is_told_in_headers(
    asker: Asker, key: str, ask: Callable[[Asker, str], Response]
) -> None:
    response = ask(asker, key)
    assert response.status == 200
    told = {k: v for k, v in response.headers.items() if k.startswith("x-")}
    assert len(told.pop("x-request-id")) == 32
    assert told == {
        "x-stillwatch-account": "Zo%C3%AB%2C inc",
        "x-stillwatch-level": "open",
        "x-stillwatch-backends": "one,a%2Cb",
        "x-stillwatch-mark": "radioactive;normal",
        "x-stillwatch-cluster": cluster(asker.state, "Zoë, inc"),
    }


def test_a_header_stands_there_even_when_it_has_nothing_to_say(
    asker: Asker, keys: dict[str, str]
) -> None:
    headers = asker.blind(keys["plain"]).headers
    assert (headers["x-stillwatch-mark"], headers["x-stillwatch-cluster"]) == ("", "")


@pytest.mark.parametrize("path", ["/decide", "/decide" + CHAT])
def test_there_is_no_such_route_unless_it_is_set_up(client: Client, secret: str, path: str) -> None:
    assert client.send("POST", path, BODY, key=secret, **BLIND).status == 404


def test_there_is_no_such_route_for_others_than_the_proxies(asker: Asker, key: str) -> None:
    host = urlsplit(asker.base).netloc
    headers = {"authorization": f"Bearer {key}"}
    statuses = []
    for source in ("127.0.0.1", "127.0.0.2"):
        connection = http.client.HTTPConnection(host, timeout=20, source_address=(source, 0))
        connection.request("POST", "/decide" + CHAT, json.dumps(BODY), headers)
        statuses.append(connection.getresponse().status)
        connection.close()
    assert statuses == [200, 404]


def test_without_a_body_each_refusal_is_one_of_two_statuses_and_says_which_it_was(
    asker: Asker, keys: dict[str, str]
) -> None:
    key = keys["few"]
    assert [asker.blind(key).status for _ in range(3)] == [200, 200, 403]
    response = asker.blind(key)
    assert response.headers["x-stillwatch-status"] == "429"
    assert int(response.headers["retry-after"]) > 60
    assert json.loads(response.headers["x-stillwatch-refusal"]) == response.json()
    assert response.json()["error"]["code"] == "rate_limit_exceeded"
    unknown = asker.blind("sw-nobody")
    assert (unknown.status, unknown.headers["x-stillwatch-status"]) == (401, "401")
    assert asker.blind(None).status == 401


def test_a_long_refusal_is_cut_in_the_header_and_worded_in_the_callers_dialect(
    asker: Asker, keys: dict[str, str]
) -> None:
    response = asker.blind(keys["suspended"], x_original_uri="/v1/messages")
    assert response.status == 403
    header = response.headers["x-stillwatch-refusal"]
    assert len(header) < 4000
    assert json.loads(header)["type"] == "error"
    assert json.loads(header)["error"]["message"] == "ü" * 400


def test_responses_pass_a_proxy_only_if_they_ask_not_to_be_stored(asker: Asker, key: str) -> None:
    body = {"model": "m", "input": "hello", "max_output_tokens": 64}
    stored = asker.seeing(key, body, "/v1/responses")
    assert (stored.status, stored.json()["error"]["code"]) == (400, "unchangeable")
    assert "'store'" in stored.json()["error"]["message"]
    assert asker.seeing(key, body | {"store": False}, "/v1/responses").status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x_original_uri": "/v1/chat%2Fcompletions"}, "404"),
        ({"x_original_uri": "/v1/moderations"}, "404"),
        ({"x_original_uri": ""}, "404"),
        ({"x_original_method": "GET"}, "405"),
        ({"x_original_method": ""}, "405"),
    ],
)
def test_what_is_asked_about_must_be_a_route_that_we_know(
    asker: Asker, key: str, headers: dict[str, str], status: str
) -> None:
    response = asker.blind(key, **headers)
    assert (response.status, response.headers["x-stillwatch-status"]) == (403, status)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/decide/v1/chat%2Fcompletions", 404),
        ("POST", "/decide//v1/chat/completions", 404),
        ("POST", "/d%65cide" + CHAT, 404),
        ("POST", "/decide/", 404),
        ("GET", "/decide" + CHAT, 405),
        ("POST", "/decided", 404),
    ],
)
def test_a_path_counts_as_it_was_sent(
    asker: Asker, key: str, method: str, path: str, status: int
) -> None:
    body = BODY if method == "POST" else None
    assert asker.send(method, path, body, key=key, **BLIND).status == status


def test_a_post_that_names_the_path_in_a_header_is_judged_by_its_body(
    asker: Asker, key: str
) -> None:
    for n, status in ((1, 200), (5, 400)):
        body = {**BODY, "n": n}
        assert asker.send("POST", "/decide", body, key=key, **BLIND).status == status
    assert asker.send("POST", "/decide", None, key=key, **BLIND).status == 400


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({**BODY, "max_tokens": 65}, "max_tokens"),
        ({k: v for k, v in BODY.items() if k != "max_tokens"}, "max_tokens"),
        ({**BODY, "max_tokens": None, "max_completion_tokens": 65}, "max_completion_tokens"),
        ({**BODY, "watermark": {"key": 7}}, "watermark"),
        ({**BODY, "new_field": {"x": 1}, "vllm_xargs": {}}, "vllm_xargs"),
        (b'{"model":"dog",' + json.dumps(BODY).encode()[1:], "twice"),
        (b'{"new":{"a":1,"a":2},' + json.dumps(BODY).encode()[1:], "twice"),
    ],
)
def test_what_would_not_pass_the_gateway_as_it_is_is_refused(
    asker: Asker, key: str, body: Any, word: str
) -> None:
    response = asker.seeing(key, body)
    assert response.status == 400
    assert word in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": True},
        {"stream": True, "stream_options": {"include_usage": False}},
        {"temperature": 1, "stop": None, "seed": 7, "n": 4},
        {"new_field": {"x": [1, None, {"y": 2.5}]}},
        {"max_tokens": 3, "user": "naïve"},
        {"messages": [{"role": "user", "content": "x", "name": None}]},
    ],
)
def test_what_would_pass_as_it_is_passes(asker: Asker, key: str, fields: dict[str, Any]) -> None:
    assert asker.seeing(key, **fields).status == 200


def test_a_part_of_a_body_is_not_judged(asker: Asker, key: str) -> None:
    response = asker.send("POST", "/decide" + CHAT, BODY, key=key, x_envoy_auth_partial_body="true")
    assert response.status == 413


@pytest.mark.parametrize("ask", [Asker.blind, Asker.seeing])
def test_slots_are_refused_unless_the_operator_has_waived_them(
    asker: Asker, keys: dict[str, str], ask: Callable[[Asker, str], Response]
) -> None:
    response = ask(asker, keys["slots"])
    assert response.json()["error"]["code"] == "undecidable"
    assert "limit slots" in response.json()["error"]["message"]
    assert [ask(asker, keys["loose"]).status for _ in range(3)] == [200, 200, 200]


def test_tokens_are_charged_in_full_at_once(asker: Asker, keys: dict[str, str]) -> None:
    key = keys["frugal"]
    assert asker.blind(key).json()["error"]["code"] == "undecidable"
    assert [asker.seeing(key).status for _ in range(2)] == [200, 429]


def test_a_rule_is_undecidable_only_for_those_for_whom_the_body_matters(
    asker: Asker, key: str, keys: dict[str, str]
) -> None:
    assert asker.blind(key).status == 200
    verified = keys["verified"]
    assert "no-dogs" in asker.blind(verified).json()["error"]["message"]
    assert asker.seeing(verified, model="dog").status == 403
    began = time.monotonic()
    assert asker.seeing(verified).status == 200
    assert time.monotonic() - began > 0.3, "a slowed request waits for its decision"


def test_the_address_is_the_last_that_the_proxy_tells(asker: Asker, key: str) -> None:
    assert asker.blind(key, x_forwarded_for="8.8.8.8, 9.9.9.9").status == 200
    for told in ("8.8.8.8", "9.9.9.9, 8.8.8.8"):
        response = asker.blind(key, x_forwarded_for=told)
        assert response.json()["error"]["message"] == "home only"


def rows_since(asker: Asker, since: datetime) -> list[dict[str, Any]]:
    """The exchanges of requests that came after a moment, oldest first."""
    rows = [row for row in asker.rows() if row["at"] >= since]
    return sorted(rows, key=lambda row: row["at"])


def test_the_proxys_own_address_is_that_of_no_client(asker: Asker, key: str, until: Until) -> None:
    since = datetime.now(UTC)  # rows of other tests may still be on their way to the disk
    for told in (None, "nonsense", "127.0.0.1"):
        headers = {} if told is None else {"x_forwarded_for": told}
        assert asker.send("POST", "/decide" + CHAT, BODY, key=key, **headers).status == 200
    until(lambda: len(rows_since(asker, since)) == 3)
    assert [row["ip"] is None for row in rows_since(asker, since)] == [True, True, False]


def test_a_request_leaves_a_row_when_its_body_was_seen_and_a_count_when_not(
    asker: Asker, key: str, until: Until
) -> None:
    since, counted = datetime.now(UTC), asker.metric("stillwatch_requests_total")
    assert asker.blind(key).status == 200
    assert asker.seeing(key).status == 200
    assert asker.seeing(key, n=5).status == 400
    assert asker.seeing("sw-nobody").status == 401
    until(lambda: len(rows_since(asker, since)) == 2)
    last = rows_since(asker, since)
    assert [(row["status"], row["completion_tokens"]) for row in last] == [(200, None), (400, None)]
    assert asker.metric("stillwatch_requests_total") == counted + 4


def test_what_may_be_asked_follows_the_settings(
    folder: Path, asker: Asker, key: str, until: Until
) -> None:
    path = folder / "stillwatch.yaml"
    assert asker.blind(key).status == 200
    path.write_text(SETTINGS.replace("networks: [127.0.0.1/32]", "networks: [10.0.0.0/8]"))
    until(lambda: asker.blind(key).status == 404)
    path.write_text(SETTINGS)
    until(lambda: asker.blind(key).status == 200)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("levels: [default, open]", "levels: [opne]", "there is no level 'opne' to waive"),
        ("limits: [loose slots]", "rules: [no-cats]", "there is no rule 'no-cats' to waive"),
        ("limits: [loose slots]", "limits: [fast]", "there is no limit 'fast' to waive"),
        ("limits: [loose slots]", "keys: [x]", "no setting 'keys'"),
        ("networks: [127.0.0.1/32]", "networks: [everywhere]", "'networks' must be networks"),
    ],
)
def test_settings_that_mean_nothing_are_refused_with_their_line(
    folder: Path, tmp_path: Path, old: str, new: str, words: str
) -> None:
    (tmp_path / "hosting.txt").write_text("")
    path = tmp_path / "stillwatch.yaml"
    path.write_text(SETTINGS.replace(old, new))
    with pytest.raises(SettingsError, match=words) as error:
        read_gateway(path)
    assert error.value.line is not None
