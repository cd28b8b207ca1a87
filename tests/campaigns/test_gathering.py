"""Exchanges of candidates beside a background: who carries the marks, and who only came along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stillwatch.campaigns.candidates import Candidate
from stillwatch.campaigns.gathering import (
    ACCOUNTS,
    BACKGROUND,
    BACKGROUND_EXCHANGES,
    EXCHANGES,
    Gathered,
    carriers,
    gather,
    gathered_stages,
    tied_accounts,
)
from stillwatch.detections import ROW_COLUMNS, Group
from tests.detections.exchanges import Log, Row, arrow, exchange
from tests.detections.groups import rows as numpy_rows

STYLE, OTHER, CARD = 1, 2, 3
CELLS = {
    STYLE: np.array([64 * n for n in range(100, 108)]),
    OTHER: np.array([64 * n for n in range(200, 208)]),
}
POOL = range(1, 9)
STRANGERS = range(1_000, 1_100)


def styled(account: int, style: int = STYLE, cells: slice = slice(0, 4)) -> Row:
    return exchange(account, cells=CELLS[style][cells].tolist(), asks=1)


def strangers(accounts: Sequence[int] = STRANGERS, each: int = 3) -> list[Row]:
    return [exchange(account, cells=[64 * account]) for account in accounts for _ in range(each)]


def candidate(
    accounts: Sequence[int], styles: Mapping[int, Sequence[int]], **ties: Sequence[int]
) -> Candidate:
    """`styles` and `ties` name who shares what."""
    links = {"echo": {style: np.array(users) for style, users in styles.items()}} if styles else {}
    links |= {name: {CARD: np.array(users)} for name, users in ties.items()}
    return Candidate(np.array(accounts), links)


def rewording(accounts: Sequence[int], least: int, **ties: Sequence[int]) -> Candidate:
    """Accounts that reword `least` public problems or more."""
    links = {name: {CARD: np.array(users)} for name, users in ties.items()}
    return Candidate(np.array(accounts), {"rewording": {least: np.array(accounts)}, **links})


def public(rows: Sequence[Row], *, reworded: bool = False) -> pa.Table:
    """What a log knows of those `rows` whose contents hold a public text."""
    names = pa.schema({"account": pa.int64(), "content": pa.int64(), "reworded": pa.bool_()})
    return pa.Table.from_pylist([row | {"reworded": reworded} for row in rows], names)


NOTHING = public([])


def grouped(
    rows: list[Row],
    chosen: Candidate,
    *,
    hits: int = 2,
    most: int | None = None,
    known: pa.Table = NOTHING,
) -> Group:
    """`chosen` as a group of `rows`, with the strangers as its background; `known` are public."""
    background = np.array(sorted({row["account"] for row in rows} - set(chosen.accounts.tolist())))
    population = len({row["account"] for row in rows})
    table = arrow(rows).select(ROW_COLUMNS)
    return Gathered(table, background, population, hits, most, CELLS, known).group(chosen)


def members(group: Group) -> list[int]:
    found: list[int] = group.accounts.tolist()
    return found


def fetched(
    rows: list[Row], folder: Path, chosen: Candidate, *, whole: bool = False, sampling: int = 1
) -> Group:
    """`chosen` as a group of what is fetched from a log on disk."""
    log = Log(rows, folder, sampling=sampling)
    log.run(gathered_stages(sampling))
    return gather(log, [chosen], CELLS, whole=whole).group(chosen)


# -- who carries the marks


@pytest.mark.parametrize(
    ("marks", "total", "tied", "carries"),
    [
        (0, 5, True, False),
        (1, 1, False, False),  # a chance phrase is in one exchange
        (1, 40, True, True),
        (2, 2, False, True),
        (2, 20, False, True),
        (2, 21, False, False),  # of so many exchanges two are chance as well
        (40, 400, False, True),
    ],
)
def test_an_account_carries_marks_often_or_at_all_if_it_is_tied(
    marks: int, total: int, tied: bool, carries: bool
) -> None:
    rows = numpy_rows([7] * total)
    tied_to = np.array([7] if tied else [8])
    assert carriers(rows, np.arange(total) < marks, tied_to).tolist() == [carries]


def test_only_what_is_no_style_ties_accounts() -> None:
    both = candidate(POOL, {STYLE: POOL}, infrastructure=(5, 3), prefixes=(3, 8))
    assert tied_accounts(both).tolist() == [3, 5, 8]
    assert tied_accounts(candidate(POOL, {STYLE: POOL})).tolist() == []


# -- the group


def test_accounts_that_share_a_style_are_the_group_and_its_exchanges_are_marked() -> None:
    rows = strangers()
    for account in POOL:
        rows += [styled(account), styled(account), *strangers([account], 2)]
    group = grouped(rows, candidate(POOL, {STYLE: POOL}))
    assert members(group) == list(POOL)
    assert len(group.shared) == len(group.unshared) == 16
    assert set(group.style[group.styled]) == {0}
    assert set(group.style[~group.styled]) == {-1}
    assert group.population == 108


def test_one_cell_of_a_style_marks_no_exchange_unless_cells_are_thinned() -> None:
    rows = strangers() + [styled(a, cells=slice(0, 1)) for a in POOL for _ in range(2)]
    assert members(grouped(rows, candidate(POOL, {STYLE: POOL}))) == []
    assert members(grouped(rows, candidate(POOL, {STYLE: POOL}), hits=1)) == list(POOL)


def test_an_account_that_sent_the_wording_once_is_left_out_unless_it_is_tied() -> None:
    once = [styled(20), *strangers([20], 5), styled(21), *strangers([21], 5)]
    rows = strangers() + once + [styled(account) for account in POOL for _ in range(2)]
    both = candidate([*POOL, 20, 21], {STYLE: [*POOL, 20, 21]}, infrastructure=(1, 21))
    assert members(grouped(rows, both)) == [*POOL, 21]


def test_an_account_that_uses_other_cells_of_the_style_than_the_rest_is_left_out() -> None:
    rows = strangers() + [styled(account) for account in POOL for _ in range(4)]
    rows += [styled(20, cells=slice(5, 7)) for _ in range(4)]
    rows += [styled(21, cells=slice(1, 4)) for _ in range(4)]
    both = candidate([*POOL, 20, 21], {STYLE: [*POOL, 20, 21]})
    assert members(grouped(rows, both)) == [*POOL, 21]


def test_a_style_whose_users_do_not_use_the_main_one_is_no_mark_of_the_group() -> None:
    problem = range(20, 26)
    rows = strangers() + [styled(account) for account in POOL for _ in range(2)]
    rows += [styled(account, OTHER) for account in (1, 2, *problem) for _ in range(2)]
    group = grouped(rows, candidate([*POOL, *problem], {STYLE: POOL, OTHER: (1, 2, *problem)}))
    assert members(group) == list(POOL)
    assert len(group.shared) == 16


def test_two_styles_of_the_same_accounts_are_both_marks_each_with_its_number() -> None:
    rows = strangers()
    rows += [styled(a, style) for a in POOL for style in (STYLE, OTHER) for _ in range(2)]
    group = grouped(rows, candidate(POOL, {STYLE: POOL, OTHER: POOL}))
    assert members(group) == list(POOL)
    assert np.unique(group.style, return_counts=True)[1].tolist() == [16, 16]


def test_an_exchange_belongs_to_the_style_that_it_holds_most_of() -> None:
    mixed = [*CELLS[STYLE][:2].tolist(), *CELLS[OTHER][:5].tolist()]
    rows = strangers() + [styled(a) for a in POOL for _ in range(2)]
    rows += [styled(a, OTHER) for a in POOL for _ in range(2)]
    rows += [exchange(a, cells=mixed) for a in POOL]
    group = grouped(rows, candidate(POOL, {STYLE: POOL, OTHER: POOL}))
    assert np.unique(group.style, return_counts=True)[1].tolist() == [16, 24]


def test_without_a_style_every_linked_account_belongs_and_nothing_is_marked() -> None:
    rows = strangers() + strangers(POOL, 2)
    group = grouped(rows, candidate(POOL, {}, infrastructure=POOL))
    assert members(group) == list(POOL)
    assert not group.styled.any()
    assert not group.others_styled.any()


def test_others_who_use_the_style_are_seen_to() -> None:
    rows = strangers() + [styled(account) for account in POOL for _ in range(2)]
    rows += [styled(account) for account in range(1_000, 1_010)]
    group = grouped(rows, candidate(POOL, {STYLE: POOL}))
    assert group.others.where(group.others_styled).accounts.tolist() == list(range(1_000, 1_010))


@pytest.mark.parametrize("mixed", [2, 30])
def test_candidates_in_the_background_do_not_count_as_users_outside_the_group(mixed: int) -> None:
    """With nearly everybody in some candidate the background is drawn from all accounts."""
    accounts = range(1, 1 + mixed)
    rows = strangers() + [styled(account) for account in accounts for _ in range(2)]
    everybody = np.array([*accounts, *STRANGERS])
    table = arrow(rows).select(ROW_COLUMNS)
    chosen = candidate(accounts, {STYLE: accounts})
    group = Gathered(table, everybody, len(everybody), 2, None, CELLS, NOTHING).group(chosen)
    assert members(group) == list(accounts)
    assert not group.others_styled.any()
    assert (len(np.intersect1d(group.others.accounts, accounts)) == 0) is (mixed > 3)


def test_of_a_large_candidate_a_part_is_looked_at() -> None:
    rows = strangers() + strangers(range(1, 101), 1)
    chosen = candidate(range(1, 101), {}, infrastructure=range(1, 101))
    assert members(grouped(rows, chosen, most=30)) == list(range(1, 101, 4))
    assert len(members(grouped(rows, chosen, most=100))) == 100


def test_strangers_who_are_no_carriers_do_not_say_what_the_group_is_like() -> None:
    """However many send a phrase of the style once, others of its cells than the members use."""
    rows = strangers() + [styled(account) for account in POOL for _ in range(4)]
    passing = range(20, 80)
    rows += [styled(account, cells=slice(5, 8)) for account in passing]
    rows += strangers(passing, 3)
    everybody = [*POOL, *passing]
    assert members(grouped(rows, candidate(everybody, {STYLE: everybody}))) == list(POOL)


# -- who rewords public problems


def test_every_exchange_of_a_candidate_is_fetched_and_some_of_everybody_elses(
    tmp_path: Path,
) -> None:
    rows = strangers() + [styled(account) for account in POOL for _ in range(5)]
    group = fetched(rows, tmp_path, candidate(POOL, {STYLE: POOL}))
    assert len(group.rows) == 40
    assert group.others.accounts.tolist() == list(STRANGERS)
    assert len(group.others) == 300


@pytest.mark.parametrize("whole", [False, True])
def test_of_busy_accounts_a_sample_is_fetched_unless_the_whole_is_asked_for(
    whole: bool, tmp_path: Path
) -> None:
    busy, stranger = 3 * EXCHANGES, 3 * BACKGROUND_EXCHANGES
    rows = [*strangers([1], busy), *strangers([2, 3], 2), *strangers([1_000], stranger)]
    rows = [row | {"request": number, "content": number} for number, row in enumerate(rows)]
    group = fetched(rows, tmp_path, candidate((1, 2, 3), {}, infrastructure=(1, 2, 3)), whole=whole)
    mine = np.bincount(group.rows.owner)
    assert mine.tolist()[0] == (busy if whole else busy / 4)
    assert mine.tolist()[1:] == [2, 2]
    assert group.rows.seen.tolist() == [1.0 if whole else 0.25, 1.0, 1.0]
    assert len(group.others.where(group.others.ints("account") == 1_000)) == stranger / 4


def test_a_text_that_two_busy_accounts_sent_stays_with_both_or_with_none(tmp_path: Path) -> None:
    rows = [*strangers([1, 2], 2 * EXCHANGES), *strangers([3], 2)]
    rows = [row | {"request": n, "content": n % (2 * EXCHANGES)} for n, row in enumerate(rows)]
    group = fetched(rows, tmp_path, candidate((1, 2, 3), {}, infrastructure=(1, 2, 3)))
    first, second = (group.rows.ints("content")[group.rows.owner == n] for n in (0, 1))
    assert len(first) == EXCHANGES
    assert np.sort(first).tolist() == np.sort(second).tolist()


def test_the_background_is_an_even_sample_of_the_accounts_outside(tmp_path: Path) -> None:
    accounts = range(10, 10 + 2 * BACKGROUND)
    rows = [exchange(account) for account in (*POOL, *accounts)]
    group = fetched(rows, tmp_path, candidate(POOL, {}, infrastructure=POOL))
    assert group.others.accounts.tolist() == list(accounts)[::2]


def test_where_few_are_outside_the_background_is_drawn_from_everybody_else(tmp_path: Path) -> None:
    rows = strangers([*POOL, 1_000, 1_001], 2)
    group = fetched(rows, tmp_path, candidate(POOL, {}, infrastructure=POOL))
    assert group.others.accounts.tolist() == [1_000, 1_001]


@pytest.mark.parametrize(("sampling", "found"), [(2, []), (4, list(POOL))])
def test_where_cells_are_thinned_far_one_of_a_style_is_enough(
    sampling: int, found: list[int], tmp_path: Path
) -> None:
    rows = strangers() + [styled(a, cells=slice(0, 1)) for a in POOL for _ in range(2)]
    chosen = candidate(POOL, {STYLE: POOL})
    assert members(fetched(rows, tmp_path, chosen, sampling=sampling)) == found


@pytest.mark.parametrize(("whole", "every"), [(False, 2), (True, 1)])
def test_a_scan_looks_at_a_part_of_a_very_large_candidate_and_settles_it_whole(
    whole: bool, every: int, tmp_path: Path
) -> None:
    accounts = range(1, ACCOUNTS + 2)
    rows = [exchange(account) for account in (*accounts, *STRANGERS)]
    chosen = candidate(accounts, {}, infrastructure=accounts)
    assert members(fetched(rows, tmp_path, chosen, whole=whole)) == list(accounts)[::every]
