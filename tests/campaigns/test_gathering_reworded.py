"""Which accounts reword public problems, or put them into a template, and form a group so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stillwatch.campaigns.candidates import Candidate
from stillwatch.campaigns.gathering import (
    gather,
    gathered_stages,
)
from stillwatch.detections import Group
from tests.campaigns.test_gathering import (
    CELLS,
    POOL,
    STRANGERS,
    STYLE,
    candidate,
    fetched,
    grouped,
    members,
    public,
    rewording,
    strangers,
    styled,
)
from tests.detections.exchanges import Log, Row, exchange


def work(accounts: Sequence[int], each: int = 8) -> list[Row]:
    """Texts in words that nobody else uses, as different from each other as can be."""
    return [
        exchange(account, cells=[64 * (10_000 * account + number)])
        for account in accounts
        for number in range(each)
    ]


def test_what_is_reworded_marks_a_group_that_has_no_wording() -> None:
    texts, others = work(POOL), strangers([*STRANGERS, *POOL], 2)
    known = public(texts, reworded=True)
    group = grouped(texts + others, rewording(POOL, 8), known=known)
    assert members(group) == list(POOL)
    assert len(group.shared) == len(texts)
    assert np.unique(group.style).tolist() == [-1, 0]
    assert group.least == 8


def test_public_problems_as_they_are_mark_nobody_as_a_rewriter() -> None:
    texts = work(POOL)
    assert members(grouped(texts + strangers(), rewording(POOL, 8), known=public(texts))) == []


def test_who_rewords_fewer_than_the_link_asks_for_is_left_out_unless_tied() -> None:
    texts, few = work(POOL), work([20, 21], 7)
    known = public(texts + few, reworded=True)
    rows = texts + few + strangers()
    assert members(grouped(rows, rewording([*POOL, 20, 21], 8), known=known)) == list(POOL)
    tied = rewording([*POOL, 20, 21], 8, infrastructure=(1, 21))
    assert members(grouped(rows, tied, known=known)) == [*POOL, 21]
    assert members(grouped(rows, rewording([*POOL, 20, 21], 2), known=known)) == [*POOL, 20, 21]


def test_who_rewords_in_one_exchange_of_many_is_left_out() -> None:
    texts, rare = work(POOL), work([20])
    rows = texts + rare + strangers([*STRANGERS, *[20] * 40])
    known = public(texts + rare, reworded=True)
    assert members(grouped(rows, rewording([*POOL, 20], 8), known=known)) == list(POOL)


def test_a_wording_and_what_is_reworded_beside_it_are_two_styles() -> None:
    worded, texts = [styled(account) for account in POOL for _ in range(3)], work(POOL)
    both = rewording(POOL, 8)
    both = Candidate(both.accounts, {**both.links, "echo": {STYLE: np.array(POOL)}})
    group = grouped(worded + texts + strangers(), both, known=public(texts, reworded=True))
    assert members(group) == list(POOL)
    assert np.unique(group.style, return_counts=True)[1].tolist() == [24, 64]


def test_what_is_reworded_is_no_mark_of_a_group_that_a_wording_alone_links() -> None:
    worded, texts = [styled(account) for account in POOL for _ in range(3)], work(POOL)
    chosen = candidate(POOL, {STYLE: POOL})
    group = grouped(worded + texts + strangers(), chosen, known=public(texts, reworded=True))
    assert len(group.shared) == len(worded)


def test_others_who_reword_are_seen_too() -> None:
    texts, elsewhere = work(POOL), work([1_003, 1_009])
    known = public(texts + elsewhere, reworded=True)
    rows = texts + elsewhere + strangers()
    group = grouped(rows, rewording(POOL, 8), known=known)
    assert group.others.where(group.others_styled).accounts.tolist() == [1_003, 1_009]
    linked_otherwise = grouped(rows, candidate(POOL, {}, infrastructure=POOL), known=known)
    assert not linked_otherwise.others_styled.any()


def test_what_a_log_on_disk_holds_in_new_words_is_reworded(tmp_path: Path) -> None:
    problems = [[8 * (1_000 + 10 * n + m) for m in range(8)] for n in range(8)]
    texts = [
        row | {"shingles": problems[n % 8]} for n, row in enumerate(work(POOL) + work([900, 901]))
    ]
    texts = [
        row | {"cells": [*row["cells"], *(64 * (900_000 + 10 * n + m) for m in range(3))]}
        for n, row in enumerate(texts)
    ]
    group = fetched(texts + strangers(), tmp_path, rewording(POOL, 8))
    assert members(group) == list(POOL)
    assert len(group.shared) == 64


# -- what is fetched


# -- who fills a public template with what others send too

CROWD = range(1, 31)
BORROWERS = range(31, 43)


def filled(account: int, number: int, passages: Sequence[int]) -> Row:
    """A use of the public template with something in it."""
    return styled(account) | {
        "shingles": passages,
        "content": 1_000 * account + number,
        "request": 1_000 * account + number,
    }


def problem(number: int) -> list[int]:
    return [8 * (10_000 + 10 * number + n) for n in range(8)]


def public_template(of: Sequence[int]) -> list[Row]:
    """Everybody puts matters of their own into it, but those in `of` public problems."""
    own = [filled(a, n, problem(10_000 + 10 * a + n)) for a in CROWD for n in range(4)]
    ours = [filled(a, n, problem(10 * a + n)) for a in of for n in range(4)]
    sent = [10 * a + n for a in of for n in range(4)]
    evaluators = [
        exchange(900 + n % 3, cells=[64 * (90_000 + each)], shingles=problem(each))
        for n, each in enumerate(sent)
    ]
    return strangers() + own + ours + evaluators


def parted(rows: list[Row], folder: Path, accounts: Sequence[int]) -> Group | None:
    log, chosen = Log(rows, folder), candidate(accounts, {STYLE: accounts})
    log.run(gathered_stages(1))
    gathered = gather(log, [chosen], CELLS)
    return gathered.filled(chosen, gathered.group(chosen))


def test_of_a_crowd_those_who_put_public_problems_into_the_template_are_a_group(
    tmp_path: Path,
) -> None:
    group = parted(public_template(BORROWERS), tmp_path, [*CROWD, *BORROWERS])
    assert group is not None
    assert members(group) == list(BORROWERS)
    assert len(group.shared) == 4 * len(BORROWERS)


def test_where_everybody_does_or_hardly_anybody_there_is_no_such_group(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    few = BORROWERS[:3]
    assert parted(public_template(few), tmp_path / "few", [*CROWD, *few]) is None
    everybody = range(31, 61)
    rows = [row for row in public_template(everybody) if row["account"] not in CROWD]
    assert parted(rows, tmp_path, everybody) is None


def test_a_phrase_in_common_with_somebody_is_no_public_problem(tmp_path: Path) -> None:
    rows = public_template([])
    rows += [filled(a, n, problem(10 * a + n)[:1]) for a in BORROWERS for n in range(4)]
    rows += [
        exchange(900, cells=[64 * (90_000 + each)], shingles=problem(each))
        for each in (10 * a + n for a in BORROWERS for n in range(4))
    ]
    assert parted(rows, tmp_path, [*CROWD, *BORROWERS]) is None
