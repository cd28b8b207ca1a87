"""Triage ranks a suspect among unrelated models, and accuses nobody."""

from __future__ import annotations

import re

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.errors import TooFewControlsError, TranscriptError
from stillwatch.provenance import Transcripts
from stillwatch.provenance.triage import LABEL, closeness, style, triage
from stillwatch.provenance.triage.report import final
from stillwatch.statistics import conformal_p_values

Floats = npt.NDArray[np.float64]
PROMPTS = [f"Question {i}?" for i in range(60)]
RIGHT = {prompt: str(i) for i, prompt in enumerate(PROMPTS)}
VOCABULARY = np.array(re.findall(r"\S+", (
    "the of and to a in is that for it as was however first important also often, river; stone "
    "tree — (cloud) would could most both because"
)))  # fmt: skip


class Writer:
    """A synthetic model: words by a law of its own, errors and refusals of its own."""

    def __init__(self, seed: int, parent: Writer | None = None, share: float = 0.9) -> None:
        rng = np.random.default_rng(seed)
        self.seed = seed
        self.law = rng.dirichlet(np.full(len(VOCABULARY), 2.0))
        self.errors = np.where(rng.random(60) < 0.3, rng.integers(100, 140, 60), np.arange(60))
        self.refuses = rng.random(60) < 0.25
        if parent is not None:
            learnt = rng.random(60) < share
            self.law = share * parent.law + (1 - share) * self.law
            self.errors = np.where(learnt, parent.errors, self.errors)
            self.refuses = np.where(learnt, parent.refuses, self.refuses)

    def transcripts(self) -> Transcripts:
        rng = np.random.default_rng([self.seed, 1])
        return Transcripts.of(f"m{self.seed}", {
            prompt: "I'm sorry, but I can't help with that."
            if self.refuses[i]
            else " ".join(rng.choice(VOCABULARY, 60, p=self.law)) + f" The answer is {each}."
            for i, (prompt, each) in enumerate(zip(PROMPTS, self.errors, strict=True))
        })  # fmt: skip


TEACHER = Writer(1)
CONTROLS = [Writer(seed).transcripts() for seed in range(10, 20)]


def test_a_student_is_the_most_alike_in_every_kind() -> None:
    student = Writer(2, parent=TEACHER).transcripts()
    report = triage(PROMPTS, TEACHER.transcripts(), student, CONTROLS, expected=RIGHT)
    assert {s.kind: s.rank for s in report.similarities} == {"style": 1, "refusals": 1, "errors": 1}
    assert all(s.p == report.least_p == 1 / 11 for s in report.similarities)
    assert all(s.corrected_p == pytest.approx(3 / 11) for s in report.similarities)


@pytest.mark.parametrize("count", range(5))
def test_with_fewer_than_five_controls_nothing_is_said(count: int) -> None:
    with pytest.raises(TooFewControlsError, match="at least 5"):
        triage(PROMPTS, TEACHER.transcripts(), Writer(3).transcripts(), CONTROLS[:count])


def test_one_model_counted_five_times_is_one_control() -> None:
    with pytest.raises(TooFewControlsError, match="1 different"):
        triage(PROMPTS, TEACHER.transcripts(), Writer(3).transcripts(), CONTROLS[:1] * 5)


def test_the_teacher_is_no_control() -> None:
    teacher = TEACHER.transcripts()
    with pytest.raises(TooFewControlsError, match="4 different"):
        triage(PROMPTS, teacher, Writer(3).transcripts(), [*CONTROLS[:4], teacher])


def styles(rng: np.random.Generator, models: int) -> Floats:
    """Styles of unrelated models, some more usual than others, as real ones are."""
    usual = rng.normal(size=30)
    strength = rng.gamma(2.0, 0.5, (models, 1))
    found: Floats = usual * strength + rng.normal(size=(models, 30))
    return found


@pytest.mark.slow
def test_the_innocent_rank_first_as_often_as_the_controls_allow() -> None:
    rng, runs = np.random.default_rng(1), 10_000
    for controls in (5, 19):
        first = np.zeros(runs, bool)
        for i in range(runs):
            drawn = styles(rng, 1 + 1 + controls)
            scores = closeness(drawn[0], drawn[1:])
            first[i] = conformal_p_values(scores[:1], scores[1:])[0] <= 1 / (1 + controls)
        expected = 1 / (1 + controls)
        assert abs(first.mean() - expected) < 3 * np.sqrt(expected / runs)


