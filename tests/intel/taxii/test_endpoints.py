"""Every endpoint of TAXII 2.1: what it answers, to whom, and what it refuses and how."""

from __future__ import annotations

import base64
import json
import re
import uuid
from typing import Any

import pytest

from stillwatch.errors import StorageError
from stillwatch.intel.store import Collection, Store
from stillwatch.intel.taxii import Bounds, TaxiiServer
from stillwatch.intel.taxii.media import TAXII
from stillwatch.intel.taxii.routes import MOST_IN_REQUEST, ROUTES
from tests.intel.taxii.conftest import (
    ACME,
    NOBODY,
    OTHER,
    READER,
    WRITER,
    Answered,
    Ask,
    indicator,
)

ONE = indicator(1)["id"]
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def add(ask: Ask, at: str, *objects: Any, who: str = ACME) -> Answered:
    return ask(who, "POST", f"{at}objects/", {"objects": list(objects)})


def test_discovery_names_the_api_roots_that_a_member_may_use(ask: Ask) -> None:
    found = ask(ACME, "GET", "/taxii2/")
    assert (found.status, found.headers["content-type"]) == (200, TAXII)
    assert found.json == {"title": "Stillwatch", "default": "/intel/", "api_roots": ["/intel/"]}
    assert ask(NOBODY, "GET", "/taxii2/").json == {"title": "Stillwatch"}


def test_an_api_root_says_what_it_takes(ask: Ask) -> None:
    found = ask(ACME, "GET", "/intel/").json
    assert found["versions"] == [TAXII]
    assert found["max_content_length"] == Bounds().largest_body
    assert ask(NOBODY, "GET", "/intel/").status == 404
    assert ask(ACME, "GET", "/other/").status == 404


def test_collections_say_what_the_member_may_do_in_them(
    ask: Ask, indicators: Collection, store: Store
) -> None:
    store.collections.add("hidden")
    for who, read, write in ((ACME, True, True), (READER, True, False), (WRITER, False, True)):
        [found] = ask(who, "GET", "/intel/collections/").json["collections"]
        assert found == {
            "id": indicators.id,
            "title": "Indicators of distillation",
            "alias": "indicators",
            "can_read": read,
            "can_write": write,
            "media_types": ["application/stix+json;version=2.1"],
        }
        for name in (indicators.id, "indicators"):
            assert ask(who, "GET", f"/intel/collections/{name}/").json == found
    assert ask(ACME, "GET", "/intel/collections/hidden/").status == 404
    assert ask(NOBODY, "GET", f"/intel/collections/{indicators.id}/").status == 404


@pytest.mark.parametrize(
    ("who", "read", "write", "both"),
    [(ACME, 200, 202, 200), (READER, 200, 403, 403), (WRITER, 403, 202, 403),
     (NOBODY, 404, 404, 404), (None, 401, 401, 401), ("sw-wrong", 401, 401, 401)],
)  # fmt: skip
def test_each_endpoint_asks_for_the_right_that_it_needs(
    ask: Ask, at: str, who: str | None, read: int, write: int, both: int
) -> None:
    add(ask, at, indicator(1))
    objects = {"objects": [indicator(1)]}
    for path in ("objects/", "manifest/", f"objects/{ONE}/", f"objects/{ONE}/versions/"):
        assert ask(who, "GET", at + path).status == read, path
    assert ask(who, "POST", f"{at}objects/", objects).status == write
    assert ask(who, "DELETE", f"{at}objects/{ONE}/").status == both


def test_who_may_only_write_does_not_even_delete_what_is_their_own(ask: Ask, at: str) -> None:
    add(ask, at, indicator(1), who=WRITER)
    assert ask(WRITER, "DELETE", f"{at}objects/{ONE}/").status == 403
    assert ask(ACME, "GET", f"{at}objects/{ONE}/").status == 200


def test_the_body_of_who_may_not_write_is_not_read(ask: Ask, at: str) -> None:
    headers = {"content-length": str(Bounds().largest_body + 1)}
    assert ask(READER, "POST", f"{at}objects/", b"{", headers=headers).status == 403


def test_who_gives_no_token_is_told_how_to(ask: Ask) -> None:
    for route in ROUTES:
        refused = ask(None, route.method, re.sub(r"\{\w+\}", "x", route.path))
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith('Basic realm="TAXII"')
        assert refused.headers["content-type"] == TAXII
        assert refused.json["title"]
        assert refused.json["http_status"] == "401"


