"""What a store of collections promises, the same on each database."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from stillwatch.errors import CollectionError, StoreFormatError, UnknownCollectionError
from stillwatch.intel.store import (
    Collection,
    Filter,
    Page,
    Status,
    Store,
    Version,
    expiry,
    open_store,
    reading,
)
from stillwatch.intel.store.expiry import STATUS_KEPT
from stillwatch.intel.store.times import written
from tests.intel.store.conftest import ACME, DAY, NOW, OTHER, Clock, indicator

ALL = Version(every=True)


def add(store: Store, collection: Collection, *objects: Any, member: str = ACME) -> Status:
    return store.adder.add(collection, member, objects)


def walk(store: Store, collection: Collection, most: int = 7, **wanted: Any) -> list[Page]:
    """Every page, as a client asks for one after the other."""
    pages = []
    after = None
    while True:
        page = store.reader.page(collection, Filter(after=after, **wanted), most=most)
        pages.append(page)
        if not page.more:
            return pages
        after = page.entries[-1].added


def ids(pages: list[Page]) -> list[str]:
    return [entry.id for page in pages for entry in page.entries]


def test_pages_are_in_the_order_of_adding_and_hold_everything_once(
    store: Store, indicators: Collection
) -> None:
    sent = [indicator(n) for n in range(20, 0, -1)]
    add(store, indicators, *sent)
    pages = walk(store, indicators)
    assert [len(page.entries) for page in pages] == [7, 7, 6]
    assert ids(pages) == [each["id"] for each in sent]
    bodies = [msgspec.json.decode(e.body) for page in pages for e in page.entries]
    assert bodies == sent


def test_pages_miss_nothing_and_repeat_nothing_while_others_write(
    store: Store, indicators: Collection, state: str
) -> None:
    """Each writer has a connection of its own, as processes do."""

    def write(first: int, member: str) -> None:
        with open_store(state) as own:
            for number in range(first, first + 15, 3):
                own.adder.add(indicators, member, [indicator(n) for n in range(number, number + 3)])

    writers = [
        threading.Thread(target=write, args=(1000 * n, member))
        for n, member in enumerate((ACME, OTHER, ACME))
    ]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    after = None
    while True:
        done = not any(writer.is_alive() for writer in writers)
        page = store.reader.page(indicators, Filter(after=after), most=4)
        seen += [entry.added for entry in page.entries]
        after = seen[-1] if seen else None
        if done and not page.more:
            break
    for writer in writers:
        writer.join()
    assert len(seen) == 45
    assert seen == sorted(set(seen))
    assert seen == [e.added for page in walk(store, indicators, most=90) for e in page.entries]


def test_the_order_holds_when_the_clock_goes_back(
    store: Store, indicators: Collection, clock: Clock
) -> None:
    add(store, indicators, indicator(1))
    clock.now -= 3 * DAY
    add(store, indicators, indicator(2))
    clock.now += 5 * DAY
    add(store, indicators, indicator(3))
    [page] = walk(store, indicators)
    assert ids([page]) == [indicator(n)["id"] for n in (1, 2, 3)]
    added = [entry.added for entry in page.entries]
    assert added == sorted(set(added))
    assert added[0] == NOW * 1_000_000
    assert added[2] == round(clock.now * 1e6)


def test_a_place_is_not_given_again_when_what_had_it_is_deleted(
    store: Store, indicators: Collection
) -> None:
    add(store, indicators, indicator(1))
    [before] = [e.added for page in walk(store, indicators) for e in page.entries]
    assert store.reader.delete(indicators, indicator(1)["id"], ALL, ACME) == 1
    add(store, indicators, indicator(1))
    [page] = walk(store, indicators)
    assert page.entries[0].added > before
    assert store.reader.page(indicators, Filter(after=before)).entries == page.entries


def test_the_same_object_again_is_nothing_new_and_no_failure(
    store: Store, indicators: Collection
) -> None:
    one = indicator(1, confidence=80)
    add(store, indicators, one)
    # the same value in other words: another order, another way to write a number
    again = add(store, indicators, {**dict(reversed(one.items())), "confidence": 80.0}, one)
    assert [o.message for o in again.successes] == ["it is here already"] * 2
    assert (again.failures, len(ids(walk(store, indicators)))) == ([], 1)


@pytest.mark.parametrize("modified", ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z"])
def test_the_same_version_with_other_content_is_refused(
    store: Store, indicators: Collection, modified: str
) -> None:
    one = indicator(1)
    add(store, indicators, one)
    changed = add(store, indicators, {**one, "modified": modified, "name": "other"}, indicator(2))
    [failure] = changed.failures
    assert failure.id == one["id"]
    assert "other content" in failure.message
    assert [o.id for o in changed.successes] == [indicator(2)["id"]]
    [page] = walk(store, indicators)
    assert msgspec.json.decode(page.entries[0].body) == one


def test_of_two_contents_in_one_request_the_first_is_kept(
    store: Store, indicators: Collection
) -> None:
    status = add(store, indicators, indicator(1), indicator(1, name="other"), indicator(1))
    assert (len(status.successes), len(status.failures)) == (2, 1)


def test_older_versions_stand_beside_newer_ones(store: Store, indicators: Collection) -> None:
    for modified in (20, 10, 30):  # the oldest is not the first to come
        add(store, indicators, indicator(1, modified))
    add(store, indicators, indicator(2, 5))

    def shown(versions: Version) -> list[str]:
        page = store.reader.page(indicators, Filter(versions=versions))
        return [e.shown[17:19] for e in page.entries]

    assert shown(Version(last=True)) == ["30", "05"]
    assert shown(Version(first=True)) == ["10", "05"]
    assert shown(Version(first=True, last=True)) == ["10", "30", "05"]
    assert shown(ALL) == ["20", "10", "30", "05"]
    assert shown(Version(exact=("2026-01-01T00:00:20",))) == ["20"]
    assert shown(Version()) == []


def test_filters_by_id_and_type_are_all_required(store: Store, indicators: Collection) -> None:
    address = {"type": "ipv4-addr", "id": "ipv4-addr--" + indicator(9)["id"][11:], "value": "::"}
    add(store, indicators, indicator(1), address, indicator(2))
    one = indicator(1)["id"]
    assert ids(walk(store, indicators, types=("ipv4-addr",))) == [address["id"]]
    assert ids(walk(store, indicators, ids=(one, address["id"]))) == [one, address["id"]]
    assert ids(walk(store, indicators, ids=(one,), types=("ipv4-addr",))) == []
    assert ids(walk(store, indicators, ids=())) == []
    assert ids(walk(store, indicators, spec_versions=("2.0",))) == []
    assert len(ids(walk(store, indicators, spec_versions=("2.0", "2.1")))) == 3


def test_an_object_without_a_time_of_its_own_is_one_version(
    store: Store, indicators: Collection, clock: Clock
) -> None:
    address = {"type": "ipv4-addr", "id": "ipv4-addr--" + indicator(9)["id"][11:], "value": "::"}
    first = add(store, indicators, address)
    clock.now += 60
    again = add(store, indicators, address)
    other = add(store, indicators, {**address, "value": "other"})
    assert first.successes[0].version == again.successes[0].version == written(NOW * 1_000_000)
    assert [o.id for o in other.failures] == [address["id"]]
    assert ids(walk(store, indicators, versions=ALL)) == [address["id"]]


def test_what_is_no_object_fails_alone(store: Store, indicators: Collection) -> None:
    status = add(store, indicators, indicator(1), {"id": "x\ud800"}, 5, indicator(2))
    assert len(status.successes) == 2
    assert [o.id for o in status.failures] == ["x?", "unknown"]
    assert store.adder.status(status.id, "intel", ACME) == msgspec.json.decode(
        msgspec.json.encode(status.resource())
    )


def test_a_status_is_for_who_asked_and_goes_after_two_days(
    store: Store, indicators: Collection, clock: Clock
) -> None:
    status = add(store, indicators, indicator(1))
    assert store.adder.status(status.id, "intel", OTHER) is None
    assert store.adder.status(status.id, "elsewhere", ACME) is None
    clock.now += STATUS_KEPT
    store.sweep()
    assert store.adder.status(status.id, "intel", ACME) is not None
    clock.now += 1
    assert store.sweep().statuses == 1
    assert store.adder.status(status.id, "intel", ACME) is None


def test_objects_go_when_their_collection_has_kept_them_beyond_their_end(
    store: Store, indicators: Collection, clock: Clock
) -> None:
    """NOW is 21 September 2026; the collection keeps 30 days."""
    who = {**indicator(5), "type": "identity", "id": "identity--" + indicator(5)["id"][11:]}
    add(
        store,
        indicators,
        indicator(1, valid_until="2026-08-01T00:00:00Z"),
        indicator(2, valid_until="2026-09-01T00:00:00Z"),
        indicator(3),
        who,
    )
    assert store.sweep().objects == 1
    assert ids(walk(store, indicators)) == [indicator(2)["id"], indicator(3)["id"], who["id"]]
    clock.now += 31 * DAY
    assert store.sweep().objects == 2
    assert ids(walk(store, indicators)) == [who["id"]]
    assert store.sweep().objects == 0
    store.collections.keep("indicators", None)
    add(store, indicators, indicator(1, valid_until="2026-01-02T00:00:00Z"))
    assert store.sweep().objects == 0


def test_much_that_has_ended_goes_in_parts(
    store: Store, indicators: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "_AT_ONCE", 4)
    ended = {"valid_until": "2026-08-01T00:00:00Z"}
    add(store, indicators, *(indicator(n, **ended) for n in range(9)), indicator(9))
    assert store.sweep().objects == 9
    assert ids(walk(store, indicators)) == [indicator(9)["id"]]


def test_a_member_deletes_what_it_sent_and_nothing_else(
    store: Store, indicators: Collection
) -> None:
    add(store, indicators, indicator(1), indicator(1, 10))
    add(store, indicators, indicator(1, 20), member=OTHER)
    one = indicator(1)["id"]
    assert store.reader.delete(indicators, one, ALL, ACME) is None
    assert store.reader.delete(indicators, one, Version(last=True), ACME) is None
    assert store.reader.delete(indicators, one, Version(first=True), ACME) == 1
    assert store.reader.delete(indicators, one, Version(first=True), ACME) == 1
    assert store.reader.delete(indicators, one, ALL, OTHER) == 1
    assert store.reader.delete(indicators, one, ALL, OTHER) == 0
    assert not store.reader.has(indicators, one)


def test_only_the_member_of_an_identity_speaks_for_it(store: Store, indicators: Collection) -> None:
    mine = "identity--" + indicator(7)["id"][11:]
    store.members.add(ACME, mine)
    first = indicator(1, created_by_ref=mine)
    forged = indicator(1, 10, created_by_ref=mine, revoked=True)
    unsigned = indicator(1, 20, revoked=True)
    who = {**indicator(7), "type": "identity", "id": mine}
    assert add(store, indicators, first).failures == []
    for each in (forged, unsigned, indicator(2, created_by_ref=mine), who):
        status = add(store, indicators, each, member=OTHER)
        assert [o.message for o in status.failures] == [f"{mine} is the identity of another member"]
    # to repeat what its author said changes nothing, and is no error
    assert add(store, indicators, first, member=OTHER).failures == []
    assert add(store, indicators, forged, who).failures == []


def test_a_new_version_keeps_its_author(store: Store, indicators: Collection) -> None:
    one, two = ("identity--" + indicator(n)["id"][11:] for n in (7, 8))
    add(store, indicators, indicator(1, created_by_ref=one))
    [failure] = add(store, indicators, indicator(1, 5, created_by_ref=two), member=OTHER).failures
    assert "created_by_ref" in failure.message


def test_a_page_ends_where_it_would_be_too_large_but_holds_one_object(
    store: Store, indicators: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 2_500)
    add(store, indicators, *(indicator(n, name="x" * 800) for n in range(5)),
        indicator(9, name="x" * 9_000), indicator(10))  # fmt: skip
    pages = walk(store, indicators, most=100)
    assert [len(page.entries) for page in pages] == [2, 2, 1, 1, 1]
    assert len(set(ids(pages))) == 7


def test_collections_do_not_see_each_other(store: Store, indicators: Collection) -> None:
    other = store.collections.add("other", root="trust")
    add(store, indicators, indicator(1))
    add(store, other, indicator(1, name="x"))
    assert len(ids(walk(store, indicators))) == len(ids(walk(store, other))) == 1
    assert store.reader.delete(other, indicator(1)["id"], ALL, ACME) == 1
    assert len(ids(walk(store, indicators))) == 1


def test_tokens_speak_for_a_member_until_they_end(
    store: Store, indicators: Collection, clock: Clock
) -> None:
    secret, token = store.members.create_token(ACME, DAY)
    found = store.members.bearer(secret)
    assert found == token
    assert store.members.bearer(secret[:-1] + "x") is None
    assert store.members.bearer("x" * 100_000) is None
    clock.now += DAY
    assert store.members.bearer(secret) is None
    secret, token = store.members.create_token(ACME, DAY)
    store.members.revoke_token(token.id)
    assert store.members.bearer(secret) is None
    with pytest.raises(CollectionError, match="must end"):
        store.members.create_token(ACME, 400 * DAY)
    with pytest.raises(UnknownCollectionError):
        store.members.create_token("nobody", DAY)


def test_rights_hold_until_others_are_given(store: Store, indicators: Collection) -> None:
    assert [(c.id, r.read, r.write) for c, r in store.members.rights_of(ACME)] == [
        (indicators.id, True, True)
    ]
    store.members.allow(ACME, "indicators", read=True, write=False)
    assert [(r.read, r.write) for _, r in store.members.rights_of(ACME)] == [(True, False)]
    store.members.allow(ACME, "indicators", read=False, write=False)
    assert store.members.rights_of(ACME) == []
    with pytest.raises(UnknownCollectionError, match="no collection"):
        store.members.allow(ACME, "nothing", read=True, write=True)


def test_names_that_cannot_stand_are_refused(store: Store, indicators: Collection) -> None:
    for alias in ("", "Upper", "a/b", "a b", "-", "x" * 65):
        with pytest.raises(CollectionError, match="alias"):
            store.collections.add(alias)
    with pytest.raises(CollectionError, match="root"):
        store.collections.add("other", root="taxii2")
    with pytest.raises(CollectionError, match="already"):
        store.collections.add("indicators")
    identity = "identity--" + indicator(7)["id"][11:]
    store.members.add(ACME, identity)
    with pytest.raises(CollectionError, match="identity of 'acme'"):
        store.members.add(OTHER, identity)
    with pytest.raises(CollectionError, match="identity"):
        store.members.add(OTHER, "indicator--" + identity[10:])


def test_a_folder_without_a_store_says_how_to_make_one(tmp_path: object) -> None:
    with pytest.raises(StoreFormatError, match="stillwatch intel collection add"):
        open_store(str(tmp_path))


def test_a_retraction_is_not_swept_before_what_it_takes_back(
    store: Store, indicators: Collection, clock: Clock
) -> None:
    """Else who comes later would fetch the earlier version, as if it still held."""
    told = indicator(1, valid_until="2027-03-01T00:00:00Z")
    back = told | {
        "modified": "2026-09-20T00:00:00.000Z", "revoked": True,
        "valid_until": "2026-09-20T00:00:00Z",
    }  # fmt: skip
    add(store, indicators, told, back)
    clock.now += 60 * DAY
    assert store.sweep().objects == 0
    clock.now += 300 * DAY
    assert store.sweep().objects == 2
