"""Conversations that wander between accounts."""

from pathlib import Path

import numpy as np
import pytest

from stillwatch.detections import Abstained
from stillwatch.detections.prefixes import Prefixes
from tests.detections.exchanges import START, Log, Row, exchange, judged

STRANGERS = range(100, 300)


def conversation(accounts: list[int], seed: int, **columns: object) -> list[Row]:
    """One conversation of five requests; each is sent by the next of `accounts`, around."""
    chain = np.random.default_rng(seed).integers(1 << 40, size=9).tolist()
    return [
        exchange(
            accounts[turn % len(accounts)],
            START + seed + turn,
            turns=2 * turn + 1,
            prefixes=chain[: 2 * turn + 1],
            **columns,
        )
        for turn in range(5)
    ]


def honest() -> list[Row]:
    return [row for each in STRANGERS for row in conversation([each], each)]


def relayed(pool: list[int], conversations: int = 30, **columns: object) -> list[Row]:
    random = np.random.default_rng(1)
    return [
        row
        for number in range(conversations)
        for row in conversation(random.permutation(pool).tolist(), 1_000 + number, **columns)
    ]


def test_a_relays_accounts_are_one_pool(tmp_path: Path) -> None:
    found = Log(honest() + relayed([1, 2, 3, 4, 5, 6]), tmp_path).find(Prefixes())
    assert set(found.links["account"].to_pylist()) == {1, 2, 3, 4, 5, 6}
    assert len(set(found.links["object"].to_pylist())) == 1
    assert set(found.scores) == {1, 2, 3, 4, 5, 6}


def test_two_relays_are_two_pools(tmp_path: Path) -> None:
    rows = honest() + relayed([1, 2, 3, 4, 5]) + [
        row | {"prefixes": [p + 1 for p in row["prefixes"]]} for row in relayed([6, 7, 8, 9])
    ]  # fmt: skip
    links = Log(rows, tmp_path).find(Prefixes()).links.to_pylist()
    pools = {
        o: {e["account"] for e in links if e["object"] == o} for o in {e["object"] for e in links}
    }
    assert sorted(map(sorted, pools.values())) == [[1, 2, 3, 4, 5], [6, 7, 8, 9]]


def test_wandering_conversations_are_evidence_that_no_template_explains(tmp_path: Path) -> None:
    pool = [1, 2, 3, 4, 5, 6]
    (said,) = judged(Prefixes(), honest() + relayed(pool), tmp_path, pool)
    assert (said.value, said.base_rate, said.explained) == (1.0, 0.0, False)
    assert said.weight > 3


def test_where_only_the_shared_wording_wanders_it_is_explained(tmp_path: Path) -> None:
    pool = [1, 2, 3, 4, 5, 6]
    rows = honest() + relayed(pool, asks=1)
    (said,) = judged(Prefixes(), rows, tmp_path, pool, styled=lambda row: row["asks"] == 1)
    assert said.explained


def test_one_companys_accounts_may_share_a_conversation(tmp_path: Path) -> None:
    rows = honest() + relayed([1, 2, 3, 4], org=77)
    found = Log(rows, tmp_path).find(Prefixes())
    assert not found.links.num_rows


def test_a_fixed_beginning_is_no_conversation(tmp_path: Path) -> None:
    shots = [7, 8, 9]  # worked examples: the same first messages before every question
    rows = honest() + [
        exchange(account, START + use, turns=4, prefixes=[*shots, 1_000 * account + use])
        for account in range(1, 7)
        for use in range(10)
    ]
    assert not Log(rows, tmp_path).find(Prefixes()).scores


@pytest.mark.parametrize("prefill", [None, True])
def test_a_dictated_answer_is_not_taken_for_the_models(
    prefill: bool | None, tmp_path: Path
) -> None:
    rows = honest() + [
        exchange(account, START + use, turns=3, prefixes=[5, 6, 7], prefill=prefill)
        for account in (1, 2, 3)
        for use in range(2)
    ]
    assert bool(Log(rows, tmp_path).find(Prefixes()).scores) is (prefill is None)


def test_long_conversations_that_miss_the_cache_are_evidence(tmp_path: Path) -> None:
    def tokens(row: Row, cached: float) -> Row:
        return row | {"prompt_tokens": 4_000, "cached_tokens": int(4_000 * cached)}

    pool = [1, 2, 3, 4, 5, 6]
    rows = [tokens(row, 0.8) for row in honest()] + [
        tokens(row, 0.02) for each in pool for row in conversation([each], each)
    ]
    (said,) = judged(Prefixes(), rows, tmp_path, pool)
    assert "cache" in said.text
    assert (said.value, said.base_rate, said.explained) == (1.0, 0.0, False)


def test_without_conversations_it_abstains(tmp_path: Path) -> None:
    with pytest.raises(Abstained, match="conversations"):
        Log([exchange(1), exchange(2)], tmp_path).find(Prefixes())


def test_a_conversation_of_two_busy_accounts_stays_a_common_one(tmp_path: Path) -> None:
    """Of each account a sample of requests is kept: of the same conversations on both sides."""
    busy = [row for number in range(150) for row in conversation([1, 2], 1_000 + number)]
    log = Log(busy, tmp_path)
    with_states = sum(row["turns"] >= 3 for row in busy)
    log.run(Prefixes().stages(1))
    kept, shared = len(log.rows("states_1")), {row[-1] for row in log.rows("shared_states_1")}
    assert kept < with_states / 4
    assert len(shared) > kept / 8
