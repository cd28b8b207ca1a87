"""Bodies that nobody in their right mind would send: the caller's mistake, never ours."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.gateway.conftest import Response
from tests.gateway.faults.conftest import Running
from tests.gateway.faults.wild_engine import WildEngine

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ROUTES = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": {"model": "m", "prompt": "hi"},
    "/v1/messages": {**CHAT, "max_tokens": 5},
}
Account = tuple[str, str]


class Line:
    """One connection of one account, which counts what it sends."""

    def __init__(self, gateway: Running, account: Account) -> None:
        self.name, self.key = account
        self.sent = 0
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)

    def post(self, path: str, body: bytes, **headers: str) -> Response:
        self.sent += 1
        headers = {"authorization": f"Bearer {self.key}", **headers}
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        return Response(answer.status, dict(answer.headers), answer.read())

    def chat(self, **fields: Any) -> Response:
        return self.post("/v1/chat/completions", json.dumps({**CHAT, **fields}).encode())

    def close(self, gateway: Running) -> None:
        """All that was sent must be recorded by then, once."""
        self._connection.close()
        rows = gateway.recorded(self.name, self.sent)
        assert {row["status"] for row in rows} <= FINE


@pytest.fixture(scope="module")
def line(gateway: Running) -> Iterator[Line]:
    line = Line(gateway, gateway.account())
    yield line
    line.close(gateway)


@pytest.fixture(scope="module")
def open_line(gateway: Running) -> Iterator[Line]:
    line = Line(gateway, gateway.account(level="open"))
    yield line
    line.close(gateway)


NUMBERS = ["-1", "0", "1", "64", "1000000000000000000", "1" + "0" * 30, "1" + "0" * 5000, "1e400",
           "-1e400", "1.0", "1.5", "1e18", "NaN", "Infinity", "true", "null", '"1"', "[]", "{}",
           "-0", "01", "0x10", "9223372036854775808", "18446744073709551616"]  # fmt: skip
FIELDS = ["n", "max_tokens", "max_completion_tokens", "best_of", "top_logprobs", "seed", "top_k",
          "min_tokens", "temperature", "top_p", "frequency_penalty", "prompt_logprobs",
          "logit_bias", "stop_token_ids", "stream", "stream_options"]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_no_number_is_too_large_for_an_answer(
    line: Line, open_line: Line, engine: WildEngine, field: str
) -> None:
    before = len(engine.asked)
    for written in NUMBERS:
        for each in (line, open_line):
            body = json.dumps(CHAT)[:-1] + f', "{field}": {written}}}'
            response = each.post("/v1/chat/completions", body.encode())
            assert response.status in (200, 400), (written, response)
    for asked in engine.asked[before:]:
        assert asked.get("n", 1) in (1, 2, 3, 4, None)
        assert 1 <= (asked.get("max_tokens") or asked["max_completion_tokens"]) <= 64


@pytest.mark.parametrize("cap", [10**18, 10**30, 65])
def test_a_cap_that_is_too_high_is_brought_down_and_said(
    line: Line, engine: WildEngine, cap: int
) -> None:
    response = line.chat(max_tokens=cap)
    assert response.status == 200
    assert response.headers["x-stillwatch-changed"] == "max_tokens"
    assert engine.asked[-1]["max_tokens"] == 64


@pytest.mark.parametrize("many", [2, 10**9, 10**18, 10**30])
def test_more_answers_than_allowed_are_refused(line: Line, many: int) -> None:
    response = line.chat(n=many)
    assert (response.status, response.json()["error"]["code"]) == (400, "beyond_level")


@pytest.mark.parametrize("depth", [500, 5_000, 1_000_000])
@pytest.mark.parametrize(
    "place",
    ["{}", '{"model": "m", "messages": %s}', '{"model": "m", "messages": [], "novel": %s}',
     '{"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": %s}',
     '{"model": "m", "messages": [{"role": "user", "content": "hi"}], "response_format": '
     '{"type": "json_schema", "json_schema": %s}}',
     '{"model": "m", "messages": [{"role": "user", "content": "hi", "tool_calls": %s}]}'],
)  # fmt: skip
def test_nesting_without_an_end_is_refused(open_line: Line, place: str, depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deep = opening * depth + ("1" if opening != "[" else "") + closing * depth
        body = place % deep if "%s" in place else deep
        response = open_line.post("/v1/chat/completions", body.encode())
        assert response.status in (200, 400), response
        assert depth == 500 or response.status == 400


def test_a_key_that_stands_twice_means_its_last_value_to_everybody(
    line: Line, engine: WildEngine
) -> None:
    body = json.dumps(CHAT)
    allowed = body.replace('"model": "m"', '"model": "dog", "model": "m"')
    assert line.post("/v1/chat/completions", allowed.encode()).status == 200
    assert engine.asked[-1]["model"] == "m"
    denied = body.replace('"model": "m"', '"model": "m", "model": "dog"')
    assert line.post("/v1/chat/completions", denied.encode()).status == 451
    escaped = body.replace('"model": "m"', '"model": "m", "mod\\u0065l": "dog"')
    assert line.post("/v1/chat/completions", escaped.encode()).status == 451
    turns = b'[{"role": "system", "content": "be good", "content": "be bad", "role": "user"}]'
    sent = b'{"model": "m", "messages": %s, "max_tokens": 5, "max_tokens": 9}' % turns
    assert line.post("/v1/chat/completions", sent).status == 200
    assert engine.asked[-1]["messages"] == [{"role": "user", "content": "be bad"}]
    assert engine.asked[-1]["max_tokens"] == 9


@pytest.mark.parametrize(
    "name",
    ["", " m", "m ", "m\0", "\0m", "m\n", "m\r\nx: y", "m\u200b", "\u202em", "\ufeffm", "m\u00ad",
     "cafe\u0301", "ｍ", "ﬁ", "m\u2028", "\ue000", "m\u00a0", "x" * 201, "\x7f", "\u2060",
     "𝐝𝐨𝐠", "ⅾog"],
    ids=ascii,
)  # fmt: skip
def test_a_name_that_is_written_in_a_second_way_is_no_model(
    line: Line, engine: WildEngine, name: str
) -> None:
    before = len(engine.asked)
    response = line.chat(model=name)
    assert (response.status, response.json()["error"]["code"]) == (400, "invalid_request")
    assert len(engine.asked) == before


def test_letters_that_only_look_the_same_are_another_name(line: Line, engine: WildEngine) -> None:
    assert line.chat(model="café").status == 403  # as a rule says
    assert line.chat(model="dоg").status == 200  # with a Cyrillic о: no rule is about it
    assert engine.asked[-1]["model"] == "dоg"  # and so it is told to the model server


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"[]", b"null", b'"x"', b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0", b"{}{}",
     b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}', b'{"a":1,}',
     b'{"model":"m\xff","messages":[]}', b"\0", b"{'model':'m'}", b'{"model":["m"]}',
     b'{"model":"m","messages":{"role":"user"}}', b'{"model":null,"messages":null}'],
)  # fmt: skip
@pytest.mark.parametrize("path", ROUTES)
def test_what_is_no_request_is_refused_in_words(line: Line, path: str, body: bytes) -> None:
    response = line.post(path, body)
    assert response.status == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert response.json()["error"]["message"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    gateway: Running, line: Line
) -> None:
    body = json.dumps({**CHAT, "user": "x" * 17 * 2**20}).encode()
    assert line.post("/v1/chat/completions", body).status == 413
    assert line.chat().status == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "x", "identity, gzip"])
def test_a_packed_body_is_not_unpacked(line: Line, encoding: str) -> None:
    response = line.post("/v1/chat/completions", b"x" * 100, **{"content-encoding": encoding})
    assert response.status == 415


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some, max_size=3)
    ),
    max_leaves=5,
)
NAMES = st.sampled_from(
    [*FIELDS, "model", "messages", "prompt", "tools", "tool_choice", "functions", "system",
     "response_format", "thinking", "metadata", "user", "stop", "suffix", "echo", "logprobs",
     "modalities", "structured_outputs", "guided_json", "watermark", "extra", "prediction",
     "allowed_token_ids", "bad_words", "output_config", "mcp_servers", "continue_final_message"]
)  # fmt: skip
KINDS = ["text", "image", "image_url", "tool_use", "tool_result", "thinking"]
BLOCKS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional=dict.fromkeys(["text", "source", "content", "image_url", "input", "id"], ANY_JSON),
)
TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool", "developer", "x"]),
         "content": st.text(max_size=20) | st.lists(BLOCKS, max_size=3) | ANY_JSON},
        optional={"tool_calls": ANY_JSON, "name": ANY_JSON, "prefix": ANY_JSON},
    ),
    max_size=3,
)  # fmt: skip
HEADER_NAMES = st.sampled_from(
    [b"Content-Type", b"User-Agent", b"X-Forwarded-For", b"Accept-Language", b"X-JA4", b"Cookie",
     b"X-Stainless-Lang", b"X-Stainless-Package-Version", b"Anthropic-Version", b"Connection",
     b"Content-Encoding", b"Expect", b"X-Api-Key", b"Authorization", b"Range", b"TE", b"Host"]
)  # fmt: skip
HEADERS = st.binary(max_size=30).filter(lambda value: b"\n" not in value and b"\r" not in value)
FINE = {200, 400, 403, 413, 415, 451}
examples = pytest.mark.parametrize("examples", [60, pytest.param(600, marks=pytest.mark.slow)])


def tried(examples: int) -> settings:
    """The same examples each time."""
    slow = [HealthCheck.too_slow]
    return settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=slow,
    )  # fmt: skip


@examples
@pytest.mark.parametrize("path", ROUTES)
def test_any_json_is_answered_or_refused(
    line: Line, open_line: Line, path: str, examples: int
) -> None:
    @tried(examples)
    @given(fields=st.dictionaries(NAMES, ANY_JSON, max_size=4), turns=TURNS | st.none())
    @example(fields={"prompt": None}, turns=None)
    def holds(fields: dict[str, Any], turns: Any) -> None:
        asked = {**ROUTES[path], **fields}
        if turns is not None:
            asked["messages"] = turns
        body = json.dumps(asked).encode()
        for each in (line, open_line):
            response = each.post(path, body)
            assert response.status in FINE, response
            if response.status != 200:
                assert response.json()["error"]["message"]

    holds()


@examples
@pytest.mark.parametrize("path", ROUTES)
def test_any_bytes_are_answered_or_refused(line: Line, path: str, examples: int) -> None:
    whole = json.dumps(ROUTES[path]).encode()

    @tried(examples)
    @given(cut=st.integers(0, 60), noise=st.binary(max_size=12), kept=st.integers(0, 60))
    def holds(cut: int, noise: bytes, kept: int) -> None:
        response = line.post(path, whole[:cut] + noise + whole[kept:])
        assert response.status in FINE, response

    holds()


@examples
def test_any_headers_are_refused_without_a_key(gateway: Running, examples: int) -> None:
    body = json.dumps(CHAT).encode()

    @tried(examples)
    @given(headers=st.lists(st.tuples(HEADER_NAMES, HEADERS), max_size=4))
    def holds(headers: list[tuple[bytes, bytes]]) -> None:
        lines = [b"POST /v1/chat/completions HTTP/1.1", b"Content-Length: %d" % len(body)]
        lines += [name + b": " + value for name, value in headers]
        received = gateway.raw(b"\r\n".join([*lines, b"Connection: close", b"", body]))
        assert received[:13] in (b"HTTP/1.1 400 ", b"HTTP/1.1 401 "), received

    holds()
