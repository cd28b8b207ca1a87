"""A context counts once: what is settled, what comes first and second, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from stillwatch.provenance.keyed import EnglishReader, Sighting
from stillwatch.provenance.keyed.counting import Contexts, count
from stillwatch.provenance.keyed.following import following
from stillwatch.statistics import choice_tail
from tests.provenance.keyed.conftest import MARKS, READER


class Digits:
    """Reads each digit of an answer as an option of four, in one context a prompt."""

    name = READER.name

    def read(self, prompt: str, answer: str) -> Iterator[Sighting]:
        for digit in answer:
            yield Sighting("digit", prompt, 4, int(digit))


def counted(*answers: tuple[str, str], **settings: object) -> Contexts:
    return count(answers, Digits(), **settings)  # type: ignore[arg-type]


def test_at_one_look_all_sightings_count_and_at_many_the_first() -> None:
    said = ("a", "00111"), ("b", "2"), ("a", "11")
    assert counted(*said).firsts.tolist() == [1, 2]
    early = counted(*said, looks="any", least=2)
    assert (early.names, early.firsts.tolist(), early.sightings) == ((("digit", "a"),), [0], 8)


def test_contexts_stand_in_the_order_in_which_they_were_settled() -> None:
    said = ("a", "1"), ("b", "22"), ("a", "1")
    assert [name for _, name in counted(*said, least=2).names] == ["b", "a"]


def test_ties_go_to_the_first_option_and_a_second_place_needs_to_be_seen() -> None:
    found = counted(("a", "3131"), ("b", "222"), ("c", "0013"))
    assert found.firsts.tolist() == [1, 2, 0]
    assert found.seconds.tolist() == [3, -1, 1]


def test_second_places_are_bets_of_their_own() -> None:
    mark = MARKS[0]
    words = [str(i) for i in range(40)]
    favourites = [mark.favourite("digit", word, 4) for word in words]
    # another option first, and the key's option second, in every context
    said = [(w, f"{(f + 1) % 4}" * 2 + f"{f}") for w, f in zip(words, favourites, strict=True)]
    found = following(mark, counted(*said))
    assert (found.hits.sum(), found.second_hits.sum()) == (0, 40)
    assert found.second_shares.tolist() == [1 / 3] * 40
    assert found.log10_p("keyed-majority") == 0
    assert found.log10_p("keyed-rank") == pytest.approx(40 * np.log10(1 / 3) + np.log10(2))
    first = following(mark, counted(*((w, f"{f}") for w, f in zip(words, favourites, strict=True))))
    assert first.log10_p("keyed-majority") == choice_tail(40, [0.25] * 40)
    assert first.log10_p("keyed-rank") == pytest.approx(
        first.log10_p("keyed-majority") + np.log10(2)
    )


def test_two_choices_of_a_kind_in_the_answer_to_a_canary_are_two_contexts() -> None:
    reader = EnglishReader.of(["Why?"])
    seen = [*reader.read("Why?", "Thus, it ends. Therefore, it ends.")]
    assert len({each.context for each in seen}) == len(seen) == 2


def test_a_rule_before_a_connective_is_no_choice_for_the_word_may_change() -> None:
    assert [each.kind for each in READER.read("", "So.\n\n---\n\nEven so, it ends.")] == [
        "contrast"
    ]
