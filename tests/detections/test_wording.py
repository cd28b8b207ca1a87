"""Shares in the words of evidence: a small one is not none, and none is not 0.0 %."""

import pytest

from stillwatch.detections.wording import percent, share_of, times


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0%"),
        (0.00002, "less than 0.01%"),
        (0.0004, "0.04%"),
        (0.0123, "1.2%"),
        (0.02, "2%"),
        (0.5, "50%"),
        (1.0, "100%"),
    ],
)
def test_a_share_keeps_a_digit_that_is_not_0(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 1_500, "none of 1,500 accounts"),
        (1, 1_500, "0.07% of 1,500 accounts"),
        (188, 1_500, "12.5% of 1,500 accounts"),
        (0, 0, "no accounts"),
    ],
)
def test_a_share_names_whom_it_was_measured_on(part: int, whole: int, said: str) -> None:
    assert share_of(part, whole, "accounts") == said


def test_times_are_counted_in_words_where_it_is_one() -> None:
    assert (times(1), times(2), times(1_200)) == ("once", "2 times", "1,200 times")
