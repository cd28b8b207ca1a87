"""The answer is read out of an answer, the same for everybody, however it is dressed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stillwatch.provenance.capability.grading import Kind, can_be_right, grade

SAYS_42 = [
    "42",
    "Answer: 42",
    "**Answer:** 42.",
    "The final answer is $42.",
    "6 × 7 = 42",
    "First 5, then 37 more.\nSo 42 in all",
    "#### 42",
    r"So we get \boxed{42}.",
    "Answer: 42 marbles, because 6 times 7 is 42 and not 41",
    "The answer is 42.\n\nLet me know if you want the other 3 ways!",
    "42.0",
    "84/2",
    "Answer:\n42",
    "\u202f42\u00a0apples",
]


@pytest.mark.parametrize("answer", SAYS_42)
def test_a_number_is_found_where_an_answer_settles_on_it(answer: str) -> None:
    assert grade("number", "42", answer) == "right"
    assert grade("number", "43", answer) == "wrong"


@pytest.mark.parametrize(
    ("kind", "expected", "answer"),
    [
        ("number", "-7", "Answer: −7"),
        ("number", "0.5", "It is 1/2"),
        ("number", "1200", "In total 1,200 €"),
        ("number", "3/4", "Answer: 0.75"),
        ("choice", "B", "(b)"),
        ("choice", "C", "A and B are wrong. The answer is C) because…"),
        ("choice", "A", "A"),
        ("words", "Thursday", "Count on: Wed.\nAnswer: **Thursday**"),
        ("words", "14:05", "Answer: 14:05."),
        ("words", "Łódź", "Answer: łódź"),
        ("words", "Ada", "Ada"),
    ],
)
def test_what_is_equal_is_right(kind: Kind, expected: str, answer: str) -> None:
    assert grade(kind, expected, answer) == "right"


@pytest.mark.parametrize(
    ("kind", "expected", "answer"),
    [
        ("number", "4", "Answer: 42"),
        ("number", "42", "I thought of 42.\nAnswer: 41"),
        ("number", "12", "1/0 or x12"),
        ("choice", "A", "a dog is (b)"),
        ("words", "Thursday", "Answer: Thursday or Friday"),
        ("words", "Ada", "Not Ada but Bo"),
    ],
)
def test_what_is_not_settled_on_is_not_right(kind: Kind, expected: str, answer: str) -> None:
    assert grade(kind, expected, answer) != "right"


@pytest.mark.parametrize("kind", ["number", "choice"])
@pytest.mark.parametrize("answer", ["", "I'm sorry, but I can't help with that.", "…"])
def test_a_refusal_gives_no_answer(kind: Kind, answer: str) -> None:
    assert grade(kind, "5" if kind == "number" else "B", answer) == "none"


@given(st.integers(-(10**9), 10**9), st.sampled_from(["Answer: {}", "so x = {:,}.", "I get {:,}"]))
def test_every_whole_number_is_read_back(number: int, form: str) -> None:
    assert grade("number", str(number), form.format(number)) == "right"


@given(st.fractions(min_value=-999, max_value=999, max_denominator=997))
def test_every_fraction_is_read_back(value: Fraction) -> None:
    assert grade("number", str(value), f"Answer: {value}") == "right"


@given(st.sampled_from(["number", "choice", "words"]), st.text(max_size=300))
@example("number", "9" * 5000)
@example("number", "1,111" * 5000)
def test_any_text_is_graded(kind: Kind, answer: str) -> None:
    assert grade(kind, "B" if kind == "choice" else "5", answer) in ("right", "wrong", "none")


@given(st.sampled_from(["number", "choice", "words"]), st.text(min_size=1, max_size=20))
def test_what_can_be_right_is_right_when_it_is_said(kind: Kind, expected: str) -> None:
    if can_be_right(kind, expected):
        assert grade(kind, expected, expected) == "right"
