"""Taking in what others told: all or nothing, once, each refusal with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from stillwatch.errors import IndicatorError
from stillwatch.intel.profile import Seal, bundle
from stillwatch.intel.received import Imported, Received, open_received, read_objects
from stillwatch.intel.received.schema import APART, OBJECTS, REFUSALS
from stillwatch.ledger import Ledger
from tests.intel.received.conftest import AT, DAY, A, B, C, Clock

Takes = Callable[..., Imported]


def ids(received: Received) -> set[str]:
    return {each.id for each in received.indicators()}


def test_what_a_member_sealed_is_taken_in_once(received: Received, takes: Takes) -> None:
    told = A.tells("card-1")
    first, again = takes(told, told), takes(told)
    assert (first.fresh, first.known, again.fresh, again.known) == (1, 1, 0, 1)
    assert ids(received) == {told["id"]}


def test_what_a_stranger_sealed_is_kept_apart_and_does_nothing(
    received: Received, takes: Takes
) -> None:
    told = takes(C.tells("card-1"))
    assert (told.fresh, told.apart, told.refused) == (0, 1, ())
    assert ids(received) == set()
    with received.database.reading() as (connection, _):
        [reason] = connection.execute(select(APART.c.reason)).scalars()
    assert reason == "its sender is no member"


def test_what_somebody_sealed_in_the_name_of_a_member_is_refused(
    received: Received, takes: Takes
) -> None:
    forged = Seal.sign(A.tells("card-1"), C.key)
    changed = A.tells("card-2") | {"valid_until": "2027-01-01T00:00:00.000Z"}
    bare = {k: v for k, v in A.tells("card-3").items() if k != "extensions"}
    told = takes(forged, changed, bare)
    assert [(each.place, told.fresh) for each in told.refused] == [(1, 0), (2, 0), (3, 0)]
    assert "sealed with" in told.refused[0].reason
    assert "changed after it was sealed" in told.refused[1].reason
    assert "no seal" in told.refused[2].reason
    assert ids(received) == set()


def test_the_newest_version_counts_whatever_order_versions_come_in(
    received: Received, takes: Takes
) -> None:
    first = A.tells("card-1")
    second = A.changes(first, AT + timedelta(hours=1), confidence=70)
    third = A.changes(second, AT + timedelta(hours=2), confidence=80)
    takes(second)
    takes(third, first)
    with received.database.reading() as (connection, _):
        rows = connection.execute(select(OBJECTS.c.body).where(OBJECTS.c.newest)).scalars()
        [newest] = [json.loads(body) for body in rows]
    assert newest["confidence"] == 80


def test_what_was_taken_back_stays_so_though_the_old_is_sent_again(
    received: Received, takes: Takes
) -> None:
    told = A.tells("card-1")
    back = A.takes_back(told)
    takes(told)
    assert takes(back).revoked == 1
    assert ids(received) == set()
    assert takes(told).known == 1  # a replay
    later = A.changes(told, AT + timedelta(hours=5), confidence=90)
    assert "took it back" in takes(later).refused[0].reason
    assert ids(received) == set()


def test_what_is_taken_back_before_it_arrives_never_counts(
    received: Received, takes: Takes
) -> None:
    told = A.tells("card-1")
    takes(A.takes_back(told))
    takes(told)
    assert ids(received) == set()


def test_a_retraction_that_comes_late_counts_against_versions_after_it(
    received: Received, takes: Takes
) -> None:
    told = A.tells("card-1")
    takes(told, A.changes(told, AT + timedelta(hours=5), confidence=90))
    takes(A.takes_back(told))  # an hour after the first
    assert ids(received) == set()


def test_a_second_text_of_one_version_is_refused(received: Received, takes: Takes) -> None:
    told = A.tells("card-1")
    takes(told)
    other = Seal.sign(told | {"name": "something else"}, A.key)
    assert "of this id and time" in takes(other).refused[0].reason


def test_nobody_takes_the_id_of_another_members_object(received: Received, takes: Takes) -> None:
    told = A.tells("card-1")
    stolen = B.tells("card-2", named=told["id"])
    takes(stolen)
    takes(told)
    back = B.takes_back(stolen)
    assert takes(back).revoked == 1
    assert {(each.sender, each.id) for each in received.indicators()} == {(A.identity, told["id"])}


def test_a_clock_that_is_ahead_hides_no_true_version(received: Received, takes: Takes) -> None:
    told = A.tells("card-1")
    ahead = A.changes(told, AT + timedelta(days=3), confidence=10)
    refused = takes(ahead, told).refused
    assert ["in the future" in each.reason for each in refused] == [True]
    assert ids(received) == {told["id"]}


def test_an_indicator_ends_when_its_sender_says(
    received: Received, takes: Takes, clock: Clock
) -> None:
    takes(A.tells("card-1", days=2))
    clock.now += 2 * DAY - 1
    assert len(ids(received)) == 1
    clock.now += 1
    assert ids(received) == set()


def test_objects_of_every_type_are_kept_also_unknown_ones(received: Received, takes: Takes) -> None:
    author = A.author
    things = [
        author.described("Provider A", AT),
        author.make("tool", AT, {"name": "a harness"}),
        author.make("malware", AT, {"name": "none", "is_family": False}),
        author.make("x-of-somebody", AT, {"x_field": [1, {"deep": ["er"]}]}),
    ]
    told = takes(*things)
    assert (told.fresh, told.refused) == (len(things), ())
    assert ids(received) == set()


def test_an_indicator_of_an_address_is_kept_and_never_looked_for(
    received: Received, takes: Takes
) -> None:
    told = A.author.make(
        "indicator",
        AT,
        {
            "pattern": "[ipv4-addr:value = '198.51.100.1']",
            "pattern_type": "stix",
            "valid_from": "2026-09-01T00:00:00.000Z",
            "valid_until": "2026-12-01T00:00:00.000Z",
        },
    )
    assert takes(told).fresh == 1
    assert ids(received) == set()


@pytest.mark.parametrize(
    "pattern",
    [
        "[x-stillwatch-digest:payment = 'deadbeef']",
        "[x-stillwatch-digest:payment = '" + "0" * 32 + "'] OR [x-stillwatch-digest:ip = '1']",
        "[x-stillwatch-digest:ip = '" + "0" * 32 + "']",
        "[x-stillwatch-digest:payment MATCHES '.*']",
        "'; DROP TABLE intel_received_objects; --",
        "[" * 100_000,
    ],
)
def test_a_pattern_that_is_more_than_one_comparison_is_refused(
    received: Received, takes: Takes, pattern: str
) -> None:
    told = Seal.sign(A.tells("card-1") | {"pattern": pattern}, A.key)
    [refusal] = takes(told).refused
    assert "pattern" in refusal.reason
    assert len(refusal.reason) <= 1_000
    assert ids(received) == set()


def test_one_bad_object_spoils_no_other_and_each_is_named(
    received: Received, takes: Takes, tmp_path: Path
) -> None:
    good = A.tells("card-1")
    text = (
        b'{"type": "bundle", "id": "bundle--1", "objects": [{"a": 1, "a": 2}, '
        + json.dumps(good).encode()
        + b', 7, {"type": "indicator"}, {"type": "a", "id": NaN, "deep": '
        + b"[" * 200 + b"]" * 200 + b"}]}"
    )  # fmt: skip
    told = takes(*read_objects(text.replace(b"NaN", b"1")))
    assert told.fresh == 1
    assert [each.place for each in told.refused] == [1, 3, 4, 5]
    with received.database.reading() as (connection, _):
        reasons = connection.execute(select(REFUSALS.c.reason)).scalars().all()
    assert len(reasons) == 4
    assert "given twice" in told.refused[0].reason


def test_an_object_of_ten_megabytes_is_taken_or_refused_by_its_size(takes: Takes) -> None:
    large = A.author.make("x-large", AT, {"x_text": "a" * (10 << 20)})
    assert takes(*read_objects(json.dumps(bundle([large])).encode())).fresh == 1
    larger = json.dumps({"objects": [{"x_text": "a" * (17 << 20)}]}).encode()
    assert "bytes" in takes(*read_objects(larger)).refused[0].reason


def test_nothing_of_a_batch_is_written_when_it_breaks_half_way(
    received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stillwatch.intel.received import store

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(store, "record_import", broken)
    with pytest.raises(Exception, match="disk is gone"):
        received.take_in([A.tells("card-1")], source="a file", by="job")
    assert ids(received) == set()


def test_every_import_is_an_entry_of_the_ledger(
    received: Received, takes: Takes, tmp_path: Path
) -> None:
    takes(A.tells("card-1"), C.tells("card-2"), {"type": "nothing"})
    with Ledger.open(tmp_path / "ledger", create=True) as ledger:
        received.deliver(ledger)
        bodies = [entry.body for _, entry in ledger.entries() if entry.kind == "indicator"]
    [said] = [body for body in bodies if "import" in body]
    assert (said["fresh"], said["apart"], said["refused"]) == (1, 1, 1)
    assert "card-1" not in json.dumps(bodies)


def test_a_member_that_changed_its_key_must_be_removed_first(received: Received) -> None:
    with pytest.raises(IndicatorError, match="another one is pinned"):
        received.add_member(A.identity, "provider-1", C.key.public, "ana")
    received.remove_member(A.identity, "ana")
    received.add_member(A.identity, "provider-1", C.key.public, "ana")
    with pytest.raises(IndicatorError, match="one key speaks for one member"):
        received.add_member(C.identity, "provider-3", C.key.public, "ana")


@pytest.mark.parametrize("text", [b"", b"7", b"{", b"null", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_bundle_at_all_is_refused_in_words(text: bytes) -> None:
    with pytest.raises(IndicatorError, match="this is no bundle"):
        read_objects(text)


def test_bundles_envelopes_lists_and_lines_are_read_alike() -> None:
    things = [A.tells("card-1"), B.tells("card-2")]
    texts = [
        json.dumps(bundle(things)),
        json.dumps({"more": False, "objects": things}),
        json.dumps(things),
        "\n".join(map(json.dumps, things)),
    ]
    assert all(read_objects(text.encode()) == things for text in texts)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner,
                                                               max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Received:
    store = open_received(tmp_path_factory.mktemp("fuzz"), create=True)
    store.add_member(A.identity, "provider-1", A.key.public, "ana")
    return store


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.dictionaries(
    st.sampled_from(["type", "id", "created", "modified", "created_by_ref", "pattern", "revoked",
                     "valid_until", "extensions", "spec_version", "pattern_type", "x"]),
    JSON, max_size=4), sealed=st.booleans())  # fmt: skip
def test_whatever_a_member_sends_is_taken_or_refused_and_nothing_breaks(
    kept: Received, changes: dict[str, Any], sealed: bool
) -> None:
    told: dict[str, Any] = A.tells("card-1") | changes
    if sealed:
        try:
            told = Seal.sign(told, A.key)
        except Exception:
            told = A.tells("card-1") | changes
    before = len(kept.indicators())
    taken = kept.take_in([told], source="fuzz", by="job")
    assert taken.fresh + taken.known + taken.apart + len(taken.refused) == 1
    assert len(kept.indicators()) >= before or taken.revoked


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = read_objects(data)
    except IndicatorError:
        return
    assert isinstance(found, list)
