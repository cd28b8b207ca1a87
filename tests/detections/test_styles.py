"""Cells that keep company make a style; chance phrases do not."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.detections.styles import Style, find_styles

Ints = npt.NDArray[np.int64]
Pairs = list[tuple[int, int, int]]

POPULATION = 4_000


def template(
    rng: np.random.Generator, accounts: range, cells: range, *, share: float = 0.6, uses: int = 4
) -> Pairs:
    """Every account uses a random `share` of the cells, each in `uses` exchanges."""
    return [(a, cell, uses) for a in accounts for cell in cells if rng.random() < share]


def chance(rng: np.random.Generator, accounts: range, cells: range, each: int) -> Pairs:
    """Everyday phrases: an account has some of them, whichever; those that four have count."""
    pairs = [(account, int(cell)) for account in accounts for cell in rng.choice(cells, each)]
    senders = Counter(cell for _, cell in set(pairs))
    return [(account, cell, 1) for account, cell in sorted(set(pairs)) if senders[cell] >= 4]


def styles(pairs: Pairs, population: int = POPULATION) -> list[Style]:
    account, cell, uses = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
    return find_styles(account, cell, uses, population=population)


def test_accounts_of_one_template_share_one_style() -> None:
    rng = np.random.default_rng(1)
    (style,) = styles(template(rng, range(100, 130), range(900, 912)))
    assert style.accounts.tolist() == list(range(100, 130))
    assert style.cells.tolist() == list(range(900, 912))


def test_each_of_many_templates_is_a_style_the_one_with_most_accounts_first() -> None:
    rng = np.random.default_rng(2)
    sizes = [27, 42, 46, 54, 59, 84, 94, 110, 112, 114]
    pairs = [
        pair
        for n, size in enumerate(sizes)
        for pair in template(rng, range(1_000 * n, 1_000 * n + size), range(100 * n, 100 * n + 12))
    ]
    found = styles(pairs)
    assert [len(style.accounts) for style in found] == sizes[::-1]
    assert [int(style.cells[0]) for style in found] == list(range(900, -100, -100))
    assert all(len(style.cells) == 12 for style in found)


def test_cover_through_another_template_hides_no_style() -> None:
    rng = np.random.default_rng(3)
    tools = [
        pair
        for n in range(10)
        for pair in template(rng, range(1_000 * n, 1_000 * n + 60), range(100 * n, 100 * n + 12))
    ]
    pool = template(rng, range(50, 90), range(5_000, 5_012))  # ten of them use the first tool too
    found = {int(style.cells[0]): style for style in styles(pool + tools)}
    assert found[5_000].accounts.tolist() == list(range(50, 90))
    assert found[0].accounts.tolist() == list(range(60))


@pytest.mark.parametrize("seed", range(3))
def test_rare_chance_phrases_join_only_handfuls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = styles(chance(rng, range(600), range(5_000, 10_000), 10))
    assert max((len(style.accounts) for style in found), default=0) <= 0.05 * 600


def test_a_style_is_found_among_rare_chance_phrases() -> None:
    rng = np.random.default_rng(4)
    phrases = chance(rng, range(600), range(5_000, 10_000), 10)
    found = styles(phrases + template(rng, range(25), range(900, 912)))
    style = next(each for each in found if 900 in each.cells)
    assert np.isin(range(900, 912), style.cells).all()
    assert np.isin(range(25), style.accounts).mean() > 0.9
    assert np.isin(style.accounts, range(25)).mean() > 0.9


def test_a_phrase_of_every_templates_users_is_no_cell_of_one_style() -> None:
    rng = np.random.default_rng(5)
    phrase = 950
    pools = [
        pair
        for n in range(10)
        for pair in template(rng, range(50 * n, 50 * n + 30), range(100 * n, 100 * n + 12))
    ]
    everybody = sorted({account for account, _, _ in pools})
    found = styles(pools + [(account, phrase, 4) for account in everybody])
    assert len(found) == 10
    assert all(phrase not in style.cells for style in found)


def test_four_accounts_or_two_cells_are_no_style() -> None:
    rng = np.random.default_rng(6)
    assert styles(template(rng, range(4), range(900, 912), share=1.0)) == []
    assert styles(template(rng, range(20), range(900, 902), share=1.0)) == []
    assert len(styles(template(rng, range(5), range(900, 903), share=1.0))) == 1


def test_one_cell_of_a_style_makes_no_user_of_it() -> None:
    rng = np.random.default_rng(7)
    pool = template(rng, range(20), range(900, 912), share=1.0)
    (style,) = styles([*pool, (77, 900, 9)])
    assert 77 not in style.accounts
    (style,) = styles([*pool, (77, 900, 9), (77, 901, 1)])
    assert 77 in style.accounts


def test_uses_are_those_of_an_accounts_most_used_cell() -> None:
    rng = np.random.default_rng(8)
    pool = template(rng, range(20), range(900, 912), share=1.0, uses=2)
    (style,) = styles([(a, c, 7) if (a, c) == (3, 905) else (a, c, uses) for a, c, uses in pool])
    assert style.uses.tolist() == [7 if account == 3 else 2 for account in range(20)]


def test_neither_the_order_nor_the_names_of_accounts_and_cells_matter() -> None:
    rng = np.random.default_rng(9)
    pairs = template(rng, range(30), range(900, 912)) + template(
        rng, range(50, 80), range(700, 712)
    )
    shuffled = [pairs[i] for i in rng.permutation(len(pairs))]
    renamed = [(account - 2**62, cell * 2**40, uses) for account, cell, uses in shuffled]
    before = {(tuple(s.cells.tolist()), tuple(s.accounts.tolist())) for s in styles(pairs)}
    after = {
        (tuple((s.cells // 2**40).tolist()), tuple((s.accounts + 2**62).tolist()))
        for s in styles(renamed)
    }
    assert before == after


def test_no_shared_cells_give_no_styles() -> None:
    assert styles([]) == []


def test_rows_may_come_in_any_order_where_templates_run_into_each_other() -> None:
    """An engine with several threads returns them in another one each time."""
    rng = np.random.default_rng(17)
    pairs = chance(rng, range(100, 700), range(2_000, 2_300), 12)
    for n in range(12):
        accounts, cells = range(100 + 15 * n, 140 + 15 * n), range(900 + 8 * n, 920 + 8 * n)
        pairs += template(rng, accounts, cells, share=0.2, uses=1 + n % 3)

    def found(some: Pairs) -> list[tuple[list[int], list[int]]]:
        return [(each.cells.tolist(), each.accounts.tolist()) for each in styles(some)]

    assert len(found(pairs)) > 2
    for _ in range(4):
        assert found([pairs[i] for i in rng.permutation(len(pairs))]) == found(pairs)
