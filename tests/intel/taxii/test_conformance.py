"""Clients that others wrote, unmodified, against the real server process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stix2
import taxii2client.v21 as taxii
from stix2.datastore import DataSourceError
from taxii2client.common import TokenAuth

from tests.intel.taxii.conftest import ACME, READER, WRITER, Served, indicator


@pytest.fixture
def collection(fresh: Served) -> Iterator[taxii.Collection]:
    with taxii.Collection(fresh.at, user=ACME, password=fresh.tokens[ACME]) as found:
        yield found


def test_taxii2_client_finds_its_way_from_discovery(fresh: Served) -> None:
    with taxii.Server(f"{fresh.url}taxii2/", auth=TokenAuth(fresh.tokens[READER])) as server:
        assert (server.title, [root.title for root in server.api_roots]) == (
            "Stillwatch",
            ["Stillwatch: intel"],
        )
        root = server.default
        assert root.versions == ["application/taxii+json;version=2.1"]
        assert root.max_content_length == 10 * 2**20
        [mine] = [each for each in root.collections if each.id == fresh.collection.id]
        assert (mine.can_read, mine.can_write, mine.alias) == (True, False, fresh.collection.alias)


def test_taxii2_client_adds_pages_filters_and_deletes(collection: taxii.Collection) -> None:
    sent = [indicator(n) for n in range(1, 24)]
    status = collection.add_objects({"objects": [*sent, {"type": "indicator", "id": "x"}]})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 23, 1)
    status.refresh()
    assert [each["id"] for each in status.failures] == ["x"]

    pages = list(taxii.as_pages(collection.get_objects, per_request=10))
    assert [len(page["objects"]) for page in pages] == [10, 10, 3]
    assert [each for page in pages for each in page["objects"]] == sent
    records = [
        each for page in taxii.as_pages(collection.get_manifest, per_request=10)
        for each in page["objects"]
    ]  # fmt: skip
    assert [each["id"] for each in records] == [each["id"] for each in sent]
    behind = collection.get_objects(added_after=records[19]["date_added"])
    assert behind["objects"] == sent[20:]

    collection.add_objects({"objects": [indicator(1, 30)]})
    one = sent[0]["id"]
    assert collection.get_objects(id=one, version="first")["objects"] == [sent[0]]
    assert collection.get_objects(type=["indicator", "malware"], id=one)["objects"] == [
        indicator(1, 30)
    ]
    assert collection.get_object(one, version="all")["objects"] == [sent[0], indicator(1, 30)]
    assert collection.object_versions(one)["versions"] == [
        sent[0]["modified"],
        indicator(1, 30)["modified"],
    ]
    collection.delete_object(one, version=sent[0]["modified"])
    assert collection.object_versions(one)["versions"] == [indicator(1, 30)["modified"]]
    collection.delete_object(one)
    with pytest.raises(requests.HTTPError, match="404"):
        collection.get_object(one)


def test_taxii2_client_is_told_what_it_may_not(fresh: Served) -> None:
    unknown = taxii.Collection(fresh.at, user="x", password="sw-wrong")
    with unknown, pytest.raises(requests.HTTPError, match="401"):
        unknown.get_objects()
    with taxii.Collection(fresh.at, user="x", password=fresh.tokens[WRITER]) as writer:
        assert (writer.can_read, writer.can_write) == (False, True)
        assert writer.add_objects({"objects": [indicator(1)]}).success_count == 1


def every_kind() -> list[Any]:
    """Objects as the library makes them: all that STIX knows how to tell apart."""
    who = stix2.v21.Identity(name="Acme", identity_class="organization")
    campaign = stix2.v21.Campaign(name="Harvest", created_by_ref=who.id)
    seen = stix2.v21.Indicator(
        pattern="[ipv4-addr:value = '192.0.2.1']", pattern_type="stix", created_by_ref=who.id,
        valid_from="2026-01-01T00:00:00Z", object_marking_refs=[stix2.v21.TLP_GREEN],
    )  # fmt: skip
    extension = stix2.v21.ExtensionDefinition(
        name="x", schema="https://example.org/x", version="1.0.0", created_by_ref=who.id,
        extension_types=["property-extension"],
    )  # fmt: skip
    return [
        who,
        stix2.v21.TLP_GREEN,
        campaign,
        seen,
        extension,
        stix2.v21.Relationship(seen, "indicates", campaign),
        stix2.v21.Sighting(seen.id, where_sighted_refs=[who.id]),
        stix2.v21.IPv4Address(value="192.0.2.1"),
        stix2.v21.Note(content="x", object_refs=[campaign.id]),
    ]


def test_stix2_reads_back_every_kind_of_object_that_it_wrote(collection: taxii.Collection) -> None:
    """An extension definition, whose version is no time, makes the reference server answer 500."""
    made = every_kind()
    stix2.TAXIICollectionSink(collection).add(made)
    source = stix2.TAXIICollectionSource(collection, items_per_page=4)
    found = source.query()
    assert sorted(each.id for each in found) == sorted(each.id for each in made)
    for each in made:
        assert source.get(each.id) == each
    assert [each.id for each in source.query([stix2.Filter("type", "=", "campaign")])] == [
        made[2].id
    ]
    assert source.get(f"campaign--{uuid.uuid4()}") is None


def test_stix2_sees_all_versions_and_the_last_one(collection: taxii.Collection) -> None:
    first = stix2.v21.Campaign(name="Harvest")
    second = first.new_version(name="Harvest, again")
    last = second.revoke()
    store = stix2.TAXIICollectionStore(collection)
    for each in (first, second, last):
        store.add(each)
    assert store.get(first.id) == last
    assert [v.name for v in sorted(store.all_versions(first.id), key=lambda v: v.modified)] == [
        "Harvest",
        "Harvest, again",
        "Harvest, again",
    ]


def test_stix2_may_not_read_where_the_token_may_not(fresh: Served) -> None:
    writer = taxii.Collection(fresh.at, user="x", password=fresh.tokens[WRITER])
    with writer, pytest.raises(DataSourceError, match="read access"):
        stix2.TAXIICollectionSource(writer)
