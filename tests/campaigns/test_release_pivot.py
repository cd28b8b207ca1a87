"""A group that moves to a new model on the day that it appears."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stillwatch.campaigns.judging import COUNTS
from stillwatch.campaigns.release_pivot import first_uses, judge_release_pivot, released
from stillwatch.detections import Evidence, Family, Rows
from tests.detections.exchanges import DAY, HOUR, START, Log, exchange
from tests.detections.groups import beside, rows

DAYS, RELEASE = 5, 3
OTHERS = range(1_000, 1_150)


def users(
    rng: np.random.Generator,
    accounts: range,
    move: float,
    *,
    day: int = RELEASE,
    models: Sequence[str | None] = ("old", "new"),
) -> Rows:
    """Accounts active every day; from `day` on a part of them uses the second model."""
    account = np.repeat(np.array(accounts), DAYS)
    on = np.tile(np.arange(DAYS), len(accounts))
    moves = np.repeat(rng.random(len(accounts)) < move, DAYS) & (on >= day)
    hour = rng.integers(24, size=len(account))
    at = START + on * DAY + np.where(on == RELEASE, hour // 2, hour) * HOUR
    return rows(account, at=at, model=[models[int(new)] for new in moves])


def new_models(*parts: Rows) -> dict[str, int]:
    """What the log, these exchanges, first shows a day or more after its beginning."""
    first: dict[str, int] = {}
    for part in parts:
        for name, at in zip(part.names("model"), part.ints("at").tolist(), strict=True):
            first[name] = min(at, first.get(name, at))
    began = min(first.values())
    return {name: at for name, at in first.items() if name is not None and at >= began + DAY}


def said(ours: Rows, others: Rows) -> list[Evidence]:
    return list(judge_release_pivot(beside(ours, others), new_models(ours, others)))


@pytest.mark.parametrize("usual", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("accounts", [5, 30])
def test_groups_that_move_like_everybody_else_hardly_ever_count(
    usual: float, accounts: int
) -> None:
    rng = np.random.default_rng(1)
    others = users(rng, OTHERS, usual)
    found = [said(users(rng, range(accounts), usual), others) for _ in range(100)]
    assert np.mean([any(each.weight >= COUNTS for each in some) for some in found]) <= 0.02
    assert np.mean([bool(some) for some in found]) <= 0.05


def test_a_pool_that_moves_as_one_while_few_others_do_is_evidence() -> None:
    rng = np.random.default_rng(2)
    others = users(rng, OTHERS, 0.05)
    for _ in range(20):
        (found,) = said(users(rng, range(30), 0.9), others)
        assert found.weight >= COUNTS
        assert (found.family, found.speaks_for) == (Family.TIME, True)
        assert 0.6 < found.value <= 1.0
        assert found.base_rate is not None
        assert found.base_rate < 0.1


def test_a_vendor_that_moves_everybody_is_no_evidence() -> None:
    rng = np.random.default_rng(3)
    assert said(users(rng, range(30), 1.0), users(rng, OTHERS, 0.6)) == []


def test_half_of_a_group_is_the_least_that_moves_as_one() -> None:
    rng = np.random.default_rng(4)
    assert said(users(rng, range(200), 0.3), users(rng, OTHERS, 0.02)) == []


def test_accounts_that_follow_a_day_later_did_not_move_on_the_first() -> None:
    rng = np.random.default_rng(5)
    others = users(rng, OTHERS, 0.05)
    assert said(users(rng, range(30), 1.0), others) != []
    assert said(users(rng, range(30), 1.0, day=RELEASE + 1), others) == []


def test_a_model_in_use_from_the_beginning_was_not_released() -> None:
    rng = np.random.default_rng(6)
    ours = users(rng, range(30), 1.0, models=("ours", "ours"))
    assert said(ours, users(rng, OTHERS, 0.0)) == []


def test_a_group_with_four_active_accounts_or_a_log_with_few_others_tells_nothing() -> None:
    rng = np.random.default_rng(7)
    others = users(rng, OTHERS, 0.05)
    assert said(users(rng, range(4), 1.0), others) == []
    assert said(users(rng, range(5), 1.0), others) != []
    assert said(users(rng, range(30), 1.0), users(rng, range(1_000, 1_019), 0.0)) == []


def test_a_log_that_names_no_models_tells_nothing() -> None:
    rng = np.random.default_rng(8)
    silent = users(rng, range(30), 1.0, models=(None, None))
    assert said(silent, users(rng, OTHERS, 0.05)) == []


def test_rows_without_a_model_among_others_do_no_harm() -> None:
    rng = np.random.default_rng(9)
    others = users(rng, OTHERS, 0.05, models=(None, "new"))
    (found,) = said(users(rng, range(30), 1.0, models=(None, "new")), others)
    assert found.value == 1.0


def test_more_accounts_that_move_weigh_more_up_to_the_ceiling() -> None:
    rng = np.random.default_rng(10)
    others = users(rng, OTHERS, 0.05)
    few, more, many = (said(users(rng, range(n), 1.0), others)[0].weight for n in (6, 9, 300))
    assert few < more < many == 4.0


def test_a_vendor_that_moves_everybody_does_not_hide_what_a_pool_moves_to() -> None:
    """All take up A on one day; two days later most of the pool takes up B, and few others do."""
    rng = np.random.default_rng(11)

    def life(accounts: range, moves: float) -> Rows:
        account = np.repeat(np.array(accounts), DAYS)
        on = np.tile(np.arange(DAYS), len(accounts))
        at = START + on * DAY + rng.integers(1, 12, size=len(account)) * HOUR
        to_b = np.repeat(rng.random(len(accounts)) < moves, DAYS) & (on >= 3)
        model = np.where(to_b, "b", np.where(on >= 1, "a", "old"))
        return rows(account, at=at, model=model.tolist())

    others = life(OTHERS, 0.05)
    (found,) = said(life(range(30), 0.8), others)
    assert found.weight >= COUNTS
    assert found.value < 1.0  # all of the pool moved to A, of which nothing is said
    assert found.base_rate == pytest.approx(0.05, abs=0.05)
    assert said(life(range(30), 0.05), others) == []


def test_of_two_models_that_a_pool_moves_to_the_more_telling_one_is_named() -> None:
    """To A the whole pool moves, and every fourth of the others; to B most of the pool, alone."""
    rng = np.random.default_rng(12)

    def life(accounts: range, to_a: float, to_b: float) -> Rows:
        account = np.repeat(np.array(accounts), DAYS)
        on = np.tile(np.arange(DAYS), len(accounts))
        at = START + on * DAY + rng.integers(1, 12, size=len(account)) * HOUR
        a, b = (
            np.repeat(rng.random(len(accounts)) < move, DAYS) & (on == day)
            for move, day in ((to_a, 2), (to_b, 4))
        )
        model = np.where(a, "a", np.where(b, "b", "old"))
        return rows(account, at=at, model=model.tolist())

    (found,) = said(life(range(40), 1.0, 0.8), life(OTHERS, 0.25, 0.02))
    assert found.base_rate is not None
    assert found.base_rate < 0.1


def test_a_model_that_the_log_knew_before_is_no_release_however_few_used_it(
    tmp_path: Path,
) -> None:
    seen = [exchange(1, START, model="old"), exchange(2, START + HOUR, model="rare")]
    seen += [exchange(3, START + 3 * DAY, model=name) for name in ("old", "rare", "new")]
    assert released(first_uses(Log(seen, tmp_path))) == {"new": START + 3 * DAY}
