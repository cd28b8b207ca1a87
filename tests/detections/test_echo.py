"""The echo of one generator: who sends the same cells, and what that says of a group."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillwatch.detections import Evidence, Findings
from stillwatch.detections.echo import Echo
from tests.detections.exchanges import Log, Row, exchange, group

POOL = range(1, 21)
STRANGERS = range(1_000, 1_200)
TEMPLATE = [64 * n for n in range(900, 912)]


def honest(accounts: range = STRANGERS, each: int = 3) -> list[Row]:
    """Everybody with wordings of their own."""
    return [
        exchange(account, cells=[64 * (100_000 + 10 * account + use)])
        for account in accounts
        for use in range(each)
    ]


def templated(accounts: range, cells: list[int], each: int = 4, **columns: Any) -> list[Row]:
    """Exchanges with most of `cells` in each, and other words around them."""
    random = np.random.default_rng(accounts.start)
    return [
        exchange(
            account,
            cells=sorted(random.choice(cells, 8, replace=False).tolist()),
            asks=1,
            **columns,
        )
        for account in accounts
        for _ in range(each)
    ]


def found_in(rows: list[Row], folder: Path, sampling: int = 1) -> Findings:
    return Log(rows, folder, sampling=sampling).find(Echo())


def said(rows: list[Row], members: range) -> list[Evidence]:
    return list(Echo().judge(group(rows, members, styled=lambda row: row["asks"] == 1)))


@pytest.mark.parametrize("sampling", [1, 2])
def test_accounts_that_use_one_template_are_linked_by_its_cells(
    sampling: int, tmp_path: Path
) -> None:
    found = found_in(honest() + templated(POOL, TEMPLATE), tmp_path, sampling)
    assert found.links["account"].to_pylist() == list(POOL)
    ((style, cells),) = found.styles.items()
    assert cells.tolist() == TEMPLATE
    assert set(found.links["object"].to_pylist()) == {style}
    assert found.links["weight"].to_pylist() == pytest.approx([np.log(220 / 20)] * 20)
    assert found.labels == {style: "style"}


def test_of_a_large_log_every_second_cell_is_read_the_same_ones_in_each_account(
    tmp_path: Path,
) -> None:
    cells = [*range(900, 924)]
    found = found_in(honest() + templated(POOL, cells), tmp_path, sampling=2)
    assert [each.tolist() for each in found.styles.values()] == [cells[::2]]


def test_an_account_scores_by_the_share_of_its_exchanges_that_echo(tmp_path: Path) -> None:
    cover = [exchange(account) for account in POOL if account % 2 for _ in range(12)]
    found = found_in(honest() + templated(POOL, TEMPLATE) + cover, tmp_path)
    assert set(found.scores) == set(POOL)
    assert max(found.scores[a] for a in POOL if a % 2) < 0.5 * min(
        found.scores[a] for a in POOL if not a % 2
    )


def test_people_with_words_of_their_own_are_not_linked(tmp_path: Path) -> None:
    found = found_in(honest(), tmp_path)
    assert not found.links.num_rows
    assert not found.scores


def test_a_text_that_is_passed_around_is_no_template(tmp_path: Path) -> None:
    """A public problem: everybody sends it whole, nobody with other words around its cells."""
    rows = honest() + templated(POOL, TEMPLATE, content=5)
    assert not found_in(rows, tmp_path).links.num_rows


def test_three_accounts_are_not_enough_for_a_style(tmp_path: Path) -> None:
    assert not found_in(honest() + templated(range(1, 4), TEMPLATE), tmp_path).links.num_rows


def test_many_organisations_with_a_wording_that_nobody_else_has_are_evidence() -> None:
    (found,) = said(honest() + templated(POOL, TEMPLATE), POOL)
    assert (found.value, found.base_rate, found.speaks_for) == (20.0, 0.0, True)
    assert found.weight > 2


@pytest.mark.parametrize("orgs", [1, 2])
def test_a_wording_of_one_or_two_organisations_is_a_veto(orgs: int) -> None:
    rows = honest()
    for account in POOL:
        rows += templated(range(account, account + 1), TEMPLATE, org=7 + account % orgs)
    (found,) = said(rows, POOL)
    assert found.veto
    assert not found.speaks_for


def test_three_organisations_are_no_veto() -> None:
    rows = honest()
    for account in POOL:
        rows += templated(range(account, account + 1), TEMPLATE, org=7 + account % 3)
    (found,) = said(rows, POOL)
    assert (found.value, found.veto, found.speaks_for) == (3.0, False, True)


def test_a_wording_that_many_others_use_weighs_less() -> None:
    pool = templated(POOL, TEMPLATE)
    rare, common = (
        said(pool + honest() + templated(range(1_000, 1_000 + users), TEMPLATE, each=1), POOL)[0]
        for users in (0, 100)
    )
    assert common.base_rate == 0.5
    assert common.weight < rare.weight


def test_company_is_asked_only_of_those_who_send_the_wording() -> None:
    members = range(1, 31)
    rows = honest() + honest(range(21, 31)) + templated(POOL, TEMPLATE, org=7)
    (found,) = said(rows, members)
    assert found.veto


def test_a_group_without_a_shared_wording_is_not_judged() -> None:
    assert said(honest(), range(1_000, 1_020)) == []


@pytest.mark.parametrize("orgs", [1, 20])
def test_a_group_that_something_else_links_is_not_judged_by_its_wording(orgs: int) -> None:
    """What its exchanges are marked for is no style, and neither evidence nor a veto."""
    rows = honest()
    for account in POOL:
        rows += templated(range(account, account + 1), TEMPLATE, org=7 + account % orgs)
    found = group(rows, POOL, styled=lambda row: row["asks"] == 1)
    objects = {2: np.array(POOL)}
    assert list(Echo().judge(replace(found, links={"rewording": objects}))) == []
    for links in ({"echo": objects}, {"echo": objects, "rewording": objects}, {}):
        (one,) = Echo().judge(replace(found, links=links))
        assert one.veto == (orgs == 1)
