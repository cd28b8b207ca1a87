"""Canonical JSON: the same bytes as RFC 8785 asks for, and nothing that readers disagree on."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.ledger import canonical, parsed
from stillwatch.ledger.canonical import DEEPEST, LARGEST_NUMBER

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-LARGEST_NUMBER, LARGEST_NUMBER) | st.floats(-LARGEST_NUMBER, LARGEST_NUMBER)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@settings(max_examples=40)
@given(VALUES)
def test_the_bytes_are_those_of_an_independent_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@settings(max_examples=30)
@given(VALUES)
def test_what_was_read_back_is_the_same_value_and_has_the_same_bytes(value: Any) -> None:
    data = canonical(value)
    assert parsed(data) == value
    assert canonical(parsed(data)) == data


@settings(max_examples=40)
@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_how_a_file_was_written_does_not_matter(value: Any, indent: Any, ascii_only: bool) -> None:
    assert canonical(parsed(json.dumps(value, indent=indent, ensure_ascii=ascii_only))) == (
        canonical(value)
    )


def test_the_example_of_the_standard() -> None:
    """RFC 8785, section 3.2.2, but for its number 333333333.33333329 and two beyond 2^53."""
    text = (
        '{"numbers": [333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001],'
        '"string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/",'
        '"literals": [null, true, false]}'
    )
    assert canonical(parsed(text)).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_names_are_sorted_by_their_utf_16_units() -> None:
    """RFC 8785, section 3.2.3: the smiling face sorts below the Hebrew ligature."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(parsed(canonical(dict.fromkeys(names)))) == order


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": [1, 2**53]}, "a[1] is 9.007e+15, beyond"),
        ({"a": -(2.0**53)}, "a is -9007199254740992.0, beyond"),
        ({"a": {"b": math.nan}}, "a.b is nan, which JSON does not have"),
        ({"a": -math.inf}, "a is -inf, which JSON does not have"),
        ({"a": b"bytes"}, "a is a bytes, which JSON does not have"),
        ({"a": {1, 2}}, "a is a set, which JSON does not have"),
        ({1: "a"}, "the value has the name 1, which is no text"),
        ({"a": "\ud800"}, "half of a surrogate pair"),
        ({"ä": "\udc00"}, "half of a surrogate pair"),
        ({"\ud800": 1}, "half of a surrogate pair"),
    ],
)
def test_a_value_without_one_meaning_is_refused_with_its_place(value: Any, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        canonical(value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"a": 1, "a": 2}', "the name 'a' is given twice"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b"\xff{}", "this is no UTF-8 (byte 0)"),
        (b'{"a": 1', "this is no JSON"),
        (b"", "this is no JSON"),
        (b"[" * 100_000, "deeper than"),
        (b"1" * 5_000, "a number has 5,000 digits"),
    ],
)
def test_a_text_that_readers_disagree_on_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        canonical(parsed(text))
    assert said in str(refused.value)


def test_a_value_may_be_deep_but_not_deeper() -> None:
    def nested(levels: int) -> Any:
        return [nested(levels - 1)] if levels else 0

    assert canonical(nested(DEEPEST)) == b"[" * DEEPEST + b"0" + b"]" * DEEPEST
    with pytest.raises(ValueError, match="deeper than 64 levels"):
        canonical(nested(DEEPEST + 1))
