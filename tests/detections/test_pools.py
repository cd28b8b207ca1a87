"""Ties between accounts, and the pools that they make."""

import numpy as np
import pytest

from stillwatch.detections.pools import find_pools, link_pools


def ties(rng: np.random.Generator, accounts: range, objects: int, each: int = 2) -> list[list[int]]:
    chosen = [rng.choice(accounts, each, replace=False) for _ in range(objects)]
    names = rng.integers(1 << 50, size=objects).tolist()
    return [[a, name] for some, name in zip(chosen, names, strict=True) for a in some.tolist()]


def pools(pairs: list[list[int]]) -> list[list[int]]:
    account, obj = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return [pool.accounts.tolist() for pool in find_pools(account, obj, least=3)]


@pytest.mark.parametrize(
    ("accounts", "objects", "each"), [(6, 20, 2), (100, 400, 2), (300, 40, 60)]
)
def test_a_pool_with_thin_ties_is_not_torn(accounts: int, objects: int, each: int) -> None:
    found = pools(ties(np.random.default_rng(1), range(accounts), objects, each))
    assert len(found[0]) >= 0.97 * accounts


def test_strangers_part_at_a_chance_tie() -> None:
    rng = np.random.default_rng(2)
    left, right = ties(rng, range(20), 80), ties(rng, range(50, 70), 80)
    assert pools([*left, *right, [3, 7], [55, 7]]) == [list(range(20)), list(range(50, 70))]


def test_what_only_one_account_has_ties_nobody() -> None:
    assert pools([[1, 10], [1, 10], [2, 11], [3, 12]]) == []
    assert pools([]) == []


def test_two_accounts_are_no_pool_of_three() -> None:
    assert pools([[1, 10], [2, 10], [1, 11], [2, 11]]) == []


def test_an_account_with_one_chance_tie_is_no_member_where_two_are_asked() -> None:
    pairs = np.array([*ties(np.random.default_rng(4), range(10), 60), [99, 7], [3, 7]])
    (pool,) = find_pools(pairs[:, 0], pairs[:, 1], least=3, ties=2)
    assert pool.accounts.tolist() == list(range(10))


def test_a_pool_is_one_object_that_weighs_how_rare_it_is() -> None:
    rng = np.random.default_rng(3)
    account, obj = np.array(ties(rng, range(8), 40), dtype=np.int64).T
    links = link_pools(find_pools(account, obj), 8_000)
    assert links["account"].to_pylist() == list(range(8))
    assert set(links["object"].to_pylist()) == {int(obj.min())}
    assert links["weight"].to_pylist() == pytest.approx([np.log(1_000)] * 8)
    assert sum(links["uses"].to_pylist()) == 80
