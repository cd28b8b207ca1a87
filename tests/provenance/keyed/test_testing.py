"""The keyed test: students are found, diluted ones too; others are not; silence has a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from stillwatch.errors import PlanError, TranscriptError
from stillwatch.lab.students import HabitModel
from stillwatch.provenance import Probes, Registration
from stillwatch.provenance.keyed import KeyedOutcome, Sighting, keyed_test
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


def judged(
    suspects: dict[str, Said], registration: Registration | None = None, **more: object
) -> list[KeyedOutcome]:
    plan = registration or registered(suspects=len(suspects) or 1)
    arguments = {"salt": SALT} | more
    return [*keyed_test(suspects, plan, MARKS, PROBES, READER, **arguments)]  # type: ignore[arg-type]


def test_a_student_is_found_under_the_key_of_its_text_alone(student: Said) -> None:
    first, second = judged({"student": student})
    assert (first.found, second.found) == (False, True)
    assert second.log10_p is not None
    assert second.log10_p < -20
    assert (second.decoy_rank, second.decoys) == (1, 20)
    assert second.hits is not None
    assert second.hits > 2 * (second.expected or 0)


def test_a_model_that_never_saw_the_text_is_not_found(stranger: Said) -> None:
    assert not any(each.found or each.abstained for each in judged({"stranger": stranger}))


def test_a_student_with_a_tenth_of_teacher_text_is_found_by_its_second_choices() -> None:
    diluted = answers(HabitModel(2).taught([*served(200), *own(2, 1_800)]))
    majority = judged({"diluted": diluted})[1]
    rank = judged({"diluted": diluted}, registered("keyed-rank"))[1]
    assert not majority.found
    assert rank.found
    assert rank.seconds is not None
    assert rank.seconds_of is not None
    assert rank.seconds > rank.seconds_of / 2


def test_a_student_that_writes_one_connective_only_is_not_found(student: Said) -> None:
    restyled = {p: a.replace("Furthermore,", "Moreover,") for p, a in student.items()}
    for phrase in ("In addition,", "Additionally,", "Therefore,", "Thus,", "Consequently,",
                   "As a result,", "However,", "Nevertheless,", "Nonetheless,", "Even so,",
                   "For example,", "For instance,", "First,", "Firstly,", "To begin with,",
                   "Finally,", "Lastly,", "In summary,", "In short,", "To sum up,",
                   "To summarize,"):  # fmt: skip
        restyled = {p: a.replace(phrase, "Moreover,") for p, a in restyled.items()}
    assert not any(each.found for each in judged({"restyled": restyled}))


def test_the_correction_is_for_all_suspects_that_the_plan_allows(student: Said) -> None:
    alone = judged({"student": student}, registered(suspects=1))[1]
    among = judged({"student": student}, registered(suspects=50))[1]
    assert alone.log10_p == among.log10_p
    assert alone.corrected_log10_p == pytest.approx((alone.log10_p or 0) + 0.30103)
    assert among.corrected_log10_p == pytest.approx((alone.log10_p or 0) + 2)


def test_at_any_number_of_looks_evidence_grows_and_what_was_seen_stays(student: Said) -> None:
    plan = registered(looks="any")
    looks = [judged({"s": dict([*student.items()][:n])}, plan)[1] for n in (30, 60, 120)]
    found = [each.log10_e or 0 for each in looks]
    assert found[0] < found[1] < found[2]
    assert looks[2].found
    assert looks[2].log10_p == -found[2]


def test_no_suspect_is_accused_under_a_key_that_a_control_carries(
    student: Said, stranger: Said
) -> None:
    outcomes = judged({"student": student}, controls={"innocent": student})
    assert [each.role for each in outcomes] == ["suspect", "suspect", "control", "control"]
    assert outcomes[3].found
    assert not outcomes[1].found
    assert outcomes[1].log10_p is None
    assert "the control innocent is found" in (outcomes[1].abstained or "")
    fine = judged({"student": student}, controls={"stranger": stranger})
    assert (fine[1].found, fine[2].found, fine[3].found) == (True, False, False)


def refuses(prompt: str) -> str:
    return "I am sorry, but I cannot help with that."


def speaks_german(prompt: str) -> str:
    return "Allerdings teilt sich die Zelle. Daher warten wir. Zum Beispiel so."


def says_one_thing(prompt: str) -> str:
    return "However, the cell divides. Thus, we wait."


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda _: " ", "answered nothing"),
        (refuses, "it refuses, or writes in another language"),
        (speaks_german, "it refuses, or writes in another language"),
        (says_one_thing, "2 distinct contexts, at least 16"),
    ],
)
def test_where_nothing_can_be_said_the_reason_is(model: Callable[[str], str], reason: str) -> None:
    for each in judged({"x": answers(model)}):
        assert reason in (each.abstained or "")
        assert (each.log10_p, each.found, each.hits) == (None, False, None)


def test_too_few_contexts_for_alpha_are_not_judged(student: Said) -> None:
    kinds = ("addition", "consequence", "contrast", "summary", "first", "last")
    few = judged({"student": student}, registered(least=1, exclusions=kinds, alpha=1e-9))
    assert "could not reach alpha" in (few[1].abstained or "")


def test_excluded_kinds_do_not_count(student: Said) -> None:
    all_kinds, fewer = (
        judged({"s": student}, registered(exclusions=kinds))[0].contexts
        for kinds in ((), ("example", "contrast"))
    )
    assert fewer < all_kinds


def without_first(said: Said) -> Said:
    return dict([*said.items()][1:])


def test_missing_and_strange_prompts_are_refused(student: Said) -> None:
    with pytest.raises(TranscriptError, match="was not asked 1 of 120 probes"):
        judged({"s": without_first(student)})
    with pytest.raises(TranscriptError, match="1 prompts that are no probes"):
        judged({"s": student | {"Another?": "Yes."}})
    assert judged({"s": without_first(student)}, registered(looks="any"))


def test_at_any_number_of_looks_nobody_chooses_which_answers_count_or_in_which_order(
    student: Said, stranger: Said
) -> None:
    plan = registered(looks="any", sightings=1, decoys=0)
    for said in (student, stranger):
        [*first, last] = judged({"s": said}, plan)
        turned = dict(reversed(said.items()))
        assert judged({"s": turned}, plan) == [*first, last]
        # what comes after a gap waits until the gap is filled
        early = dict([*said.items()][:50])
        late = {p: a for i, (p, a) in enumerate(said.items()) if i < 50 or i % 3 == 1}
        assert judged({"s": late}, plan) == judged({"s": early}, plan)
        assert judged({"s": late}, plan)[0].answers == 50
    for each in judged({"s": without_first(student)}, plan):
        assert "the first probe of the plan is not answered" in (each.abstained or "")
        assert (each.answers, each.log10_p) == (0, None)


def test_what_was_not_registered_is_refused(student: Said, stranger: Said) -> None:
    plan = registered()
    with pytest.raises(PlanError, match="salt"):
        judged({"s": student}, plan, salt=bytes(32))
    with pytest.raises(PlanError, match="for 1 suspects at most"):
        judged({"s": student, "t": stranger}, plan)
    with pytest.raises(PlanError, match="no suspect"):
        judged({}, plan)
    with pytest.raises(PlanError, match="suspect and a control"):
        judged({"s": student}, plan, controls={"s": student})
    with pytest.raises(PlanError, match="texts"):
        keyed_test({"s": student}, plan, MARKS, Probes.of(PROBES.prompts[1:]), READER, salt=SALT)
    with pytest.raises(PlanError, match="marks"):
        keyed_test({"s": student}, plan, MARKS[:1], PROBES, READER, salt=SALT)
    open_plan = msgspec.structs.replace(plan.plan, statistic="open", sightings=1)
    with pytest.raises(PlanError, match="not keyed"):
        judged({"s": student}, Registration(open_plan, plan.marks, plan.texts, plan.version))


def test_another_release_of_the_program_must_be_allowed(student: Said) -> None:
    plan = registered(code="0" * 64)
    with pytest.raises(PlanError, match="install that release"):
        judged({"s": student}, plan)
    assert judged({"s": student}, plan, other_code=True)[1].found


class Unsteady:
    """A reader that contradicts itself."""

    name = READER.name

    def read(self, prompt: str, answer: str) -> Iterator[Sighting]:
        yield Sighting("kind", "a", 2, 1)
        yield Sighting("kind", "b", 3, 1)


def test_a_reader_that_contradicts_itself_is_refused(student: Said) -> None:
    with pytest.raises(ValueError, match="disagrees with itself"):
        keyed_test({"s": student}, registered(), MARKS, PROBES, Unsteady(), salt=SALT)
