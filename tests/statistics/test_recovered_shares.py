"""The share of a lead that was made up: covered as promised, wide where little is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.statistics import recovered_share

Ints = npt.NDArray[np.int64]


def right(rng: np.random.Generator, units: int, base: float, taught: float) -> tuple[Ints, Ints]:
    """Gain and lead of a student who learns each task of a teacher's lead by chance: hard tasks
    are hard for all three."""
    ease = rng.random(units)
    knows = (ease[:, None] + rng.normal(0, 0.2, (units, 3))) > [1 - base, 0.2, 0.2]
    learns = rng.random(units) < taught
    student = np.where(learns, knows[:, 2], knows[:, 0])
    return student - knows[:, 0].astype(np.int64), knows[:, 1] - knows[:, 0].astype(np.int64)


@pytest.mark.parametrize(("units", "taught"), [(60, 0.0), (60, 0.5), (400, 0.5), (400, 1.0)])
def test_the_interval_holds_the_true_share_as_often_as_it_says(units: int, taught: float) -> None:
    rng = np.random.default_rng([units, round(taught * 10)])
    many_gain, many_lead = right(rng, 2_000_000, 0.3, taught)
    true = many_gain.mean() / many_lead.mean()
    held = 0
    for _ in range(100):
        low, high = recovered_share(*right(rng, units, 0.3, taught), confidence=0.9)
        held += low <= true <= high
    # 100 tries at 0.9: fewer than 82 would come once in 200 runs
    assert held >= 82


def test_more_units_say_more() -> None:
    rng = np.random.default_rng(5)
    widths = []
    for units in (100, 400, 1600):
        low, high = recovered_share(*right(rng, units, 0.3, 0.6))
        assert low < 0.6 < high
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < 0.2


def test_without_a_lead_nothing_is_bounded() -> None:
    rng = np.random.default_rng(6)
    gain, lead = rng.integers(-1, 2, 300), rng.integers(-1, 2, 300)
    assert recovered_share(gain, lead) == (-1.0, 2.0)
    assert recovered_share([], []) == (-1.0, 2.0)


def test_a_student_that_is_its_teacher_made_up_all_of_it() -> None:
    lead = np.array([1] * 60 + [0] * 140)
    low, high = recovered_share(lead, lead)
    assert low <= 1 <= high
    assert low > 0.75


def test_what_lies_beyond_the_grid_is_told_as_its_end() -> None:
    lead = np.array([1] * 100 + [0] * 900)
    assert recovered_share(np.ones(1000), lead) == (1.99, 2.0)
    assert recovered_share(-np.ones(1000), lead) == (-1.0, -0.99)


def test_gains_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="of each unit"):
        recovered_share([1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="between -1 and 1"):
        recovered_share([2.0], [1.0])
