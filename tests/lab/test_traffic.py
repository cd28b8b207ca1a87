"""What simulated traffic promises: one seed, disjoint texts, labels, campaigns as configured."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from stillwatch.exchange import RawExchange
from stillwatch.lab.corpus import Corpus, load
from stillwatch.lab.traffic import (
    KINDS,
    LABELS,
    PRESETS,
    Campaign,
    Leaks,
    Scenario,
    Tier,
    Traffic,
    simulate,
)
from stillwatch.lab.traffic.kinds import Kind

HOUR = 3_600_000_000
SMALL = Scenario(
    name="small",
    about="for tests",
    days=1.0,
    accounts=450,
    volume=0.6,
    campaigns=(
        Campaign(
            name="harvest",
            family="reasoning_harvest",
            tier=Tier.T1,
            accounts=20,
            share=0.01,
            cover=0.5,
            leaks=Leaks(payment=1.0, payment_group=5, registration=1.0),
        ),
    ),
)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load()


@pytest.fixture(scope="module")
def traffic(corpus: Corpus) -> Traffic:
    return simulate(SMALL, 11, corpus=corpus)


@pytest.fixture(scope="module")
def rows(traffic: Traffic) -> list[RawExchange]:
    return read(traffic)


@pytest.fixture(scope="module")
def labels(traffic: Traffic) -> list[dict[str, object]]:
    table: list[dict[str, object]] = traffic.labels().to_pylist()
    return table


def read(traffic: Traffic) -> list[RawExchange]:
    return [row for batch in traffic.batches() for row in batch]


def planted(corpus: Corpus, **changes: object) -> tuple[list[RawExchange], list[RawExchange]]:
    """Attack and other rows of a small scenario with one campaign; `changes` go to the campaign."""
    scenario = {k: changes.pop(k) for k in ("days", "release_day") if k in changes}
    campaign = dataclasses.replace(SMALL.campaigns[0], **changes)  # type: ignore[arg-type]
    small = dataclasses.replace(SMALL, accounts=120, campaigns=(campaign,), **scenario)  # type: ignore[arg-type]
    traffic = simulate(small, 5, corpus=corpus)
    attack = traffic.labels()["attack"].to_pylist()
    found: tuple[list[RawExchange], list[RawExchange]] = ([], [])
    for row, is_attack in zip(read(traffic), attack, strict=True):
        found[not is_attack].append(row)
    return found


def new_text(row: RawExchange) -> str:
    return row.prompt if row.messages is None else row.messages[-1].content  # type: ignore[return-value]


def test_the_same_seed_makes_the_same_rows_and_labels(
    traffic: Traffic, rows: list[RawExchange], corpus: Corpus
) -> None:
    again = simulate(SMALL, 11, corpus=corpus)
    assert again.labels().equals(traffic.labels())
    assert read(again) == rows


def test_another_seed_makes_other_accounts(traffic: Traffic, corpus: Corpus) -> None:
    other = simulate(SMALL, 12, corpus=corpus).labels()
    assert not set(traffic.labels()["account"].to_pylist()) & set(other["account"].to_pylist())


def test_rows_come_in_the_order_of_time_within_the_days_of_the_scenario(
    rows: list[RawExchange],
) -> None:
    times = [row.at for row in rows]
    assert times == sorted(times)
    first = int(SMALL.begins.timestamp() * 1e6)
    assert first <= times[0]
    assert times[-1] < first + 24 * HOUR


def test_labels_stand_beside_the_rows_they_are_about(
    traffic: Traffic, rows: list[RawExchange], labels: list[dict[str, object]]
) -> None:
    assert traffic.labels().schema.equals(LABELS)
    assert [(row.request_id, row.account) for row in rows] == [
        (label["request_id"], label["account"]) for label in labels
    ]
    assert len({row.request_id for row in rows}) == len(rows) == traffic.rows


def test_cover_traffic_is_labelled_with_its_campaign_and_is_no_attack(
    labels: list[dict[str, object]],
) -> None:
    ours = [label for label in labels if label["campaign"] == "harvest"]
    attack = {label["kind"] for label in ours if label["attack"]}
    cover = {label["kind"] for label in ours if not label["attack"]}
    assert attack == {"reasoning_harvest"}
    assert cover
    assert cover <= set(SMALL.campaigns[0].cover_kinds)
    assert all(label["attack"] is False for label in labels if label["campaign"] is None)


def test_no_prompt_is_sent_by_two_accounts_unless_its_kind_says_so(
    traffic: Traffic, rows: list[RawExchange]
) -> None:
    assert {kind.kind: kind.crossing for kind in traffic.summary.table() if kind.crossing} == {}


@pytest.fixture(scope="module")
def later(corpus: Corpus) -> list[tuple[RawExchange, str]]:
    """Rows and kinds of the next period."""
    traffic = simulate(dataclasses.replace(SMALL, period=1), 11, corpus=corpus)
    return list(zip(read(traffic), traffic.labels()["kind"].to_pylist(), strict=True))


def test_prompts_of_two_periods_are_disjoint_unless_their_kind_says_so(
    rows: list[RawExchange],
    labels: list[dict[str, object]],
    later: list[tuple[RawExchange, str]],
) -> None:
    private = {name for name, kind in KINDS.items() if kind.repeats is None}
    before = {new_text(r) for r, la in zip(rows, labels, strict=True) if la["kind"] in private}
    after = {new_text(row) for row, kind in later if kind in private}
    assert before & after == set()


def test_accounts_stay_from_one_period_to_the_next(
    rows: list[RawExchange], later: list[tuple[RawExchange, str]]
) -> None:
    before = {row.account: row for row in rows}
    after = {row.account: row for row, _ in later}
    stayed = before.keys() & after.keys()
    assert len(stayed) > 0.8 * len(before)
    innocent = [a for a in stayed if before[a].registered_at == after[a].registered_at]
    assert len(innocent) > 0.8 * len(before)
    assert all(before[a].payment == after[a].payment for a in stayed)


def test_hiding_a_campaign_changes_no_innocent_request(
    rows: list[RawExchange], labels: list[dict[str, object]], corpus: Corpus
) -> None:
    def key(row: RawExchange) -> RawExchange:
        return _without_id(row)

    quiet = read(simulate(dataclasses.replace(SMALL, campaigns=()), 11, corpus=corpus))
    innocent = [
        key(row) for row, label in zip(rows, labels, strict=True) if label["campaign"] is None
    ]
    assert innocent == [key(row) for row in quiet]


def _without_id(row: RawExchange) -> RawExchange:
    copy = RawExchange(**{f: getattr(row, f) for f in RawExchange.__struct_fields__})
    copy.request_id = None
    return copy


def test_an_account_is_the_same_among_few_and_among_many(corpus: Corpus) -> None:
    only = {name: 1.0 if name == "tool_use" else 0.0 for name in KINDS}
    some, more = (
        {
            row.account: (row.payment, row.registered_at, row.model, row.user_agent)
            for row in read(
                simulate(
                    Scenario(name="x", about="", days=0.5, accounts=n, kinds=only), 3, corpus=corpus
                )
            )
        }
        for n in (20, 40)
    )
    assert some.keys() < more.keys()
    assert all(more[name] == value for name, value in some.items())


def test_the_demo_is_large_enough_and_hides_two_campaigns_below_one_percent(
    corpus: Corpus,
) -> None:
    demo = simulate("demo", 1001, corpus=corpus)
    table = demo.labels()
    assert demo.rows >= 150_000
    assert len(set(table["account"].to_pylist())) >= 3_000
    first, second = demo.planted()
    assert first.campaign.family != second.campaign.family
    assert (len(first.accounts), len(second.accounts)) == (120, 60)
    assert 0.007 < first.exchanges / demo.rows <= 0.01
    assert 0.007 < second.exchanges / demo.rows <= 0.01
    innocent = table.filter(
        [campaign is None for campaign in table["campaign"].to_pylist()]
    ).select(["account", "kind"])
    accounts = Counter(
        kind for _, kind in set(zip(*(c.to_pylist() for c in innocent.columns), strict=True))
    )
    assert accounts.keys() == KINDS.keys()
    assert min(accounts.values()) >= 50
    assert accounts["template_user"] >= 200


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
def test_volumes_of_a_kind_are_log_normal_with_a_heavy_tail(kind: Kind) -> None:
    rng = np.random.default_rng(1)
    counts = np.array([kind.volume.draw(rng, 10.0) for _ in range(2_000)])
    assert np.log(counts).std() > 1.0
    assert np.quantile(counts, 0.99) > 8 * np.median(counts)


def test_a_retry_repeats_the_request_that_failed_just_before(rows: list[RawExchange]) -> None:
    last: dict[tuple[str, str], RawExchange] = {}
    repeated = 0
    for row in rows:
        before = last.get((row.account, new_text(row)))
        if before is not None and row.at - before.at < 60_000_000 and before.status != 200:
            repeated += 1
            assert before.completion is None
            assert before.completion_tokens == 0
        last[row.account, new_text(row)] = row
    assert 0.003 < repeated / len(rows) < 0.03


def test_a_conversation_grows_by_its_answer_and_the_next_question(
    rows: list[RawExchange], labels: list[dict[str, object]]
) -> None:
    grown = 0
    last: dict[str, tuple[object, ...]] = {}
    for row, label in zip(rows, labels, strict=True):
        if label["kind"] != "chat" or row.conversation is None or row.messages is None:
            continue
        before = last.get(row.conversation)
        if before is not None and len(row.messages) > len(before):
            assert row.messages[: len(before)] == before
            assert row.messages[len(before)].role == "assistant"
            grown += 1
        last[row.conversation] = row.messages
    assert grown > 50


def test_token_counts_agree_with_each_other(rows: list[RawExchange]) -> None:
    for row in rows:
        assert row.prompt_tokens is not None
        assert row.cached_tokens is not None
        assert row.completion_tokens is not None
        assert row.reasoning_tokens is not None
        assert 0 <= row.cached_tokens < row.prompt_tokens
        assert 0 <= row.reasoning_tokens <= row.completion_tokens
        text = sum(len(m.content.encode()) for m in row.messages or ()) + len(row.system or "")
        assert row.prompt_tokens > (text + len(row.prompt or "")) / 5
    cached = sum(
        row.cached_tokens > 0 for row in rows if row.system and len(row.messages or ()) > 2
    )
    assert cached > 100


def test_without_infrastructure_nothing_tells_where_a_request_came_from(corpus: Corpus) -> None:
    bare = dataclasses.replace(SMALL, accounts=60, days=0.5, infrastructure=False)
    for row in read(simulate(bare, 2, corpus=corpus)):
        assert row.ip is row.asn is row.country is row.ja4 is row.user_agent is None
        assert row.payment is row.device is row.email_domain is row.registered_at is None


def test_a_start_moves_everything_and_changes_nothing_else(corpus: Corpus) -> None:
    moved = dataclasses.replace(SMALL, accounts=60, days=0.5)
    start = datetime(2027, 1, 4, tzinfo=UTC)
    one = read(simulate(moved, 2, corpus=corpus))
    two = read(simulate(dataclasses.replace(moved, start=start), 2, corpus=corpus))
    shift = int((start - moved.begins).total_seconds() * 1e6)
    assert [row.at + shift for row in one[:200]] == [row.at for row in two[:200]]


def test_kinds_with_weight_zero_are_left_out_and_weights_shift_the_rest(corpus: Corpus) -> None:
    only = dict.fromkeys(KINDS, 0.0) | {"rag": 1.0}
    traffic = simulate(Scenario(name="x", about="", accounts=30, kinds=only), 1, corpus=corpus)
    assert set(traffic.labels()["kind"].to_pylist()) == {"rag"}


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_can_be_planned_and_hides_what_it_says(corpus: Corpus, name: str) -> None:
    small = dataclasses.replace(PRESETS[name], accounts=300, volume=0.5)
    planted_ = simulate(small, 4, corpus=corpus).planted()
    assert [found.campaign for found in planted_] == list(small.campaigns)
    for found in planted_:
        assert len(found.accounts) >= 0.8 * min(found.campaign.accounts, found.exchanges)
