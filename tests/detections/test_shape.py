"""Request parameters of one script."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stillwatch.detections import ROW_COLUMNS, Evidence, Rows
from stillwatch.detections.shape import Shape
from stillwatch.detections.signature import FIELDS, describe, sign, surfaces, unpack
from tests.detections.exchanges import Log, Row, arrow, exchange, group

STRANGERS = range(100, 400)
POOL = range(1, 13)
HARVEST = {"n": 4, "temperature": 0.6, "max_tokens": 8_192, "reasoning": "high"}


def honest(accounts: range = STRANGERS) -> list[Row]:
    """Every account with parameters of its own, which it keeps."""
    rows = []
    for account in accounts:
        random = np.random.default_rng(account)
        mine = {
            "temperature": float(random.choice([0, 0.2, 0.5, 0.7, 1])),
            "max_tokens": int(random.choice([256, 1_024, 4_096])),
            "stream": bool(random.integers(2)),
        }
        rows += [exchange(account, **mine) for _ in range(8)]
    return rows


def said(
    rows: list[Row], members: range, styled: Callable[[Row], bool] = lambda row: False
) -> list[Evidence]:
    return list(Shape().judge(group(rows, members, styled)))


def sign_one(**columns: object) -> int:
    return int(sign(Rows(arrow([exchange(1, **columns)]).select(ROW_COLUMNS)))[0])


def test_a_signature_says_what_was_sent() -> None:
    assert describe(sign_one(**HARVEST)) == (
        "n 4, max_tokens 8192, temperature 0.6, reasoning given"
    )
    assert describe(sign_one()) == "defaults"
    assert sum(field.bits for field in FIELDS) < 63


def test_unknown_is_another_signature_than_zero() -> None:
    assert sign_one(temperature=0.0) != sign_one()
    assert sign_one(logprobs=False) != sign_one()


def test_a_value_beyond_its_bits_is_the_largest_and_touches_no_other_field() -> None:
    values = unpack(np.array([sign_one(max_tokens=2**30, n=900, top_p=0.9)]))
    assert {name: int(value[0]) for name, value in values.items() if value[0]} == {
        "n": 15,
        "max_tokens": 2**20 - 1,
        "top_p": 91,
    }


@pytest.mark.parametrize(
    ("columns", "opened"),
    [
        ({"n": 2}, "several"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 5}, "logprobs"),
        ({"logit_bias": 1}, "biased"),
        ({"prefill": True}, "prefill"),
        ({"max_tokens": 1}, "few"),
        ({"max_tokens": 8_192}, "long"),
        ({"reasoning": "low"}, "reasoning"),
        ({"n": 1, "logprobs": False, "logit_bias": 0, "prefill": False, "max_tokens": 5}, None),
    ],
)
def test_surfaces_are_told_from_the_signature(columns: Row, opened: str | None) -> None:
    used = surfaces(np.array([sign_one(**columns)]))
    assert [name for name, mask in used.items() if mask[0]] == ([opened] if opened else [])


def test_accounts_that_open_two_rare_surfaces_alike_are_linked(tmp_path: Path) -> None:
    rows = honest() + [
        exchange(account, max_tokens=1, logprobs=True, top_logprobs=20)
        for account in POOL
        for _ in range(5)
    ]
    found = Log(rows, tmp_path).find(Shape())
    assert set(found.links["account"].to_pylist()) == set(POOL)
    assert list(found.labels.values()) == ["max_tokens 1, logprobs 1, top_logprobs 20"]
    assert min(found.scores[account] for account in POOL) > max(
        found.scores.get(account, 0) for account in STRANGERS
    )


def test_of_a_large_log_a_part_of_the_exchanges_is_read_the_same_one_each_time(
    tmp_path: Path,
) -> None:
    log = Log([exchange(1, request=request) for request in range(100)], tmp_path, sampling=4)
    log.run(Shape().stages(4))
    assert [uses for _, _, uses in log.rows("signatures_4")] == [25]


def test_a_crowd_with_one_program_is_not_linked(tmp_path: Path) -> None:
    rows = [
        exchange(account, max_tokens=1, logprobs=True) for account in STRANGERS for _ in range(5)
    ]
    assert not Log(rows, tmp_path).find(Shape()).links.num_rows


def test_one_script_in_the_cover_traffic_too_is_evidence() -> None:
    rows = honest() + [exchange(a, asks=i % 2, **HARVEST) for a in POOL for i in range(10)]
    found = said(rows, POOL, styled=lambda row: row["asks"] == 1)
    assert [(each.value, each.explained) for each in found] == [(1.0, False)] * 2
    script, surface = found
    assert script.weight > 3
    assert "n 4" in script.text
    assert 0 < surface.weight <= 1  # too little to count as a family
    assert "several answers at once" in surface.text


def test_parameters_that_come_with_the_shared_wording_are_explained_by_it() -> None:
    rows = honest() + honest(POOL)
    rows += [exchange(a, asks=1, **HARVEST) for a in POOL for _ in range(30)]
    found = said(rows, POOL, styled=lambda row: row["asks"] == 1)
    assert [each.explained for each in found] == [True, True]


def test_parameters_as_different_as_strangers_are_said_to_be_so() -> None:
    rows = honest(range(100, 700))
    for members in (range(100, 112), range(200, 240), range(300, 310)):
        found = said(rows, members)
        assert all(not each.speaks_for and each.weight == 0 for each in found)


def test_one_company_with_many_accounts_counts_once() -> None:
    rows = honest() + [exchange(a, org=7, **HARVEST) for a in POOL for _ in range(10)]
    assert sum(each.weight for each in said(rows, POOL)) < 1.5
