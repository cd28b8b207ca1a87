"""A class sends one text many times, a queue hands each text out once."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.campaigns.repetition import judge_repetition
from stillwatch.detections import Evidence, Family, Rows
from tests.detections.groups import beside, rows, volumes

NOBODY = rows([], content=[])


def said(ours: Rows, style: object = None) -> list[Evidence]:
    return list(judge_repetition(beside(ours, NOBODY, style)))  # type: ignore[arg-type]


def draws(rng: np.random.Generator, accounts: int, texts: int) -> Rows:
    """Customers who take texts from a stock, each for themselves."""
    account = np.repeat(np.arange(accounts), volumes(rng, accounts, 8, 0.8))
    return rows(account, content=rng.integers(texts, size=len(account)))


def test_a_class_with_one_assignment_is_no_campaign() -> None:
    (found,) = said(rows(np.repeat(np.arange(25), 3), content=np.tile([1, 2, 3], 25)))
    assert (found.value, found.veto, found.speaks_for) == (1.0, True, False)
    assert found.family == Family.PURPOSE
    assert "100%" in found.text


def test_work_that_is_divided_up_is_not_vetoed() -> None:
    assert said(rows(np.repeat(np.arange(25), 12))) == []


def test_a_retry_by_the_same_account_is_no_repetition() -> None:
    assert said(rows(np.repeat(np.arange(25), 12), content=np.repeat(np.arange(100), 3))) == []


def test_a_few_items_handed_out_twice_are_not_vetoed() -> None:
    account = np.repeat(np.arange(25), 12)
    content = np.arange(300)
    content[290:] = content[:10]  # ten of the last account's are the first one's
    assert said(rows(account, content=content)) == []


@pytest.mark.parametrize("accounts", [5, 30, 100])
def test_independent_draws_from_a_large_stock_are_hardly_ever_vetoed(accounts: int) -> None:
    rng = np.random.default_rng(1)
    groups = [said(draws(rng, accounts, 200 * accounts)) for _ in range(100)]
    assert np.mean([bool(found) for found in groups]) <= 0.02


def test_it_never_speaks_for_a_campaign() -> None:
    rng = np.random.default_rng(2)
    groups = [said(draws(rng, 20, int(rng.integers(5, 5_000)))) for _ in range(100)]
    assert not any(each.speaks_for for found in groups for each in found)


@pytest.mark.parametrize("problems", [20, 80])
def test_evaluators_who_each_run_most_of_one_benchmark_are_always_vetoed(problems: int) -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        run = [rng.choice(problems, problems * 7 // 10, replace=False) for _ in range(12)]
        account = np.repeat(np.arange(12), [len(each) for each in run])
        (found,) = said(rows(account, content=np.concatenate(run)))
        assert found.veto


def test_fewer_than_ten_marked_exchanges_tell_nothing() -> None:
    assert said(rows(range(9), content=[1] * 9)) == []
    assert said(rows(range(10), content=[1] * 10)) != []


def test_only_marked_exchanges_are_compared() -> None:
    account = np.repeat(np.arange(20), 4)
    own = np.arange(80) % 4 > 1
    greetings = rows(account, content=np.where(own, np.arange(80), 7_000 + np.arange(80) % 4))
    assert said(greetings, np.where(own, 0, -1)) == []
    assert said(greetings) != []


def test_a_class_is_seen_where_its_busiest_student_was_sampled() -> None:
    """One sends 1,600 texts, seven send 200 of them each; of the first an eighth was fetched."""
    texts = np.arange(1_600)
    ours = [texts[texts % 8 == 0], *(texts[200 * n : 200 * (n + 1)] for n in range(7))]
    account = np.repeat(np.arange(8), [len(each) for each in ours])
    thin = np.where(account == 0, 8, 1)
    (found,) = said(rows(account, content=np.concatenate(ours), thin=thin))
    assert found.value > 0.9


@pytest.mark.parametrize(("accounts", "each", "texts"), [(600, 5, 900), (40, 40, 500)])
def test_a_queue_that_hands_each_text_out_several_times_is_not_vetoed(
    accounts: int, each: int, texts: int
) -> None:
    """Whoever wants several answers to a question asks it several times, through whoever comes."""
    rng = np.random.default_rng(4)
    account = np.repeat(np.arange(accounts), each)
    turns = np.concatenate([rng.permutation(texts) for _ in range(-(-len(account) // texts))])
    assert said(rows(account, content=turns[: len(account)])) == []


def test_one_text_that_everybody_sent_and_nothing_else_is_vetoed() -> None:
    (found,) = said(rows(range(20), content=[1] * 20))
    assert found.veto
