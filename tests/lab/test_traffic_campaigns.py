"""Campaigns in the traffic: what their members share, and how they move, relay and hide."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from stillwatch.exchange import RawExchange
from stillwatch.lab.corpus import Corpus
from stillwatch.lab.traffic import (
    Arrival,
    Failover,
    Tier,
)
from tests.lab.test_traffic import (
    HOUR,
    SMALL,
    corpus,
    labels,
    new_text,
    planted,
    rows,
    traffic,
)

__all__ = ["corpus", "labels", "rows", "traffic"]


def test_members_share_what_the_leaks_say_and_innocents_do_not(
    rows: list[RawExchange], labels: list[dict[str, object]]
) -> None:
    payments: dict[bool, dict[str, set[str]]] = {True: defaultdict(set), False: defaultdict(set)}
    for row, label in zip(rows, labels, strict=True):
        if row.payment is not None and row.org is None:
            payments[label["campaign"] is not None][row.payment].add(row.account)
    shared = [len(accounts) for accounts in payments[True].values()]
    assert max(shared) >= 3
    schools = {r.payment for r, la in zip(rows, labels, strict=True) if la["kind"] == "classroom"}
    assert all(len(a) == 1 for p, a in payments[False].items() if p not in schools)


def test_strangers_share_addresses_of_offices_vpns_and_carriers(
    rows: list[RawExchange], labels: list[dict[str, object]]
) -> None:
    orgs: dict[str, set[str]] = defaultdict(set)
    for row, label in zip(rows, labels, strict=True):
        if label["campaign"] is None and row.ip is not None:
            orgs[row.ip].add(row.org or row.account)
    assert sum(len(found) >= 3 for found in orgs.values()) >= 10


def test_attack_parameters_are_values_that_innocent_accounts_use(
    rows: list[RawExchange], labels: list[dict[str, object]]
) -> None:
    def values(attack: bool) -> set[tuple[object, ...]]:
        return {
            pair
            for row, label in zip(rows, labels, strict=True)
            if label["attack"] is attack
            for pair in (
                ("t", row.temperature),
                ("m", row.max_tokens),
                ("p", row.top_p),
                ("s", row.stream),
            )
        }

    assert values(True) <= values(False)


def test_a_blocked_pool_falls_silent_and_another_one_takes_over_within_hours(
    corpus: Corpus,
) -> None:
    attack, _ = planted(corpus, days=4.0, failover=Failover(day=2.0, share=0.5, lag_hours=3.0))
    blocked = [row for row in attack if row.blocked_at is not None]
    spare = [row for row in attack if row.blocked_at is None]
    assert blocked
    assert all(row.at <= row.blocked_at for row in blocked)  # type: ignore[operator]
    end, start = max(row.at for row in blocked), min(row.at for row in spare)
    assert 2 * HOUR < start - end < 12 * HOUR


def test_a_pivot_puts_half_of_the_campaign_into_the_day_after_a_release(corpus: Corpus) -> None:
    attack, _ = planted(
        corpus, days=4.0, release_day=2.0, arrival=Arrival.PIVOT, share=None, per_account=30
    )
    release = int(SMALL.begins.timestamp() * 1e6) + 48 * HOUR
    after = sum(release <= row.at < release + 24 * HOUR for row in attack)
    assert 0.5 < after / len(attack) < 0.8
    assert {row.model for row in attack if row.at > release} == {"meridian-large-5"}


def test_a_scattering_relay_sends_one_conversation_through_several_accounts(
    corpus: Corpus,
) -> None:
    attack, _ = planted(
        corpus, family="prefix_scatter", tier=Tier.T4, cover=0.0, share=None, per_account=20
    )
    senders: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for row in attack:
        if row.messages is not None and len(row.messages) >= 3:
            senders[row.messages[:3]].append(row.account)
    long_talks = [found for found in senders.values() if len(found) >= 3]
    assert len(long_talks) >= 10
    assert sum(len(set(found)) >= 2 for found in long_talks) > 0.9 * len(long_talks)
    long = [row for row in attack if len(row.messages or ()) >= 5]
    assert np.mean([row.cached_tokens / row.prompt_tokens for row in long]) < 0.5  # type: ignore[operator]


def test_a_cleaner_sends_answers_of_other_accounts_back_in(corpus: Corpus) -> None:
    attack, _ = planted(corpus, family="cleaner", cover=0.0, share=None, per_account=12)
    answered: dict[str, str] = {}
    returned = 0
    for row in attack:
        text = new_text(row)
        sender = next((a for t, a in answered.items() if t in text), None)
        returned += sender is not None and sender != row.account
        if row.completion is not None and len(row.completion) > 60:
            answered[row.completion] = row.account
    assert returned > 0.2 * len(attack)


def test_relayed_users_are_strangers_to_each_other_under_one_account(corpus: Corpus) -> None:
    attack, _ = planted(
        corpus, family="user_relay", tier=Tier.T4, cover=0.0, share=None, per_account=30
    )
    harnesses: dict[str, set[str | None]] = defaultdict(set)
    for row in attack:
        harnesses[row.account].add(row.system)
    assert np.mean([len(found) for found in harnesses.values()]) >= 3


def test_the_new_tool_is_taken_up_in_the_middle_by_accounts_that_were_there_before(
    rows: list[RawExchange], labels: list[dict[str, object]]
) -> None:
    first = rows[0].at
    adopted = [r for r, la in zip(rows, labels, strict=True) if la["kind"] == "new_tool"]
    assert adopted
    assert all(row.at > first + 9 * HOUR for row in adopted)
    earlier = {row.account for row in rows if row.at < first + 9 * HOUR}
    assert len(earlier & {row.account for row in adopted}) >= 0.3 * len(
        {r.account for r in adopted}
    )