@pytest.mark.parametrize("scheme", ["Bearer {}", "bearer {}", "Token {}", "Basic {}"])
def test_a_token_may_come_in_any_of_the_ways_that_clients_know(
    ask: Ask, tokens: dict[str, str], scheme: str
) -> None:
    secret = tokens[ACME]
    if scheme.startswith("Basic"):
        secret = base64.b64encode(f"any name:{secret}".encode()).decode()
    given = {"authorization": scheme.format(secret)}
    assert ask(None, "GET", "/taxii2/", headers=given).status == 200


def test_adding_answers_with_a_status_that_can_be_asked_for_again(ask: Ask, at: str) -> None:
    answer = add(ask, at, indicator(1), {"type": "indicator", "id": "x"}, indicator(2))
    assert (answer.status, answer.headers["content-type"]) == (202, TAXII)
    status = answer.json
    assert uuid.UUID(status["id"]).version == 4
    assert status["status"] == "complete"
    assert STAMP.fullmatch(status["request_timestamp"])
    counts = ("total_count", "success_count", "failure_count", "pending_count")
    assert [status[each] for each in counts] == [3, 2, 1, 0]
    assert status["successes"] == [
        {"id": indicator(n)["id"], "version": "2026-01-01T00:00:00.000Z"} for n in (1, 2)
    ]
    assert [each["id"] for each in status["failures"]] == ["x"]
    assert status["failures"][0]["message"].startswith("id:")
    assert "pendings" not in status
    for path in (f"/intel/status/{status['id']}/", f"/intel/status/{status['id']}"):
        assert ask(ACME, "GET", path).json == status
    assert ask(OTHER, "GET", f"/intel/status/{status['id']}/").status == 404
    assert ask(ACME, "GET", f"/intel/status/{uuid.uuid4()}/").status == 404


def test_pages_lead_to_each_other_with_next_and_with_added_after(ask: Ask, at: str) -> None:
    sent = [indicator(n) for n in range(1, 8)]
    add(ask, at, *sent)
    for way in ("next", "added_after"):
        seen, query = [], ""
        while True:
            page = ask(ACME, "GET", f"{at}objects/?limit=3{query}")
            first, last = (page.headers[f"x-taxii-date-added-{w}"] for w in ("first", "last"))
            assert STAMP.fullmatch(first)
            assert first < last or len(page.json["objects"]) == 1
            seen += page.json["objects"]
            assert len(page.json["objects"]) <= 3
            if not page.json.get("more"):
                assert "next" not in page.json
                break
            query = f"&{way}=" + (page.json["next"] if way == "next" else last)
        assert seen == sent
    end = ask(ACME, "GET", f"{at}objects/?added_after={last}")
    assert (end.status, end.body, "x-taxii-date-added-last" in end.headers) == (200, b"{}", False)


def test_a_manifest_describes_what_the_same_question_would_fetch(ask: Ask, at: str) -> None:
    address = {"type": "ipv4-addr", "id": f"ipv4-addr--{ONE[11:]}", "value": "::"}
    add(ask, at, indicator(1), address, indicator(1, 10))
    for query in ("", "?match[version]=all", "?match[type]=ipv4-addr", "?limit=1", "?match[id]=x"):
        objects, manifest = (ask(ACME, "GET", at + p + query) for p in ("objects/", "manifest/"))
        records = manifest.json.get("objects", [])
        assert [r["id"] for r in records] == [o["id"] for o in objects.json.get("objects", [])]
        assert manifest.json.get("more") == objects.json.get("more")
        assert manifest.headers.get("x-taxii-date-added-last") == objects.headers.get(
            "x-taxii-date-added-last"
        )
        for record, found in zip(records, objects.json.get("objects", []), strict=True):
            assert STAMP.fullmatch(record["date_added"])
            assert record["version"] == found.get("modified", record["date_added"])
            assert record["media_type"] == "application/stix+json;version=2.1"


