"""The grammar of wordings: alternatives, slots, escapes; and that expansions are what they say."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.lab.traffic.wording import Wording, pick

WORDS = st.text("abcdefgh", min_size=1, max_size=5)


def test_one_way_of_each_choice_is_said() -> None:
    wording = Wording("{Sort|Group} {the|these} <what>{ now|}")
    said = {wording.say(Random(seed), what="pears") for seed in range(200)}
    assert said == {
        f"{a} {b} pears{c}"
        for a in ("Sort", "Group")
        for b in ("the", "these")
        for c in (" now", "")
    }


def test_choices_nest() -> None:
    wording = Wording("{a {b|c}|d}")
    assert {wording.say(Random(seed)) for seed in range(60)} == {"a b", "a c", "d"}


def test_an_empty_way_leaves_no_double_blank_and_none_before_a_comma() -> None:
    wording = Wording("{please |}do {it|}, {now|}.")
    for seed in range(60):
        assert "  " not in (said := wording.say(Random(seed)))
        assert " ," not in said
        assert " ." not in said


def test_a_backslash_takes_the_next_character_as_it_is() -> None:
    assert Wording(r"\<tag> \{x\} a\|b").say(Random(0)) == "<tag> {x} a|b"


def test_a_slot_keeps_its_text_braces_and_blanks_included() -> None:
    code = "if (a  ||  b) { return <c>; }"
    assert Wording("Fix: <code>").say(Random(0), code=code) == f"Fix: {code}"


def test_a_slot_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="what"):
        Wording("Sort <what>").say(Random(0))


@pytest.mark.parametrize("grammar", ["{a|b", "a}", "{a|{b}"])
def test_braces_that_do_not_match_are_refused(grammar: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        Wording(grammar)


@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=5), st.integers(0, 99)
)
def test_every_expansion_is_a_path_through_the_choices(choices: list[list[str]], seed: int) -> None:
    said = Wording(" ".join("{" + "|".join(ways) + "}" for ways in choices)).say(Random(seed))
    assert all(word in ways for word, ways in zip(said.split(" "), choices, strict=True))


def test_pick_reaches_every_option() -> None:
    rng = Random(3)
    assert {pick(rng, "abc") for _ in range(100)} == set("abc")
