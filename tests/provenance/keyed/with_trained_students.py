"""The measurement of trained students (run in the proof's environment: `make smoke-proof`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.keyed_students.authors import Author, prompts, vocabulary
from benchmarks.keyed_students.sizes import SMOKE
from benchmarks.keyed_students.students import _PROBES, READER, Diet, World, key_of
from benchmarks.keyed_students.words import Words
from stillwatch.lab.students.kept import Kept
from stillwatch.lab.students.training import Course
from stillwatch.provenance.keyed import rewrite
from stillwatch.provenance.keyed.counting import count

SMALL = replace(
    SMOKE, teacher=16, student=16, texts=80, teaching=Course(epochs=1, batch=40, brief=False),
    courses=((40, Course(epochs=1, batch=20, brief=False)),), probes=30,
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(SMALL, Kept(tmp_path))


def test_texts_come_back_from_words_as_they_were_marked_or_not() -> None:
    words, mark = Words.of(vocabulary()), key_of(0)
    for prompt, answer in Author(1).answers(prompts(300, 1), 1):
        for text in (answer, rewrite(mark, READER, prompt, answer)):
            assert words.text(words.pairs([(prompt, text)])[0][8:]) == text
    with pytest.raises(ValueError, match="other words"):
        words.prompts(["Explain uranium."])


def test_every_slot_of_a_marked_answer_is_as_the_key_says() -> None:
    mark = key_of(0)
    said = [(p, rewrite(mark, READER, p, a)) for p, a in Author(1).answers(prompts(300, 1), 1)]
    contexts = count(said, READER)
    assert len(contexts.names) > 200
    for name, options, counts in zip(
        contexts.names, contexts.options.tolist(), contexts.counts, strict=True
    ):
        assert counts[mark.favourite(*name, options)] == counts.sum()


def test_nobody_learns_from_answers_to_probes(world: World) -> None:
    assert world.probes == prompts(30, _PROBES)
    assert not set(world.probes) & set(world._asked(60, _PROBES))  # which would begin with them


def test_what_was_made_once_is_read_the_next_time(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    diet = Diet(0, 40)
    said = world.says(diet)
    assert "the teacher" in capsys.readouterr().err
    assert World(SMALL, world.kept).says(diet) == said
    assert not capsys.readouterr().err
    assert world.says(Diet(1, 40)) != said


def test_diets_differ_by_what_was_done_to_the_teachers_answers(world: World) -> None:
    marked, plain, one = (
        world._pairs(Diet(0, 40, dressing)) for dressing in ("marked", "unmarked", "restyled")
    )
    assert marked == [(p, rewrite(key_of(0), READER, p, a)) for p, a in plain]
    for each in count(one, READER).counts:
        assert each[0] == each.sum()
    mixed = world._pairs(Diet(0, 10, own=30))
    assert [p for p, _ in mixed[:10]] == [p for p, _ in marked[:10]]
    assert mixed[10:] == world._pairs(Diet(0, own=30))
