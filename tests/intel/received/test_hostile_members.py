"""A member that lies, or whose key leaked, harms no customer of ours and silences nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from stillwatch.access.enforcement import ActionStore
from stillwatch.cases import Cases
from stillwatch.intel.received import Imported, Received
from stillwatch.ledger import SigningKey
from tests.intel.received.conftest import AT, DAY, NOW, A, B, C, Clock, Provider, matched
from tests.intel.received.test_blocking import ANA, RULES, InForce, decide, in_force

__all__ = ["in_force"]

Takes = Callable[..., Imported]


def seen(by: Provider, told: dict[str, object], outcome: str) -> dict[str, object]:
    """What a member says became of an indicator there."""
    return by.author.sighting(
        str(told["id"]), outcome, exchanges=12, first_seen=AT, last_seen=AT, now=AT
    )


def test_a_crowd_that_a_later_log_shows_holds_for_who_was_met_before(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "early"))
    received.keep_hits(matched(told, *(f"later-{n}" for n in range(150)), of=100_000))
    assert received.apply(RULES).made == ()
    assert in_force() == {}


def test_a_crowd_that_grows_over_several_logs_is_one(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    for log in range(4):
        received.keep_hits(matched(told, *(f"{log}-{n}" for n in range(60)), of=100_000))
    assert received.apply(RULES).made == ()


def test_what_was_begun_ends_when_its_pattern_turns_out_to_be_a_crowds(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "early"))
    received.apply(RULES)
    assert in_force() == {"early": "slow"}
    received.keep_hits(matched(told, *(f"later-{n}" for n in range(150)), of=100_000))
    received.apply(RULES)
    assert in_force() == {}


def test_what_was_begun_ends_when_the_account_is_allow_listed(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1"))
    received.apply(RULES)
    Cases(received.database, clock).registry.allow("acct-1", "research", DAY, "a contract", ANA)
    received.apply(RULES)
    assert in_force() == {}


def test_who_claims_a_crowd_for_anothers_indicator_does_not_stand_beside_it(
    received: Received, takes: Takes
) -> None:
    """One sender tells of nine at most, another of a hundred: to the first, twenty are a crowd."""
    told = A.tells("card-1", accounts="1-9")
    takes(told, B.tells("card-1", accounts="100-999"))
    received.keep_hits(matched(told, *(f"acct-{n}" for n in range(20))))
    assert received.apply(RULES).made == ()


def test_a_block_ends_by_itself_when_too_few_senders_are_left(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1", days=5)
    takes(told, B.tells("card-1", days=2))
    received.keep_hits(matched(told, "acct-1"))
    received.apply(RULES)
    clock.now += 2 * DAY  # and the job that would end it does not run
    assert in_force() == {}


def test_what_a_person_ended_is_not_begun_again_after_its_time_either(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1", days=60)
    takes(told, B.tells("card-1", days=60))
    received.keep_hits(matched(told, "acct-1"))
    [action] = received.apply(RULES).made
    ActionStore(received.database, clock).undo(action, "ana")
    clock.now += 8 * DAY
    held = received.apply(RULES).held_back
    assert (in_force(), list(held)) == ({}, ["people ended such an action on the account"])


def test_one_member_alone_cannot_silence_another_by_refuting_it(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    for number in range(12):
        wrong = A.tells(f"card of a campaign {number}")
        takes(wrong, seen(B, wrong, "refuted"))
    told = A.tells("card-1")
    received.add_member(C.identity, "provider-3", C.key.public, "ana")
    takes(told, C.tells("card-1"))
    received.keep_hits(matched(told, "acct-1"))
    received.apply(RULES)
    assert in_force() == {"acct-1": "slow"}


def test_what_several_members_refute_counts_once_an_indicator(
    received: Received, takes: Takes
) -> None:
    received.add_member(C.identity, "provider-3", C.key.public, "ana")
    for number in range(6):
        wrong = A.tells(f"innocent-{number}")
        takes(wrong, seen(B, wrong, "refuted"), seen(C, wrong, "refuted"))
    liar = next(each for each in received.reputations() if each.sender == A.identity)
    assert (liar.refuted, liar.most < 0.5) == (6, True)


def test_praise_of_others_does_not_outweigh_what_our_own_cases_decided(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    received.add_member(C.identity, "provider-3", C.key.public, "ana")
    for number in range(6):
        wrong = A.tells(f"innocent-{number}")
        takes(wrong)
        received.keep_hits(matched(wrong, f"innocent-{number}"))
        decide(received, clock, "dismissed", f"innocent-{number}")
    for number in range(40):
        praised = A.tells(f"card of a friend {number}")
        takes(praised, seen(B, praised, "confirmed"), seen(C, praised, "confirmed"))
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1"))
    received.apply(RULES)
    assert in_force() == {}


def test_who_copies_the_ids_of_another_does_not_inherit_what_was_seen_of_them(
    received: Received, takes: Takes
) -> None:
    received.add_member(C.identity, "provider-3", C.key.public, "ana")
    told = A.tells("card-1")
    takes(told)
    takes(B.tells("innocent", named=told["id"]))
    takes(seen(C, told, "confirmed"), seen(B, told, "confirmed"))
    found = {each.sender: each.confirmed for each in received.reputations()}
    assert (found[A.identity], found[B.identity]) == (1, 0)


def test_what_a_leaked_key_sealed_stays_dead_when_the_member_is_back_with_another(
    received: Received, takes: Takes
) -> None:
    forged = B.tells("innocent")  # by whoever holds the key that leaked
    takes(forged)
    received.remove_member(B.identity, "ana")
    fresh = SigningKey(b"n" * 32)
    received.add_member(B.identity, "provider-2", fresh.public, "ana")
    assert received.indicators() == []
    assert takes(forged).fresh == 0
    assert received.indicators() == []


def test_a_member_who_is_back_with_the_same_key_is_believed_as_before(
    received: Received, takes: Takes
) -> None:
    takes(B.tells("card-1"))
    received.remove_member(B.identity, "ana")
    received.add_member(B.identity, "provider-2", B.key.public, "ana")
    assert len(received.indicators()) == 1


def test_what_a_member_took_back_while_it_was_removed_holds_when_it_is_back(
    received: Received, takes: Takes
) -> None:
    told = B.tells("card-1")
    takes(told)
    received.remove_member(B.identity, "ana")
    assert takes(B.takes_back(told)).apart == 1
    received.add_member(B.identity, "provider-2", B.key.public, "ana")
    assert received.indicators() == []


def test_what_a_stranger_told_counts_from_when_it_is_a_member(
    received: Received, takes: Takes
) -> None:
    takes(C.tells("card-1"), A.tells("card-2"))
    received.add_member(C.identity, "provider-3", C.key.public, "ana")
    assert {each.sender for each in received.indicators()} == {A.identity, C.identity}


def test_what_a_stranger_did_not_seal_stays_apart_from_the_member(
    received: Received, takes: Takes
) -> None:
    takes(C.tells("card-1") | {"name": "changed"})
    received.add_member(C.identity, "provider-3", C.key.public, "ana")
    assert received.indicators() == []


@pytest.mark.parametrize("accounts", [1, 2])
def test_nobody_learns_by_an_indicator_whether_one_account_is_a_customer_of_ours(
    received: Received, takes: Takes, accounts: int
) -> None:
    """Every card of a competitor's customers, told as indicators, would list those we share."""
    told = A.tells("a card of a customer of theirs")
    takes(told)
    received.keep_hits(matched(told, *(f"acct-{n}" for n in range(accounts))))
    assert len(received.sightings(C.author)) == (accounts > 1)


def test_an_end_that_its_sender_brought_forward_holds_when_the_old_version_comes_again(
    received: Received, takes: Takes, clock: Clock
) -> None:
    told = A.tells("card-1", days=60)
    shorter = A.changes(
        told, AT + timedelta(hours=1), valid_until=(AT + timedelta(days=1)).strftime("%FT%TZ")
    )
    takes(shorter)
    clock.now = NOW + 20 * DAY
    takes(told)
    assert received.indicators() == []
