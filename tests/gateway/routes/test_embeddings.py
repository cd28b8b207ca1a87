"""OpenAI's embeddings through a running gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.conftest import Response
from tests.gateway.routes.conftest import Site
from tests.gateway.routes.engine import LEAK

Until = Callable[[Callable[[], object]], None]
PATH = "/v1/embeddings"


def embed(site: Site, key: str, text: Any = "a text", **fields: Any) -> Response:
    return site.client.send("POST", PATH, {"model": "m", "input": text, **fields}, key=key)


@pytest.fixture(scope="module")
def key(site: Site) -> str:
    return site.key("vectors")


def test_vectors_come_out_and_nothing_else(site: Site, key: str) -> None:
    response = embed(site, key, ["one", "two"], dimensions=2, user="u")
    assert response.status == 200
    assert response.json() == {
        "object": "list", "model": "m",
        "data": [{"object": "embedding", "index": i, "embedding": [0.5, -1.0]} for i in (0, 1)],
        "usage": {"prompt_tokens": 11, "total_tokens": 11},
    }  # fmt: skip
    assert site.sent() == {"model": "m", "input": ["one", "two"], "dimensions": 2, "user": "u"}


@pytest.mark.parametrize("form", [None, "float", "base64"])
def test_the_official_client_embeds_unmodified(site: Site, key: str, form: str | None) -> None:
    openai = pytest.importorskip("openai")
    given = {} if form is None else {"encoding_format": form}
    with openai.OpenAI(base_url=site.client.base + "/v1", api_key=key, max_retries=0) as client:
        found = client.embeddings.create(model="m", input=["one", "two"], **given)
    vector = found.data[1].embedding
    assert vector == ("AAAAPwAAgL8AAIA+" if form == "base64" else [0.5, -1.0, 0.25])
    assert (len(found.data), found.usage.prompt_tokens) == (2, 11)


@pytest.mark.parametrize(
    ("level", "fields", "status", "named"),
    [
        ("default", {}, 400, "'embeddings'"),
        ("small", {}, 404, "'m'"),
        ("vectors", {"input": [1, 2, 3]}, 400, "'token_ids'"),
        ("vectors", {"novel_field": 1}, 400, "'novel_field'"),
        ("vectors", {"encoding_format": "int8"}, 400, "encoding_format"),
        ("vectors", {"input": []}, 400, "input"),
        ("vectors", {"input": ["a", 1]}, 400, "input"),
        ("vectors", {"dimensions": 0}, 400, "dimensions"),
    ],
)
def test_what_is_not_granted_is_refused_before_anything_is_sent(
    site: Site, level: str, fields: dict[str, Any], status: int, named: str
) -> None:
    asker = site.key("plain" if level == "default" else level)
    before = len(site.router.requests)
    response = embed(site, asker, **{"text": fields.pop("input", "a text"), **fields})
    assert response.status == status
    assert named in response.json()["error"]["message"]
    assert len(site.router.requests) == before


def test_token_ids_pass_where_the_level_has_them(site: Site) -> None:
    asker = site.key("ids")
    assert len(embed(site, asker, [[1, 2], [3]]).json()["data"]) == 2


def test_the_prompt_is_charged_and_no_answer(site: Site) -> None:
    asker = site.key("thrifty")
    # 11 tokens each of 40, as the model server counts; 64 for an answer would not fit even once
    assert [embed(site, asker).status for _ in range(4)] == [200, 200, 200, 429]


def test_what_is_not_counted_is_charged_by_its_estimate(site: Site) -> None:
    asker = site.key("uncounted")
    statuses = [embed(site, asker, model="uncounted").status for _ in range(3)]
    assert statuses == [200, 200, 429]  # 44 bytes of body are 15 tokens, of 40


def test_it_is_an_exchange_whose_texts_are_one_prompt(site: Site, until: Until) -> None:
    asker = site.key("recorded")
    words = "zebras cross the road quickly in the early morning light", "and come back at night"
    row = site.row(embed(site, asker, list(words)), until)
    same = site.row(embed(site, asker, "\n".join(words)), until)
    assert (row["endpoint"], row["status"], row["n"], row["turns"]) == ("embeddings", 200, 0, 1)
    assert (row["prompt_tokens"], row["completion_tokens"]) == (11, 0)
    assert (row["content"], row["shingles"]) == (same["content"], same["shingles"])
    assert (row["output_shingles"], row["mark"]) == (None, None)
    refused = embed(site, site.key("refused"), "zebras")
    assert site.row(refused, until)["status"] == 400


@pytest.mark.parametrize(
    ("model", "status"),
    [("absent", 404), ("error-400", 400), ("error-429", 429), ("error-401", 502),
     ("error-500", 502), ("garbage", 502), ("dies", 502)],
)  # fmt: skip
def test_faults_of_the_model_server_are_told_without_its_secrets(
    site: Site, key: str, model: str, status: int
) -> None:
    response = embed(site, key, model=model)
    assert response.status == status
    assert LEAK not in response.body.decode()


def test_no_slot_and_no_token_stays_reserved_after_a_fault(site: Site, until: Until) -> None:
    asker = site.key("faulty")
    for model in ("absent", "garbage", "dies", "error-500"):
        until(lambda: embed(site, asker).status == 200)
        embed(site, asker, model=model)
    until(lambda: embed(site, asker).status == 200)
