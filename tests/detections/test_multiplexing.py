"""Many strangers behind one account."""

from pathlib import Path

import numpy as np
import pytest

from stillwatch.detections.multiplexing import Multiplexing, variety
from tests.detections.exchanges import HOUR, START, Log, Row, exchange, judged

STRANGERS = range(100, 300)
POOL = range(1, 9)


def honest() -> list[Row]:
    """One person an account: a program, a language, office hours."""
    return [
        exchange(
            account, START + hour * HOUR, user_agent=account % 6, accept_language=account % 4,
            toolset=account % 3,
        )
        for account in STRANGERS
        for hour in range(9, 19)
    ]  # fmt: skip


def crowded(accounts: range, **columns: object) -> list[Row]:
    """Accounts that each carry people with several programs and languages, around the clock."""
    random = np.random.default_rng(1)
    return [
        exchange(
            account, START + hour % 24 * HOUR + hour, user_agent=int(random.integers(6)),
            accept_language=int(random.integers(4)), script=int(random.choice([1, 2, 16])),
            **columns,
        )
        for account in accounts
        for hour in range(40)
    ]  # fmt: skip


@pytest.mark.parametrize(("counts", "effective"), [([40], 1.0), ([100] * 4, 4.0), ([97, 3], 1.06)])
def test_variety_counts_values_by_how_much_they_are_used(
    counts: list[int], effective: float
) -> None:
    owner = np.zeros(len(counts), dtype=np.int64)
    assert variety(np.array(counts), owner, 1)[0] == pytest.approx(effective, abs=0.04)


def test_variety_does_not_grow_with_the_volume() -> None:
    random = np.random.default_rng(2)
    few, many = ([variety(np.bincount(random.integers(5, size=n)), np.zeros(5, int), 1)[0]
                  for _ in range(400)] for n in (25, 400))  # fmt: skip
    assert np.mean(few) == pytest.approx(np.mean(many), rel=0.1)


def test_too_few_exchanges_tell_nothing() -> None:
    assert np.isnan(variety(np.array([3, 4]), np.zeros(2, dtype=np.int64), 1)[0])


def test_a_resellers_accounts_score_and_nobody_is_linked(tmp_path: Path) -> None:
    found = Log(honest() + crowded(POOL), tmp_path).find(Multiplexing())
    assert set(found.scores) == set(POOL)
    assert not found.links.num_rows


def test_of_a_large_log_a_part_of_the_exchanges_is_read(tmp_path: Path) -> None:
    log = Log([exchange(1, request=request) for request in range(100)], tmp_path, sampling=4)
    log.run(Multiplexing().stages(4))
    for stage in ("clients_4", "hours_4"):
        assert log.engine.collect(log[stage])["uses"].to_pylist() == [25]


def test_accounts_that_mix_what_no_customer_mixes_are_evidence(tmp_path: Path) -> None:
    (said,) = judged(Multiplexing(), honest() + crowded(POOL), tmp_path, POOL)
    assert (said.value, said.base_rate, said.speaks_for) == (1.0, 0.0, True)
    assert said.weight > 3


def test_a_template_in_many_languages_is_no_crowd(tmp_path: Path) -> None:
    rows = honest() + [
        exchange(
            account, START + (9 + use % 9) * HOUR, asks=1, user_agent=1, accept_language=1,
            toolset=use % 5, script=(1, 2, 16)[use % 3],
        )
        for account in POOL
        for use in range(40)
    ]  # fmt: skip
    assert judged(Multiplexing(), rows, tmp_path, POOL) != []
    assert judged(Multiplexing(), rows, tmp_path, POOL, lambda row: row["asks"] == 1) == []


@pytest.mark.parametrize("openly", [{"tenant_kind": "aggregator"}, {"end_user": 5}])
def test_an_aggregator_says_so_and_that_speaks_against(openly: Row, tmp_path: Path) -> None:
    rows = honest() + crowded(POOL, **openly)
    against = [e for e in judged(Multiplexing(), rows, tmp_path, POOL) if not e.speaks_for]
    assert [each.value for each in against] == [1.0]
    assert against[0].weight > 3


def test_a_startup_programme_does_not_explain_a_crowd(tmp_path: Path) -> None:
    rows = honest() + crowded(POOL, tenant_kind="startup")
    assert all(each.speaks_for for each in judged(Multiplexing(), rows, tmp_path, POOL))
