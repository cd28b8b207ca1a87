"""Hits become actions with an end, and end with what caused them: nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from stillwatch.access.enforcement import ActionStore
from stillwatch.cases import Cases, Draft, Finding, Item, Measure, Who
from stillwatch.errors import SettingsError
from stillwatch.intel.received import BlockRules, Imported, Received, read_block_rules
from stillwatch.intel.received.erasure import erase_account, held
from tests.cases.conftest import draft, finding
from tests.intel.received.conftest import AT, DAY, NOW, A, B, C, Clock, Provider, matched

Takes = Callable[..., Imported]
RULES = BlockRules(measure="slow", seconds=5.0)
ANA, SCAN = Who(name="ana"), Who(name="scan", person=False)


@pytest.fixture
def in_force(received: Received, clock: Clock) -> Callable[[], dict[str, str]]:
    """Account → what is done to it."""
    store = ActionStore(received.database, clock)
    return lambda: {each.subject: each.kind for each in store.in_force()}


InForce = Callable[[], dict[str, str]]


def decide(received: Received, clock: Clock, verdict: str, *accounts: str) -> str:
    """A case of our own about some accounts, decided by a person; its id."""
    cases = Cases(received.database, clock)
    found: Finding = finding(id=f"c-{verdict}-{'-'.join(accounts)}", accounts=list(accounts))
    [case] = cases.intake.open([found], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, Item(kind="counter", text="asked sales: no contract"))
    said: Draft = draft(verdict=verdict, measures=())
    if verdict == "dismissed":
        said = draft(verdict=verdict, measures=(), reason="no-breach", without_terms="")
    cases.bench.propose(case, ANA, said)
    return case


def test_one_sender_is_never_enough_to_act(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    told = A.tells("card-1")
    takes(told, A.tells("card-1"))  # twice by the same one is still one
    received.keep_hits(matched(told, "acct-1"))
    applied = received.apply(RULES)
    assert (applied.made, in_force()) == ((), {})
    assert "fewer than 2 senders" in next(iter(applied.held_back))


def test_two_senders_slow_the_account_until_one_of_them_ends(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1", days=3)
    takes(told, B.tells("card-1", days=2))
    received.keep_hits(matched(told, "acct-1"))
    assert len(received.apply(RULES).made) == 1
    assert received.apply(RULES).made == ()  # once
    assert in_force() == {"acct-1": "slow"}
    [block] = received.blocks()
    assert (block.expires_at, len(block.indicators)) == (NOW + 2 * DAY, 2)
    clock.now += 2 * DAY
    assert in_force() == {}


def test_a_retraction_ends_what_it_caused_with_its_import_and_only_that(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    first, second = A.tells("card-1"), A.tells("card-2")
    takes(first, second, B.tells("card-1"), B.tells("card-2"))
    received.keep_hits(matched(first, "acct-1"))
    received.keep_hits(matched(second, "acct-2"))
    received.apply(RULES)
    assert takes(A.takes_back(first)).ended == 1
    assert in_force() == {"acct-2": "slow"}
    assert [each.ended_why for each in received.blocks() if each.account == "acct-1"] == [
        "too few senders are left"
    ]


def test_what_a_third_sender_still_tells_stays(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    received.add_member(C.identity, "provider-3", C.key.public, "ana")
    first = A.tells("card-1")
    takes(first, B.tells("card-1"), C.tells("card-1"))
    received.keep_hits(matched(first, "acct-1"))
    received.apply(RULES)
    assert takes(A.takes_back(first)).ended == 0
    assert in_force() == {"acct-1": "slow"}


def test_a_member_who_is_removed_takes_its_word_along(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    first = A.tells("card-1")
    takes(first, B.tells("card-1"))
    received.keep_hits(matched(first, "acct-1"))
    received.apply(RULES)
    assert len(received.remove_member(B.identity, "ana")) == 1
    assert in_force() == {}
    assert received.indicators() != []


def test_sunset_ends_a_block_that_rested_on_it(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    first = A.tells("card-1", days=20)
    takes(first, B.tells("card-1", days=20))
    received.keep_hits(matched(first, "acct-1"))
    received.apply(RULES)
    sooner = (AT + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    takes(A.changes(first, AT + timedelta(hours=1), valid_until=sooner))
    clock.now += DAY
    assert len(received.apply(RULES).ended) == 1
    assert in_force() == {}


def test_a_case_of_our_own_confirms_what_one_sender_told(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1")
    takes(told)
    received.keep_hits(matched(told, "acct-1", "acct-2"))
    case = decide(received, clock, "upheld", "acct-1")
    assert len(received.apply(RULES).made) == 2
    assert in_force() == {"acct-1": "slow", "acct-2": "slow"}
    # an appeal suspends the verdict, and what rested on it
    Cases(received.database, clock).desk.appeal(case, SCAN, "we evaluate", through="mail")
    received.apply(RULES)
    assert in_force() == {}


def test_a_wording_acts_on_accounts_of_upheld_cases_and_on_no_others(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1", "acct-2", "honest", kind="wording"))
    decide(received, clock, "upheld", "acct-1", "acct-2")
    received.apply(RULES)
    assert in_force() == {"acct-1": "slow", "acct-2": "slow"}


def test_an_account_that_people_cleared_is_left_alone(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1", "acct-2"))
    decide(received, clock, "dismissed", "acct-1")
    received.apply(RULES)
    assert in_force() == {"acct-2": "slow"}


def test_who_is_allow_listed_is_left_alone(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1"))
    Cases(received.database, clock).registry.allow("acct-1", "research", DAY, "a contract", ANA)
    received.apply(RULES)
    assert in_force() == {}


@pytest.mark.parametrize(
    ("accounts", "claimed"),
    [(12, "1-9"), (201, "100-999"), (60, "10-99")],
    ids=["more than told", "more than one effort has", "a good part"],
)
def test_an_indicator_that_meets_a_crowd_does_nothing(
    received: Received, takes: Takes, in_force: InForce, accounts: int, claimed: str
) -> None:
    told = A.tells("card-1", accounts=claimed)
    takes(told, B.tells("card-1", accounts=claimed))
    names = [f"acct-{number}" for number in range(accounts)]
    received.keep_hits(matched(told, *names, of=1_000 if accounts < 200 else 10_000))
    received.apply(RULES)
    assert in_force() == {}


def test_a_sender_whose_indicators_are_refuted_time_and_again_counts_no_more(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    for number in range(6):
        wrong = A.tells(f"innocent-{number}")
        takes(wrong)
        received.keep_hits(matched(wrong, f"innocent-{number}"))
        decide(received, clock, "dismissed", f"innocent-{number}")
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1"))
    received.apply(RULES)
    assert in_force() == {}
    liar, other = received.reputations()
    assert (liar.refuted, liar.most < 0.5, other.most) == (6, True, 1.0)


def test_sightings_of_other_members_count_for_a_sender_and_its_own_do_not(
    received: Received, takes: Takes
) -> None:
    told = A.tells("card-1")
    takes(told)

    def seen(by: Provider, outcome: str) -> None:
        takes(by.author.sighting(
            told["id"], outcome, exchanges=12, first_seen=AT, last_seen=AT, now=AT
        ))  # fmt: skip

    seen(A, "confirmed")
    assert received.reputations()[0].confirmed == 0
    seen(B, "refuted")
    assert received.reputations()[0].refuted == 0  # one alone
    received.add_member(C.identity, "provider-3", C.key.public, "ana")
    seen(C, "refuted")
    assert (received.reputations()[0].confirmed, received.reputations()[0].refuted) == (0, 1)


def test_without_a_rule_nothing_is_done(
    received: Received, takes: Takes, in_force: InForce
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1"))
    assert received.apply(BlockRules()).made == ()
    assert in_force() == {}


def test_what_a_person_ended_is_not_begun_again_by_the_same_hit(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1"))
    [action] = received.apply(RULES).made
    ActionStore(received.database, clock).undo(action, "ana")
    assert received.apply(RULES).made == ()
    takes(A.takes_back(told, AT + timedelta(hours=2)))  # ends what has ended without a word
    assert in_force() == {}


def test_rules_are_read_from_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "stillwatch.yaml"
    path.write_text(
        "intel:\n  blocking:\n    measure: narrow\n    surface: {logprobs: 0}\n"
        "    lasting_days: 3\n    senders: 3\n    confirmed: false\n"
    )
    rules = read_block_rules(path)
    assert (rules.measure, rules.surface, rules.lasting) == ("narrow", {"logprobs": 0}, 3 * DAY)
    assert (rules.senders, rules.confirmed) == (3, False)
    assert read_block_rules(None).measure is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("measure: suspend", "automation does nothing harder"),
        ("measure: slow", "is needed to slow"),
        ("{measure: slow, seconds: 900}", "at most 60"),
        ("{measure: slow, seconds: 5, senders: 1}", "must be 2 to"),
        ("{measure: slow, seconds: 5, lasting_days: 91}", "must be 1 to 90"),
        ("{measure: narrow, surface: {logprob: 0}}", "no field 'logprob'"),
        ("{measure: slow, seconds: 5, sender: 2}", "did you mean 'senders'"),
    ],
)
def test_rules_that_automation_may_not_have_are_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "stillwatch.yaml"
    path.write_text(f"intel:\n  blocking:\n    {text}\n")
    with pytest.raises(SettingsError, match=said):
        read_block_rules(path)


def test_a_measure_of_a_case_stays_when_indicators_are_taken_back(
    received: Received, takes: Takes, in_force: InForce, clock: Clock
) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1"))
    received.apply(RULES)
    cases = Cases(received.database, clock)
    [case] = cases.intake.open([finding(accounts=["acct-1"])], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, Item(kind="counter", text="asked sales: no contract"))
    strict = (Measure(kind="narrow", surface={"logprobs": 0}, lasting=DAY),)
    cases.bench.propose(case, ANA, draft(measures=strict))
    takes(A.takes_back(told), B.takes_back(B.tells("card-9")))
    assert in_force() == {"acct-1": "narrow"}


def test_what_nobody_tells_any_more_is_forgotten(
    received: Received, takes: Takes, clock: Clock
) -> None:
    told = A.tells("card-1", days=5)
    takes(told, B.tells("card-1", days=5))
    received.keep_hits(matched(told, "acct-1"))
    received.apply(RULES)
    clock.now += 6 * DAY
    received.apply(RULES)
    assert [kind for kind, _ in held(received.database, "acct-1")] == ["block"]
    clock.now += 91 * DAY
    received.apply(BlockRules())
    assert list(held(received.database, "acct-1")) == []


def test_what_is_kept_of_an_account_is_shown_and_erased(received: Received, takes: Takes) -> None:
    told = A.tells("card-1")
    takes(told, B.tells("card-1"))
    received.keep_hits(matched(told, "acct-1", "acct-2"))
    received.apply(RULES)
    assert {kind for kind, _ in held(received.database, "acct-1")} == {"indicator_hit", "block"}
    assert erase_account(received.database, "acct-1") == 2
    assert list(held(received.database, "acct-1")) == []
    assert len(list(held(received.database, "acct-2"))) == 2
