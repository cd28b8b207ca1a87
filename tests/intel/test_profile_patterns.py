"""Buckets and patterns have one form each; nothing else is read as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.errors import IndicatorError
from stillwatch.intel import CommunityKey
from stillwatch.intel.profile import DigestPattern, TemplatePattern, bucket, bucket_edges

COMMUNITY = CommunityKey("fmf", "2026-q4", bytes(range(32)))


@given(st.integers(0, 10**15), st.integers(1, 4))
def test_a_number_lies_in_its_bucket(number: int, decades: int) -> None:
    low, high = bucket_edges(bucket(number, decades))
    assert low <= number <= high
    assert number == 0 or (low >= 1 and high + 1 == low * 10**decades)


@pytest.mark.parametrize("text", ["", "9-1", "100-99", "1-9\n", "5-9", "10-90", "-1-9", "1" * 50])
def test_what_is_no_bucket_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        bucket_edges(text)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=30, unique=True), st.data())
def test_a_template_is_read_as_it_was_written(cells: list[int], data: st.DataObject) -> None:
    least = data.draw(st.integers(2, len(cells)))
    ordered = tuple(sorted(cells, key=lambda cell: cell % 2**64))
    pattern = TemplatePattern(COMMUNITY.scheme, least, ordered)
    assert TemplatePattern.parse(str(pattern)) == pattern


@given(st.text(max_size=100))
def test_another_pattern_is_refused(text: str) -> None:
    for kind in (TemplatePattern, DigestPattern):
        with pytest.raises(IndicatorError, match="pattern"):
            kind.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "[x-stillwatch-digest:payment = 'ABCDEF01234567890123456789012345']",
        "[x-stillwatch-digest:payment = '00000000000000000000000000000000'] OR [a:b = 'c']",
        "[x-stillwatch-digest:ip = '00000000000000000000000000000000']",
        "[x-stillwatch-digest:payment = '00000000000000000000000000000000']\n",
    ],
)
def test_a_digest_pattern_has_one_form(text: str) -> None:
    with pytest.raises(IndicatorError):
        DigestPattern.parse(text)


@pytest.mark.parametrize(
    "tail",
    ["1 " + "0" * 16, "2 " + "0" * 16, "2 ffffffffffffffff 0000000000000000",
     "2 0000000000000000 0000000000000000", "0 0000000000000000 0000000000000001",
     "2 0000000000000000  0000000000000001"],
)  # fmt: skip
def test_a_template_that_too_much_would_match_or_that_is_unordered_is_refused(tail: str) -> None:
    with pytest.raises(IndicatorError):
        TemplatePattern.parse(f"{COMMUNITY.scheme} {tail}")
