"""Scores of shares: what a tenth of a student's text does to its second and third choices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from stillwatch.errors import PlanError
from stillwatch.lab.students import HabitModel
from stillwatch.provenance import Registration
from stillwatch.provenance.keyed import KeyedOutcome, keyed_test, reference_name
from stillwatch.provenance.keyed.counting import Contexts, count
from stillwatch.provenance.keyed.following import following
from stillwatch.provenance.keyed.shares import scores
from stillwatch.statistics import scored_tails
from tests.provenance.keyed.conftest import (
    MARKS,
    PROBES,
    READER,
    SALT,
    answers,
    own,
    registered,
    served,
)

Said = dict[str, str]


@pytest.fixture(scope="module")
def diluted() -> Said:
    """A tenth of what it read is the teacher's."""
    return answers(HabitModel(2).taught([*served(200), *own(2, 1_800)]))


@pytest.fixture(scope="module")
def base() -> Said:
    return answers(HabitModel(2))


def referring(base: Said, **settings: object) -> Registration:
    name = reference_name("base", base, PROBES)
    return registered("keyed-shares", reference=name, **settings)


def judged(suspect: Said, plan: Registration, **controls: Said) -> list[KeyedOutcome]:
    found = keyed_test(
        {"suspect": suspect}, plan, MARKS, PROBES, READER, salt=SALT, controls=controls
    )
    return [*found]


def contexts(said: Said) -> Contexts:
    return count(said.items(), READER)


def test_a_tenth_is_found_where_first_and_second_places_show_little(
    diluted: Said, base: Said
) -> None:
    rank = judged(diluted, registered("keyed-rank"))[1].log10_p
    alone = judged(diluted, registered("keyed-shares"))[1].log10_p
    beside = judged(diluted, referring(base), base=base)[1]
    assert rank is not None
    assert alone is not None
    assert beside.log10_p is not None
    assert alone < rank
    assert beside.log10_p < min(-6, alone - 2)
    assert beside.found
    assert beside.decoy_rank == 1


def test_a_student_of_undiluted_text_is_found_as_well(student: Said) -> None:
    other, right = judged(student, registered("keyed-shares"))
    assert right.log10_p is not None
    assert right.log10_p < -20
    assert not other.found


def test_the_reference_is_a_control_that_is_judged_without_itself(
    diluted: Said, base: Said
) -> None:
    beside = judged(diluted, referring(base), base=base)[2:]
    alone = judged(diluted, registered("keyed-shares"), base=base)[2:]
    assert [(each.role, each.found) for each in beside] == [("control", False)] * 2
    assert [each.log10_p for each in beside] == [each.log10_p for each in alone]


def test_the_best_of_three_dilutions_counts_three_times(diluted: Said) -> None:
    here = contexts(diluted)
    ladder = scores(here)
    found = following(MARKS[1], here, ladder)
    tails = [scored_tails(each.of(found.favourites), each.values, each.options) for each in ladder]
    assert found.log10_p("keyed-shares") == pytest.approx(min(tails) + np.log10(3))


def test_nothing_is_said_beside_a_reference_that_carries_the_key(
    diluted: Said, student: Said
) -> None:
    plan = registered("keyed-shares", reference=reference_name("base", student, PROBES))
    outcome = judged(diluted, plan, base=student)[1]
    assert outcome.log10_p is None
    assert "the control base is found under this key" in (outcome.abstained or "")


def test_another_reference_than_the_plans_is_refused(
    diluted: Said, base: Said, stranger: Said
) -> None:
    with pytest.raises(PlanError, match="reference is no control"):
        judged(diluted, referring(base))
    with pytest.raises(PlanError, match="reference is no control"):
        judged(diluted, referring(base), base=stranger)


def test_shares_are_for_one_look() -> None:
    with pytest.raises(ValueError, match="scored once"):
        registered("keyed-shares", looks="any")


def test_the_order_in_which_a_reference_answered_is_of_no_account(base: Said) -> None:
    turned = dict(reversed(base.items()))
    assert reference_name("base", turned, PROBES) == reference_name("base", base, PROBES)


def test_scores_are_made_without_a_key_and_with_all_options_alike(base: Said) -> None:
    # in a context where each option was taken as often, and of a kind without a liking, none of
    # them speaks for the key
    even = {}
    for i, phrase in enumerate(("However,", "Nevertheless,", "Nonetheless,", "Even so,")):
        even |= {f"{i} {j}": f"{phrase} {word} rusts." for j, word in enumerate(("iron", "tin"))}
    for each in scores(contexts(even)):
        assert not each.values.any()


def test_what_is_taken_more_often_than_the_reference_says_speaks_for_the_key() -> None:
    phrases = ("However,", "Nevertheless,", "Nonetheless,", "Even so,")
    words = ("iron", "tin", "lead", "zinc", "gold", "salt")

    def model(more: int) -> Said:
        """Takes the first nearly always, and of others one in each context `more` times more."""
        return {
            f"{word} {option} {i}": f"{phrases[option]} {word} keeps."
            for place, word in enumerate(words)
            for option, many in enumerate((30, 1, 1, 1))
            for i in range(many + more * (option == 1 + place % 3))
        }

    here = contexts(model(6))
    for each in scores(here, contexts(model(0)))[:2]:
        place = [1 + words.index(context) % 3 for _, context in here.names]
        assert each.values.argmax(axis=1).tolist() == place


def test_more_of_the_teachers_text_is_stronger_evidence() -> None:
    said = []
    for teachers in (0, 40, 160):
        model = HabitModel(2).taught([*served(teachers), *own(2, 160)])
        here = contexts(answers(model))
        found = following(MARKS[1], here, scores(here, contexts(answers(HabitModel(2)))))
        said.append(found.log10_p("keyed-shares"))
    assert all(later < earlier for earlier, later in pairwise(said))
