"""Whatever bytes come in, the server answers, and never with a failure of its own."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.intel.taxii.conftest import (
    ACME,
    Ask,
    indicator,
)

ONE = indicator(1)["id"]
BYTES = st.binary(max_size=60)
FUZZED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZED
@given(
    query=st.text(max_size=40),
    name=st.sampled_from(
        ["", "limit=", "next=", "added_after=", "match[id]=", "match[version]=", "match[type]="]
    ),
)
def test_no_query_makes_the_server_fail(ask: Ask, at: str, query: str, name: str) -> None:
    for path in ("objects/", f"objects/{ONE}/", "manifest/"):
        found = ask(ACME, "GET", f"{at}{path}?{name}{query.replace('?', '')}")
        assert found.status in (200, 400, 404)


@FUZZED
@given(
    body=BYTES
    | st.builds(
        lambda inner: b'{"objects": [%s]}' % inner,
        BYTES
        | st.recursive(
            st.none() | st.floats() | st.text(),
            lambda v: st.dictionaries(st.text(), v) | st.lists(v),
        ).map(lambda v: json.dumps(v).encode()),
    )
)
def test_no_body_makes_the_server_fail(ask: Ask, at: str, body: bytes) -> None:
    assert ask(ACME, "POST", f"{at}objects/", body).status in (202, 422)


@FUZZED
@given(
    names=st.lists(st.tuples(
        st.sampled_from([b"accept", b"content-type", b"authorization", b"content-length"]), BYTES
    ), max_size=4),
    path=st.text(max_size=20),
)  # fmt: skip
def test_no_header_and_no_path_makes_the_server_fail(
    ask: Ask, tokens: dict[str, str], names: list[tuple[bytes, bytes]], path: str
) -> None:
    known = [(b"authorization", f"Bearer {tokens[ACME]}".encode())]
    for raw in (names, known + [each for each in names if each[0] != b"authorization"]):
        found = ask(None, "POST", "/intel/collections/indicators/objects/", b"{}", raw=raw)
        assert found.status in (401, 406, 413, 415, 422)
        found = ask(None, "GET", f"/intel/{path.replace('?', '')}", raw=raw)
        assert found.status in (200, 401, 404, 406)