def test_one_object_is_fetched_in_the_versions_that_are_asked_for(ask: Ask, at: str) -> None:
    versions = [indicator(1, n) for n in (10, 20, 30)]
    add(ask, at, *versions, indicator(2))
    url = f"{at}objects/{ONE}/"
    assert ask(ACME, "GET", url).json == {"objects": [versions[2]]}
    assert ask(ACME, "GET", f"{url}?match[version]=first").json == {"objects": [versions[0]]}
    assert ask(ACME, "GET", f"{url}?match[version]=all").json == {"objects": versions}
    middle = versions[1]["modified"]
    assert ask(ACME, "GET", f"{url}?match[version]={middle},first").json == {
        "objects": versions[:2]
    }
    assert ask(ACME, "GET", f"{url}?match[version]=2020-01-01T00:00:00Z").json == {}
    assert ask(ACME, "GET", f"{url}versions/").json == {
        "versions": [each["modified"] for each in versions]
    }
    paged = ask(ACME, "GET", f"{url}versions/?limit=2").json
    assert (len(paged["versions"]), paged["more"]) == (2, True)
    for path in (f"objects/{indicator(9)['id']}/", "objects/x/", "objects/x/versions/"):
        assert ask(ACME, "GET", at + path).status == 404


def test_deleting_takes_a_version_or_all_of_them(ask: Ask, at: str) -> None:
    add(ask, at, *(indicator(1, n) for n in (10, 20, 30)))
    url = f"{at}objects/{ONE}/"
    gone = ask(ACME, "DELETE", f"{url}?match[version]=last")
    assert (gone.status, gone.body, gone.headers["content-type"]) == (200, b"", TAXII)
    assert len(ask(ACME, "GET", f"{url}versions/").json["versions"]) == 2
    assert ask(OTHER, "DELETE", url).status == 403
    assert ask(ACME, "DELETE", url).status == 200
    assert ask(ACME, "GET", url).status == 404
    assert ask(ACME, "DELETE", url).status == 404
    assert ask(ACME, "GET", f"{at}manifest/").json == {}


@pytest.mark.parametrize(
    ("accept", "status"),
    [(TAXII, 200), ("application/taxii+json", 200), ("application/taxii+json; version=2.1", 200),
     ('application/TAXII+json; Version="2.1"', 200), ("*/*", 200), ("application/*;q=0.1", 200),
     ("", 200), (f"application/json, {TAXII};q=0.5", 200), ("application/json", 406),
     ("application/taxii+json;version=2.0", 406), ("application/vnd.oasis.taxii+json", 406),
     (f"*/*, {TAXII};q=0", 406), ("text/*", 406), ("nonsense", 406)],
)  # fmt: skip
def test_the_media_type_of_an_answer_is_negotiated(ask: Ask, accept: str, status: int) -> None:
    answer = ask(ACME, "GET", "/taxii2/", headers={"accept": accept})
    assert (answer.status, answer.headers["content-type"]) == (status, TAXII)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [(TAXII, 202), ("application/taxii+json", 202), ("application/taxii+json; version=2.1", 202),
     ("application/taxii+json;charset=utf-8", 202), ("application/json", 415), ("", 415),
     ("application/taxii+json;version=2.0", 415), ("application/stix+json;version=2.1", 415),
     ("application/taxii+json;charset=utf-16", 415)],
)  # fmt: skip
def test_the_media_type_of_a_body_is_looked_at(
    ask: Ask, at: str, content_type: str, status: int
) -> None:
    body = {"objects": [indicator(1)]}
    headers = {"content-type": content_type}
    assert ask(ACME, "POST", f"{at}objects/", body, headers=headers).status == status


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "limit=1&limit=2", "limit=" + "9" * 30, "limit=",
     "added_after=yesterday", "added_after=", "next=x", "next=-1", "next=" + "9" * 30,
     "match[version]=x", "match[version]=all,first", "match[version]=first,first",
     "match[type]=a&match[type]=b", "match[version]=", "added_after=2026-13-01T00:00:00Z",
     "&".join(f"a{n}=1" for n in range(100))],
)  # fmt: skip
def test_a_malformed_query_is_refused(ask: Ask, at: str, query: str) -> None:
    add(ask, at, indicator(1))
    for path in ("objects/", "manifest/"):
        refused = ask(ACME, "GET", f"{at}{path}?{query}")
        assert refused.status == 400, query
        assert refused.json["title"]


