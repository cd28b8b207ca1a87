"""The API against whoever does not play by its rules: strangers, broken requests, a store that
fails, and anything at all that a body may hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillwatch.cases import Cases, Role
from stillwatch.cases.api import CasesAPI
from stillwatch.cases.routes import ROUTES
from stillwatch.errors import StorageError
from tests.cases.conftest import ANA, DAY, LOOKED, SCAN, finding


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: Any
    read: int  # parts of the body that were asked for


class Client:
    """Speaks to the application, as whoever has a token."""

    def __init__(self, cases: Cases) -> None:
        self._api = CasesAPI(cases)
        self._loop = asyncio.new_event_loop()

    def ask(
        self, method: str, path: str, secret: str | None, body: bytes = b"", query: bytes = b""
    ) -> Answer:
        sent: list[Any] = []
        read = 0

        async def receive() -> Any:
            nonlocal read
            read += 1
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        given = [] if secret is None else [(b"authorization", b"Bearer " + secret.encode())]
        scope = {"type": "http", "method": method, "path": path, "headers": given,
                 "query_string": query}  # fmt: skip
        self._loop.run_until_complete(self._api(scope, receive, send))
        headers = dict(sent[0]["headers"])
        return Answer(sent[0]["status"], headers, json.loads(sent[1]["body"]), read)

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@pytest.fixture
def client(cases: Cases) -> Iterator[Client]:
    made = Client(cases)
    yield made
    made.close()


@pytest.fixture
def chief(cases: Cases) -> str:
    return cases.tokens.create("bo", Role.APPROVER, DAY)[0]


def test_no_byte_of_a_body_is_kept_of_who_may_not(cases: Cases, client: Client, chief: str) -> None:
    reader = cases.tokens.create("ro", Role.READ_ONLY, DAY, by=cases.tokens.bearer(chief))[0]
    large = b"x" * 1_000
    for secret, status in ((None, 401), ("sw-" + "0" * 36, 401), (reader, 403)):
        answer = client.ask("POST", "/v1/cases", secret, large)
        assert (answer.status, answer.read) == (status, 0)
    assert client.ask("POST", "/v1/cases", chief, large).read == 1


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_another_method_is_told_which_are_taken(client: Client, chief: str, method: str) -> None:
    answer = client.ask(method, "/v1/cases", chief)
    assert (answer.status, answer.headers[b"allow"]) == (405, b"GET, POST")
    assert answer.headers[b"cache-control"] == b"no-store"


def test_a_store_that_fails_does_not_say_where_it_is(
    client: Client, chief: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StorageError("cannot be used", path=tmp_path / "state" / "access.db")

    monkeypatch.setattr("stillwatch.cases.routes.measure", broken)
    answer = client.ask("GET", "/v1/precision", chief)
    assert answer.status == 503
    assert str(tmp_path) not in json.dumps(answer.body)


def test_a_mistake_of_ours_says_nothing_and_is_an_answer(
    client: Client, chief: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("with a secret")

    monkeypatch.setattr("stillwatch.cases.routes.measure", broken)
    answer = client.ask("GET", "/v1/precision", chief)
    assert (answer.status, answer.body["error"]["code"]) == (500, "SW000")
    assert "secret" not in json.dumps(answer.body)


_TEXT = st.text(max_size=12) | st.sampled_from(["", " ", "a\0", "acct-1", "4.2", "upheld", "slow"])
_NUMBER = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBER | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
#: bodies that are right but for one field, by route
_RIGHT: dict[str, dict[str, Any]] = {
    "/v1/cases": {"findings": [msgspec.to_builtins(finding(id="c-fuzz"))], "segment": "free"},
    "/v1/cases/{case}/question": {"question": "who?", "of": "sales"},
    "/v1/cases/{case}/evidence": {"item": {"kind": "counter", "text": "t"}, "answer": False},
    "/v1/cases/{case}/proposal": {
        "verdict": "upheld", "reason": "precaution", "summary": "s", "message": "m",
        "measures": [{"kind": "slow", "lasting": 60, "seconds": 1.0}], "accounts": ["acct-1"],
        "orgs": [], "keys": [], "clause": None, "without_terms": "w", "second": True,
    },
    "/v1/cases/{case}/approval": {"reaches": 1, "proposal": "p"},
    "/v1/cases/{case}/refusal": {"why": "w"},
    "/v1/cases/{case}/undo": {"why": "w", "actions": []},
    "/v1/cases/{case}/appeal": {"text": "t", "through": "mail"},
    "/v1/cases/{case}/close": {"why": "w"},
    "/v1/emergencies": {"accounts": ["a"], "lasting": 60, "reason": "precaution", "why": "w",
                        "source": "s", "message": ""},
    "/v1/rules": {"rule": {"name": "r", "measures": [{"kind": "slow", "lasting": 60,
                  "seconds": 1.0}], "reason": "precaution", "message": "m", "why": "w"},
                  "lasting": 60},
    "/v1/allowances": {"account": "a", "purpose": "research", "lasting": 60, "why": "w"},
    "/v1/clauses": {"terms": "t", "clause": "c", "text": "x"},
}  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn, path: str) -> bytes:
    """Something near to what a route takes, or anything."""
    right = json.loads(json.dumps(_RIGHT.get(path, {})))
    if right and draw(st.booleans()):
        at, name = right, draw(st.sampled_from(sorted(right)))
        while isinstance(at[name], dict) or (
            isinstance(at[name], list) and at[name] and isinstance(at[name][0], dict)
        ):
            at = at[name] if isinstance(at[name], dict) else at[name][0]
            name = draw(st.sampled_from(sorted(at)))
        at[name] = draw(_JSON)
        return json.dumps(right).encode()
    return draw(st.binary(max_size=20) | _JSON.map(lambda value: json.dumps(value).encode()))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_whatever_is_sent_is_answered_and_is_no_mistake_of_ours(
    cases: Cases, client: Client, chief: str, route: Any, data: st.DataObject
) -> None:
    found = [row.id for row in cases.desk.queue(most=1)]
    if not found:
        found = list(cases.intake.open([finding()], SCAN).opened)
        cases.desk.claim(found[0], ANA)
        cases.desk.add(found[0], ANA, LOOKED)
    path = route.path
    for name in ("{case}", "{name}", "{version}", "{allowance}"):
        given_name = data.draw(st.sampled_from([found[0], "1", "9" * 25]) | _TEXT)
        path = path.replace(name, given_name.replace("/", ""))
    body = data.draw(bodies(route.path)) if route.writes else b""
    query = data.draw(
        st.sampled_from([b"", b"limit=-1", b"after=nan/x", b"after=1e999/x", b"state=x",
                         b"account=%ff%00", b"account=acct-1", b"claimed_by=%F0%9F"])
    )  # fmt: skip
    answer = client.ask(route.method, path, chief, body, query)
    assert answer.status < 500, (path, body, query, answer.body)
