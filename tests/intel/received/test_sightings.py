"""Sightings of others' indicators: each once, no account in them, anew when a case decided."""

from __future__ import annotations

import json
from collections.abc import Callable

from stillwatch.intel.profile import check_seal, extension_of, validate
from stillwatch.intel.received import Imported, Received
from tests.intel.received.conftest import A, B, C, Clock, matched
from tests.intel.received.test_blocking import decide

Takes = Callable[..., Imported]


def test_an_indicator_that_met_an_account_is_told_once_and_nobody_is_named(
    received: Received, takes: Takes
) -> None:
    told = A.tells("card-1")
    takes(told, A.tells("card-2"))
    received.keep_hits(matched(told, "acct-1", "acct-2"))
    [seen] = received.sightings(C.author)
    validate(seen)
    check_seal(seen, C.key.public)
    own = extension_of(seen)
    assert (seen["sighting_of_ref"], own["outcome"], own["count"]) == (told["id"], "matched", "1-9")
    assert "acct" not in json.dumps(seen)
    assert seen["first_seen"].endswith(":00:00Z")  # to the hour
    assert received.sightings(C.author) == []
    assert received.sightings(C.author, every=True) == [seen]  # whose bundle was lost


def test_a_verdict_makes_a_later_version_of_the_same_sighting(
    received: Received, takes: Takes, clock: Clock
) -> None:
    told = A.tells("card-1")
    takes(told)
    received.keep_hits(matched(told, "acct-1", "acct-2"))
    [first] = received.sightings(C.author)
    decide(received, clock, "upheld", "acct-1")
    [second] = received.sightings(C.author)
    assert (second["id"], extension_of(second)["outcome"]) == (first["id"], "confirmed")
    assert second["modified"] > first["modified"]
    check_seal(second, C.key.public)
    assert received.sightings(C.author) == []


def test_what_was_taken_back_is_not_sighted(received: Received, takes: Takes) -> None:
    told = A.tells("card-1")
    takes(told)
    received.keep_hits(matched(told, "acct-1", "acct-2"))
    takes(A.takes_back(told))
    assert received.sightings(C.author) == []


def test_the_sender_reads_what_others_saw(received: Received, takes: Takes) -> None:
    told = A.tells("card-1")
    takes(told)
    received.keep_hits(matched(told, "acct-1", "acct-2"))
    made = received.sightings(B.author)
    takes(*made)  # as the sender would
    [seen] = received.seen()
    assert (seen.indicator, seen.member, seen.outcome) == (told["id"], "provider-2", "matched")
    received.remove_member(B.identity, "ana")
    assert received.seen() == []