def test_a_closed_list_of_teachers_accuses_every_innocent() -> None:
    """As with public answers of real models: whoever has no teacher on the list is given one, and
    mostly the one that writes as everybody does. One teacher, named beforehand, is the cure."""
    rng, runs = np.random.default_rng(2), 1_000
    usual = beforehand = afterwards = 0
    for _ in range(runs):
        drawn = styles(rng, 8 + 1 + 19)
        teachers, innocent, controls = drawn[:8], drawn[8], drawn[9:]
        near = np.array([closeness(t, np.vstack([innocent, controls]))[0] for t in teachers])
        named = near.argmax()  # a closed list has no other answer
        usual += named in np.argsort(np.abs(teachers - drawn.mean(axis=0)).sum(axis=1))[:2]
        for teacher in {0, int(named)}:
            scores = closeness(teachers[teacher], np.vstack([innocent, controls]))
            accused = conformal_p_values(scores[:1], scores[1:])[0] <= 0.05
            beforehand += accused and teacher == 0
            afterwards += accused and teacher == named
    assert usual > 0.4 * runs  # chance would be a quarter
    assert beforehand <= 0.05 * runs + 3 * np.sqrt(0.05 * 0.95 * runs)
    assert afterwards > 0.15 * runs  # the same p-value, of a teacher picked by a look


def test_controls_that_do_not_match_accuse_the_innocent() -> None:
    """All rests on the choice of controls: of another time, they make every contemporary alike."""
    rng, first = np.random.default_rng(3), 0
    for _ in range(500):
        age = 3 * rng.normal(size=30)
        teacher, suspect = styles(rng, 1)[0] + age, styles(rng, 1)[0] + age
        scores = closeness(teacher, np.vstack([suspect, styles(rng, 9)]))
        first += conformal_p_values(scores[:1], scores[1:])[0] <= 0.1
    assert first > 400


def test_every_report_and_every_line_of_it_says_triage() -> None:
    report = triage(PROMPTS, TEACHER.transcripts(), Writer(3).transcripts(), CONTROLS,
                    expected=RIGHT)  # fmt: skip
    assert LABEL.startswith("TRIAGE")
    assert report.label == LABEL
    assert all(s.label == LABEL for s in report.similarities)
    assert not {"found", "verdict", "copied"} & set(report.__struct_fields__)
    assert "river" not in msgspec.json.encode(report).decode()


def test_kinds_that_cannot_be_counted_are_named_with_the_reason() -> None:
    mild = Writer(1)
    mild.refuses[:] = False
    mild.errors = np.arange(60)
    suspect = Writer(3).transcripts()
    report = triage(PROMPTS, mild.transcripts(), suspect, CONTROLS, expected=RIGHT)
    assert [s.kind for s in report.similarities] == ["style"]
    assert report.left_out == {"refusals": "the teacher refuses 0 of 60 prompts",
                               "errors": "the teacher errs on 0 prompts"}  # fmt: skip
    assert "no right answers" in triage(
        PROMPTS, mild.transcripts(), suspect, CONTROLS
    ).left_out["errors"]  # fmt: skip


def test_missing_answers_and_too_few_prompts_are_errors() -> None:
    some = Transcripts.of("s", dict(list(Writer(3).transcripts().answers.items())[1:]))
    with pytest.raises(TranscriptError, match="1 of 60"):
        triage(PROMPTS, TEACHER.transcripts(), some, CONTROLS)
    with pytest.raises(ValueError, match="20 are the least"):
        triage(PROMPTS[:19], TEACHER.transcripts(), some, CONTROLS)


def test_style_sees_layout_and_words_and_not_what_a_text_is_about() -> None:
    plain, listed = ["The river is long, and so it is."] * 3, ["- river\n- stone\n- tree"] * 3
    moved = ["The meadow is long, and so it is."] * 3
    assert np.allclose(style(plain), style(moved))
    assert not np.allclose(style(plain), style(listed))
    assert np.isfinite(style([""])).all()


def test_features_that_no_model_differs_in_count_for_nothing() -> None:
    others = np.array([[1.0, 5.0], [2.0, 5.0]])
    assert closeness(np.array([1.0, 9.0]), others).tolist() == [0.0, -2.0]
    assert closeness(np.array([1.0]), np.ones((3, 1))).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("answer", "comes_to"),
    [("It is 1,204.", "1204"), ("From 3 to -4.5", "-4.5"), ("So: Yes!", "yes"), ("…", "")],
)
def test_an_answer_comes_to_its_last_number_or_word(answer: str, comes_to: str) -> None:
    assert final(answer) == comes_to