@pytest.mark.parametrize("query", ["match[colour]=red", "match[id]=%00", "match[type]=%ff,%20"])
def test_what_nothing_can_match_is_no_mistake(ask: Ask, at: str, query: str) -> None:
    add(ask, at, indicator(1))
    found = ask(ACME, "GET", f"{at}objects/?{query}")
    assert (found.status, "objects" in found.json) == (200, "colour" in query)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"objects": []}', b'{"objects": {}}', b'{"objects": NaN}',
     b'{"objects": [{"type": "x", "type": "y"}]}', b"\xff", b"[" * 100_000, b'{"objects": [1e999]}',
     b'{"objects": [%s]}' % (b"9" * 10_000), b'{"a\\ud800": 1, "a\\ud800": 1}',
     b'{"objects": [%s]}' % b",".join([b"0"] * (MOST_IN_REQUEST + 1))],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_a_body_that_is_no_envelope_is_refused_whole(ask: Ask, at: str, body: bytes) -> None:
    refused = ask(ACME, "POST", f"{at}objects/", body)
    if body == b'{"objects": [1e999]}':  # an infinity is JSON by its form; the object is refused
        assert refused.json["failure_count"] == 1
    else:
        assert (refused.status, refused.json["http_status"]) == (422, "422")
    assert ask(ACME, "GET", f"{at}objects/").json == {}


def test_a_body_that_was_to_go_on_adds_nothing_however_whole_it_looks(ask: Ask, at: str) -> None:
    body = {"objects": [indicator(1)]}
    assert ask(ACME, "POST", f"{at}objects/", body, leaves=True).status == 400
    assert ask(ACME, "GET", f"{at}objects/").json == {}


def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    ask: Ask, at: str, application: TaxiiServer
) -> None:
    largest = Bounds().largest_body
    headers = {"content-length": str(largest + 1)}
    assert ask(ACME, "POST", f"{at}objects/", b"{", headers=headers).status == 413
    assert ask(ACME, "POST", f"{at}objects/", b" " * (largest + 1)).status == 413
    # one of the size that is allowed is read, and has nothing in it
    assert ask(ACME, "POST", f"{at}objects/", b" " * largest).status == 422


def test_a_ten_megabyte_object_and_a_deep_one_do_no_harm(ask: Ask, at: str) -> None:
    large = indicator(1, name="x" * 10_000_000)
    assert add(ask, at, large).json["success_count"] == 1
    assert ask(ACME, "GET", f"{at}objects/").json == {"objects": [large]}
    deep = indicator(2, labels=json.loads("[" * 500 + "]" * 500))
    assert add(ask, at, deep, indicator(3)).json["success_count"] == 1


def test_other_methods_and_paths_are_refused(ask: Ask, at: str) -> None:
    refused = ask(ACME, "PUT", f"{at}objects/")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, POST")
    assert ask(ACME, "GET", "/").status == 404
    assert ask(ACME, "GET", f"{at}nothing/").status == 404
    assert ask(ACME, "POST", "/taxii2/").status == 405
    head = ask(ACME, "HEAD", "/taxii2/")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("bounds", [Bounds(requests_per_minute=3)])
def test_who_asks_too_much_is_told_when_to_come_back(ask: Ask, bounds: Bounds) -> None:
    assert [ask(ACME, "GET", "/taxii2/").status for _ in range(3)] == [200] * 3
    refused = ask(ACME, "GET", "/taxii2/")
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert ask(OTHER, "GET", "/taxii2/").status == 200


@pytest.mark.parametrize("bounds", [Bounds(objects_per_day=3)])
def test_who_adds_too_much_in_a_day_adds_nothing_more(ask: Ask, at: str, bounds: Bounds) -> None:
    assert add(ask, at, indicator(1), indicator(2)).status == 202
    refused = add(ask, at, indicator(3), indicator(4))
    assert (refused.status, "taxii-objects" in refused.json["description"]) == (429, True)
    assert add(ask, at, indicator(3)).status == 202
    assert len(ask(ACME, "GET", f"{at}objects/").json["objects"]) == 3


def test_a_store_that_fails_is_said_to_be_away_and_nothing_else(
    ask: Ask, at: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StorageError("the disk is full", path="/secret/place")

    monkeypatch.setattr(store.members, "rights_of", fails)
    refused = ask(ACME, "GET", "/intel/")
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert b"secret" not in refused.body


def test_requests_are_counted_by_endpoint(ask: Ask, at: str) -> None:
    add(ask, at, indicator(1))
    ask(None, "GET", "/taxii2/")
    page = ask(None, "GET", "/metrics").body.decode()
    assert 'stillwatch_taxii_requests_total{route="add",status="202"} 1.0' in page
    assert 'stillwatch_taxii_requests_total{route="none",status="401"} 1.0' in page
    assert ask(None, "GET", "/healthz").status == 200
