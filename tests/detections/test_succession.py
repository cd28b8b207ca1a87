"""New accounts step in for blocked ones."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from stillwatch.detections import Abstained, Evidence
from stillwatch.detections.succession import Succession
from tests.detections.exchanges import DAY, HOUR, START, Log, Row, exchange, group

BLOCKED, SPARE = range(1, 11), range(11, 21)
BLOCK = START + 2 * DAY
CELLS = [64 * n for n in range(500, 512)]


def honest(days: float = 4) -> list[Row]:
    """Strangers who begin at any time, each with wordings of its own."""
    random = np.random.default_rng(1)
    return [
        exchange(account, begin + use * HOUR, cells=[64 * (10_000 + account)])
        for account in range(100, 500)
        for begin in [START + int(random.random() * days * DAY)]
        for use in range(3)
    ]


def pool(accounts: range, begin: int, spread: int, **columns: object) -> list[Row]:
    """Accounts with one wording that begin evenly within `spread` after `begin`."""
    return [
        exchange(
            account, begin + place * spread // len(accounts) + use * HOUR, cells=CELLS, **columns
        )
        for place, account in enumerate(accounts, 1)
        for use in range(4)
    ]  # fmt: skip


def failover(lag: int = 0) -> list[Row]:
    return (
        honest() + pool(BLOCKED, START, DAY, blocked_at=BLOCK) + pool(SPARE, BLOCK + lag, 6 * HOUR)
    )


def said(rows: list[Row], members: Iterable[int]) -> list[Evidence]:
    return list(Succession().judge(group(rows, members)))


def test_blocked_accounts_and_their_successors_are_linked(tmp_path: Path) -> None:
    found = Log(failover(), tmp_path).find(Succession())
    assert set(found.links["account"].to_pylist()) == {*BLOCKED, *SPARE}
    assert set(found.scores) == set(SPARE)


def test_accounts_that_begin_days_later_are_no_successors(tmp_path: Path) -> None:
    assert not Log(failover(lag=2 * DAY), tmp_path).find(Succession()).scores


def test_accounts_with_other_wordings_are_no_successors(tmp_path: Path) -> None:
    rows = honest() + pool(BLOCKED, START, DAY, blocked_at=BLOCK)
    assert not Log(rows, tmp_path).find(Succession()).links.num_rows


def test_beginnings_right_after_the_block_are_evidence() -> None:
    (found,) = said(failover(), [*BLOCKED, *SPARE])
    assert found.value > 0.9
    assert 0.3 < found.base_rate < 0.7
    assert found.weight > 2
    assert not found.explained


def test_spare_accounts_that_only_chatted_before_are_successors_too() -> None:
    chat = [exchange(account, START + account * HOUR) for account in SPARE]
    rows = [row | {"asks": 1} for row in failover() if row["account"] < 100] + honest() + chat
    candidate = group(rows, [*BLOCKED, *SPARE], styled=lambda row: row["asks"] == 1)
    (found,) = Succession().judge(candidate)
    assert found.weight > 2


def test_a_tool_that_spreads_before_and_after_the_block_is_not() -> None:
    adopters = pool(range(21, 61), START + DAY, 2 * DAY)
    rows = honest() + adopters + pool(range(1, 5), START, DAY, blocked_at=BLOCK)
    assert said(rows, range(1, 61)) == []


def test_a_new_tools_rush_with_single_blocks_is_not() -> None:
    rows = honest() + pool(range(3, 40), BLOCK, 6 * HOUR)
    rows += pool(range(1, 3), START, DAY, blocked_at=BLOCK)
    assert said(rows, range(1, 40)) == []


def test_where_everybody_begins_after_the_block_it_is_not() -> None:
    late = [row | {"at": row["at"] + 2 * DAY} for row in honest(days=0.5)]
    rows = late + pool(BLOCKED, START, DAY, blocked_at=BLOCK) + pool(SPARE, BLOCK, 6 * HOUR)
    assert said(rows, [*BLOCKED, *SPARE]) == []


@pytest.mark.parametrize("blocked_at", [None, START - 30 * DAY])
def test_without_blocks_in_the_log_it_abstains(blocked_at: int | None, tmp_path: Path) -> None:
    rows = honest() + pool(BLOCKED, START, DAY, blocked_at=blocked_at)
    with pytest.raises(Abstained, match="blocked"):
        Log(rows, tmp_path).find(Succession())
