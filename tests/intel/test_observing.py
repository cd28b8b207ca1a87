"""What a log shows of a case is counted exactly, in batches of any size."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.intel.exporting.observed import CROWD, Observed
from stillwatch.intel.exporting.senders import Senders
from stillwatch.intel.exporting.wording import wordings

ROWS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.lists(st.integers(-5, 5), max_size=6, unique=True)),
    max_size=30,
)


@given(ROWS, st.integers(1, 5), st.integers(1, 8), st.integers(1, 7))
def test_cells_are_counted_by_account(
    rows: list[tuple[str, list[int]]], k: int, most: int, size: int
) -> None:
    senders, expected = Senders(), defaultdict(set)
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        cells = np.array([cell for _, found in batch for cell in found], np.int64)
        offsets = np.cumsum([0, *(len(found) for _, found in batch)]).astype(np.int32)
        senders.add([account for account, _ in batch], cells, offsets)
    for account, found in rows:
        for cell in found:
            expected[cell].add(account)
    best = sorted((-len(who), cell) for cell, who in expected.items() if len(who) >= k)[:most]
    assert senders.cells_of(k, most).tolist() == sorted(cell for _, cell in best)


def seen(others: int, crowd: int, both: int) -> Observed:
    """Ten members send cells 1 to 4; `crowd` others send cell 1, `both` of them two of them."""
    members, rest = [f"m{n}" for n in range(10)], [f"o{n}" for n in range(others)]
    return Observed(
        members=set(members),
        others=set(rest),
        cells={cell: set(members) for cell in (1, 2, 3, 4)},
        cell_others={1: set(rest[:crowd]), 2: set(rest[:both])},
        hits={(member, (1, 2, 3, 4)) for member in members},
        other_hits={(other, (1, 2)) for other in rest[:both]},
    )


def test_as_many_cells_are_asked_for_as_keeps_others_out() -> None:
    (free,), _ = wordings(seen(5_000, 0, 0), 5, 0.01)
    assert (free.least, free.members, free.others) == (2, 10, 0)
    (strict,), _ = wordings(seen(5_000, 8, 8), 5, 0.01)
    assert (strict.least, strict.members, strict.others) == (3, 10, 0)


def test_a_cell_that_a_crowd_sends_is_nobodys_own() -> None:
    (wording,), _ = wordings(seen(100_000, CROWD, 0), 5, 0.01)
    assert 1 not in wording.cells
    (wording,), _ = wordings(seen(100_000, CROWD - 1, 0), 5, 0.01)
    assert 1 in wording.cells


def test_too_small_a_log_proves_too_little() -> None:
    found, why = wordings(seen(50, 0, 0), 5, 0.01)
    assert found == []
    assert "too many other accounts" in why[0]


def test_a_cell_that_a_tenth_of_others_sends_is_nobodys_own() -> None:
    (wording,), _ = wordings(seen(5_000, 600, 0), 5, 0.01)
    assert 1 not in wording.cells
    (wording,), _ = wordings(seen(5_000, 400, 0), 5, 0.01)
    assert 1 in wording.cells


def test_a_wording_that_as_many_others_send_is_dropped() -> None:
    many = seen(5_000, 10, 10)
    many.other_hits = {(other, (1, 2, 3, 4)) for other, _ in many.other_hits}
    assert wordings(many, 5, 0.01)[0] == []
    few = seen(5_000, 9, 9)
    few.other_hits = {(other, (1, 2, 3, 4)) for other, _ in few.other_hits}
    assert wordings(few, 5, 0.01)[0][0].others == 9
