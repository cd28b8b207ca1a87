"""Asks that a distiller lives on, in a group and among everybody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stillwatch.campaigns.campaign import COUNTS
from stillwatch.detections import Evidence, Group, Rows
from stillwatch.detections.elicitation import Elicitation
from stillwatch.sketches import Asks
from tests.detections.exchanges import DAY, START, Log, exchange
from tests.detections.groups import beside, rows, volumes

STEPS, GRADE = int(Asks.STEP_BY_STEP), int(Asks.GRADE)
USUAL = 0.1


def asking(
    rng: np.random.Generator, accounts: range, each: int, share: float, ask: int = STEPS
) -> Rows:
    """Accounts that ask in a `share` of their exchanges, independently."""
    account = np.repeat(np.array(accounts), each)
    return rows(account, asks=np.where(rng.random(len(account)) < share, ask, 0))


OTHERS = asking(np.random.default_rng(0), range(1_000, 1_500), 10, USUAL)


def said(group: Group) -> list[Evidence]:
    return list(Elicitation().judge(group))


def styled(*parts: tuple[int, int, int]) -> Group:
    """Exchanges of twelve accounts by (style, how many, how many of them ask), beside others."""
    style = np.concatenate([np.full(many, number) for number, many, _ in parts])
    asks = np.concatenate([np.repeat([STEPS, 0], [ask, many - ask]) for _, many, ask in parts])
    account = np.arange(len(style)) % 12
    order = np.argsort(account, kind="stable")
    return beside(rows(account[order], asks=asks[order]), OTHERS, style[order])


def test_an_account_scores_the_share_of_its_exchanges_that_ask(tmp_path: Path) -> None:
    days = [exchange(1, START + day * DAY, asks=STEPS if day else 0) for day in range(4)]
    found = Log([*days, exchange(2), exchange(3, asks=GRADE)], tmp_path).find(Elicitation())
    assert found.scores == {1: 0.75, 3: 1.0}
    assert not found.links.num_rows


@pytest.mark.parametrize(("accounts", "each"), [(5, 2), (8, 6), (10, 5), (40, 12)])
def test_a_group_that_asks_like_everybody_else_hardly_ever_counts(accounts: int, each: int) -> None:
    rng = np.random.default_rng(1)
    groups = [beside(asking(rng, range(accounts), each, USUAL), OTHERS) for _ in range(200)]
    nats = [sum(e.weight for e in said(group) if e.speaks_for) for group in groups]
    assert np.mean(np.array(nats) >= COUNTS) <= 0.02
    if accounts * each >= 400:
        assert max(nats) == 0


def test_a_large_group_speaks_no_sooner_than_at_twice_the_usual_share() -> None:
    rng = np.random.default_rng(2)
    assert said(beside(asking(rng, range(40), 50, 1.7 * USUAL), OTHERS)) == []
    assert said(beside(asking(rng, range(40), 50, 2.4 * USUAL), OTHERS)) != []


def test_a_group_that_asks_in_half_of_its_exchanges_counts() -> None:
    rng = np.random.default_rng(3)
    unstyled = np.full(72, -1)
    groups = [beside(asking(rng, range(12), 6, 0.5), OTHERS, unstyled) for _ in range(50)]
    nats = [each.weight for group in groups for each in said(group) if not each.explained]
    assert np.mean(np.array(nats) >= COUNTS) > 0.95
    assert len(nats) == 50


def test_it_says_the_share_beside_that_of_the_others_and_what_is_asked_for() -> None:
    rng = np.random.default_rng(4)
    (found,) = said(beside(asking(rng, range(12), 20, 1.0, GRADE), OTHERS))
    assert (found.value, found.speaks_for) == (1.0, True)
    assert found.base_rate == pytest.approx(USUAL, abs=0.02)
    assert "100%" in found.text
    assert "grade" in found.text


def test_what_only_the_shared_wording_asks_is_explained_by_it() -> None:
    (found,) = said(styled((0, 60, 60), (-1, 60, 6)))
    assert found.explained
    assert "template may explain" in found.text


def test_asks_beside_the_shared_wording_are_not_explained_by_it() -> None:
    (found,) = said(styled((0, 60, 60), (-1, 60, 30)))
    assert not found.explained
    assert found.weight >= COUNTS


def test_only_the_largest_style_explains_so_two_that_ask_are_more_than_one_template() -> None:
    (found,) = said(styled((0, 60, 60), (1, 50, 50)))
    assert not found.explained


def test_a_few_asks_beside_a_style_that_does_not_ask_are_no_template_either() -> None:
    (found,) = said(styled((0, 60, 0), (-1, 60, 40)))
    assert not found.explained
    assert "template may explain" not in found.text


def test_with_nobody_to_compare_with_it_says_nothing() -> None:
    ours = asking(np.random.default_rng(5), range(12), 6, 1.0)
    nobody = OTHERS.where(np.zeros(len(OTHERS), dtype=bool))
    assert said(beside(ours, nobody, np.full(72, -1))) == []


def test_one_organisations_accounts_are_one_habit() -> None:
    account = np.repeat(np.arange(30), 6)
    asks = np.full(len(account), STEPS)
    strangers, company = (
        said(beside(rows(account, asks=asks, **columns), OTHERS, np.full(len(account), -1)))
        for columns in ({}, {"org": np.full(len(account), 5)})
    )
    assert strangers[0].weight >= COUNTS
    assert sum(each.weight for each in company) < COUNTS


def test_organisations_with_fewer_than_four_exchanges_have_no_habits() -> None:
    rng = np.random.default_rng(6)
    assert said(beside(asking(rng, range(60), 3, 1.0), OTHERS)) == []
    assert said(beside(asking(rng, range(60), 4, 1.0), OTHERS)) != []


def of_habits(rng: np.random.Generator, organisations: range, mean: float, accounts: int) -> Rows:
    """Organisations of so many accounts, each with a habit and a volume of its own."""
    names = np.array(organisations)
    habit = rng.beta(0.2, 1.8, len(names))
    org = np.repeat(np.arange(len(names)), volumes(rng, len(names), mean, 1.2))
    asks = np.where(rng.random(len(org)) < habit[org], STEPS, 0)
    account = accounts * names[org] + rng.integers(accounts, size=len(org))
    order = np.argsort(account, kind="stable")
    columns = {} if accounts == 1 else {"org": 1_000_000 + names[org][order]}
    return rows(account[order], asks=asks[order], **columns)


@pytest.mark.parametrize("accounts", [1, 5])
@pytest.mark.parametrize("mean", [4, 12, 40])
def test_honest_organisations_of_differing_habits_hardly_ever_count(
    mean: float, accounts: int
) -> None:
    """Most organisations never ask and a few always do, so that exchanges are far from alike."""
    rng = np.random.default_rng(7)
    groups = [
        beside(
            of_habits(rng, range(30), mean, accounts),
            of_habits(rng, range(1_000, 1_300), mean, accounts),
        )
        for _ in range(200)
    ]
    share = np.mean([any(each.weight >= COUNTS for each in said(group)) for group in groups])
    assert share <= 0.05


def test_a_pool_that_asks_in_half_of_its_exchanges_counts_among_differing_habits() -> None:
    rng = np.random.default_rng(8)
    groups = [
        beside(
            asking(rng, range(30), 8, 0.5),
            of_habits(rng, range(1_000, 1_300), 12, 1),
            np.full(240, -1),
        )
        for _ in range(50)
    ]
    counts = [any(e.weight >= COUNTS and not e.explained for e in said(g)) for g in groups]
    assert np.mean(counts) > 0.95
