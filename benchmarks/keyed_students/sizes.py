"""What is trained and asked: the whole measurement, and its small form for CI."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.keyed_students.words import ANSWER, PROMPT
from stillwatch.lab.students.training import Course
from stillwatch.lab.students.transformer import Shape

__all__ = ["FULL", "SMOKE", "Size", "shape"]


def shape(vocabulary: int, width: int) -> Shape:
    """Two layers of this width, as long as a prompt and its answer."""
    return Shape(vocabulary=vocabulary, width=width, layers=2, heads=4, length=PROMPT + ANSWER)


@dataclass(frozen=True, slots=True)
class Size:
    """One form of the measurement.

    Args:
        teacher, student: widths.
        texts: answers of its author that the teacher learns from.
        teaching: how.
        courses: how a student learns from so many pairs.
        usual: pairs of the students that are compared with one another.
        mixed: pairs of those of which a tenth is the teacher's.
        probes: prompts that every model is asked, at temperature 1; tests take the first of them.
        plan: of them, how many the plan asks for.
        fewer: numbers of probes that statistics are compared at.
        seeds: of students, keys and what else they read; none was looked at before the plan.
        few: of them, those of the costlier rows.
        held: whether diluted students must be found, and restyled ones are trained.
        controls: seeds of models of other authors alone, beside those of `seeds`.
        control: pairs that those read.
        keys: random keys that each control is held against.
    """

    teacher: int = 96
    student: int = 64
    texts: int = 20_000
    teaching: Course = field(
        default_factory=lambda: Course(rate=3e-3, epochs=3, batch=64, brief=False)
    )
    courses: tuple[tuple[int, Course], ...] = (
        (100, Course(rate=3e-3, epochs=60, batch=20, brief=False)),
        (1_000, Course(rate=3e-3, epochs=20, batch=40, brief=False)),
        (10_000, Course(rate=3e-3, epochs=10, batch=32, brief=False)),
    )
    usual: int = 1_000
    mixed: int = 10_000
    probes: int = 4_000
    plan: int = 2_000
    fewer: tuple[int, ...] = (200, 500, 1_000, 2_000, 4_000)
    seeds: tuple[int, ...] = (0, 1, 2)
    few: tuple[int, ...] = (0,)
    held: bool = True
    controls: tuple[int, ...] = (3, 4, 5)
    control: int = 1_000
    keys: int = 2_000


FULL = Size()

SMOKE = Size(
    teacher=48,
    student=64,
    texts=2_000,
    teaching=Course(rate=5e-3, epochs=3, batch=40, brief=False),
    courses=((400, Course(rate=4e-3, epochs=15, batch=16, brief=False)),),
    usual=400,
    mixed=400,
    probes=300,
    plan=300,
    fewer=(),
    seeds=(0,),
    held=False,
    few=(),
    controls=(),
    keys=1_000,
)
