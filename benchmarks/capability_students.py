"""Small transformers copy what a teacher can do: how much of its lead, for how many exchanges.

    make bench-capability

Five skills over short lines of characters, such as ``add 37 48``: a teacher that was trained on
many lines with right answers, a base that saw few, students that go on from the base with what the
teacher answers to new lines, and a control that goes on with the base's own lines for as many
steps. They are compared on lines that nobody saw (`stillwatch.provenance.capability`).
Everything is simulated; real models are larger, and learn from fewer answers.
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import torch

from stillwatch.lab.students.training import Course, train
from stillwatch.lab.students.transformer import Cache, Shape, Transformer
from stillwatch.provenance import Transcripts
from stillwatch.provenance.capability import (
    CapabilityReport,
    Task,
    TaskSet,
    compare_capability,
)
from stillwatch.watermark.mark import Int64s

_PROMPT, _ANSWER = 20, 8
_SHAPE: Final = Shape(vocabulary=96, width=128, layers=3, heads=4, length=_PROMPT + _ANSWER)
_LETTERS: Final = "abcdefghij"


class _Size(NamedTuple):
    teacher: int
    base: int
    students: tuple[int, ...]
    tasks: int
    passes: int


_WHOLE: Final = _Size(40_000, 1_500, (500, 2_000, 8_000, 24_000), 100, 2)
_SMOKE: Final = _Size(1_500, 300, (300, 600), 12, 1)


def _add(dice: random.Random) -> tuple[str, str]:
    a, b = dice.randrange(100), dice.randrange(100)
    return f"add {a} {b}", str(a + b)


def _reverse(dice: random.Random) -> tuple[str, str]:
    word = "".join(dice.choices(_LETTERS, k=dice.randint(3, 7)))
    return f"reverse {word}", word[::-1]


def _sort(dice: random.Random) -> tuple[str, str]:
    word = "".join(dice.choices(_LETTERS, k=dice.randint(3, 7)))
    return f"sort {word}", "".join(sorted(word))


def _count(dice: random.Random) -> tuple[str, str]:
    word = "".join(dice.choices(_LETTERS[:3], k=dice.randint(4, 9)))
    return f"count a in {word}", str(word.count("a"))


def _largest(dice: random.Random) -> tuple[str, str]:
    numbers = [dice.randrange(1000) for _ in range(3)]
    return f"largest {' '.join(map(str, numbers))}", str(max(numbers))


_SKILLS: Final[tuple[Callable[[random.Random], tuple[str, str]], ...]] = (
    _add, _reverse, _sort, _count, _largest,
)  # fmt: skip


def lines(number: int, seed: int, without: frozenset[str] = frozenset()) -> list[Task]:
    """So many lines, the skills in turn, none of those `without`, each once."""
    dice, found = random.Random(seed), dict[str, Task]()
    while len(found) < number:
        make = _SKILLS[len(found) % len(_SKILLS)]
        prompt, right = make(dice)
        if prompt not in without and prompt not in found:
            kind = "number" if right.isdigit() else "words"
            found[prompt] = Task(prompt, right, kind, make.__name__[1:])
    return list(found.values())


def _rows(prompts: Sequence[str], answers: Sequence[str]) -> Int64s:
    text = [p.rjust(_PROMPT) + a.ljust(_ANSWER) for p, a in zip(prompts, answers, strict=True)]
    return np.array([[ord(c) - 32 for c in row] for row in text], np.int64)


@torch.inference_mode()
def answers_of(model: Transformer, prompts: Sequence[str]) -> list[str]:
    """What a model says, its likeliest characters."""
    said = []
    for start in range(0, len(prompts), 512):
        some = prompts[start : start + 512]
        fed = torch.from_numpy(_rows(some, [""] * len(some))[:, :_PROMPT].copy())
        cache, out = Cache(_SHAPE, len(some)), []
        for _ in range(_ANSWER):
            fed = model(fed, cache)[:, -1].argmax(-1, keepdim=True)
            out.append(fed.numpy())
        said += ["".join(chr(32 + c) for c in row).strip() for row in np.concatenate(out, 1)]
    return said


def _taught(
    model: Transformer, prompts: Sequence[str], answers: Sequence[str], passes: int, seed: int
) -> Transformer:
    learner = copy.deepcopy(model)
    course = Course(rate=1e-3, epochs=passes, batch=64)
    train(learner, _rows(prompts, answers), course, seed=seed, prompt=_PROMPT)
    return learner


def run(size: _Size, seed: int) -> CapabilityReport:
    """The models of one seed, compared."""
    asked = lines(size.tasks * len(_SKILLS), seed)
    kept = frozenset(task.prompt for task in asked)
    new, start = Transformer(_SHAPE, seed=seed), time.perf_counter()

    def learned(model: Transformer, tasks: Sequence[Task], passes: int) -> Transformer:
        return _taught(model, [t.prompt for t in tasks], [t.expected for t in tasks], passes, seed)

    few = lines(size.base, seed + 1, kept)
    teacher = learned(new, lines(size.teacher, seed + 2, kept), size.passes)
    base = learned(new, few, 10 * size.passes)
    recorded, spent = [], []
    for number in (*size.students, -size.students[-1]):
        prompts = [task.prompt for task in lines(abs(number), seed + 3, kept)]
        if number > 0:
            student = _taught(base, prompts, answers_of(teacher, prompts), 2 * size.passes, seed)
            name = f"{number:,} answers"
        else:  # as many steps, and nothing of the teacher
            student = learned(base, few, max(1, 2 * size.passes * -number // len(few)))
            name = "control"
        recorded.append(_recorded(name, student, asked))
        spent.append({"exchanges": float(max(0, number)), "tokens": float(max(0, number) * 28)})
        print(f"# {name}: {time.perf_counter() - start:.0f} s", flush=True)
    return compare_capability(
        TaskSet.of("lines", asked), _recorded("teacher", teacher, asked),
        _recorded("base", base, asked), recorded, spent=spent,
    )  # fmt: skip


def _recorded(name: str, model: Transformer, asked: Sequence[Task]) -> Transcripts:
    prompts = [task.prompt for task in asked]
    return Transcripts.of(name, dict(zip(prompts, answers_of(model, prompts), strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--smoke", action="store_true", help="that everything runs")
    given = parser.parse_args()
    torch.set_num_threads(1)
    report = run(_SMOKE if given.smoke else _WHOLE, given.seed)
    for domain in report.domains:
        print(f"\n{domain.name}: {domain.teacher.of} tasks; right: teacher {domain.teacher.right}, "
              f"base {domain.base.right}")  # fmt: skip
        for stage in domain.stages:
            share = "-" if stage.recovered is None else f"{stage.recovered:.2f}"
            print(f"  {stage.model:<15} {stage.share.right:>4}  of the lead {share:>5} "
                  f"({stage.interval[0]:.2f} to {stage.interval[1]:.2f})  "
                  f"log10 p {stage.log10_p:.1f}")  # fmt: skip
    for each in report.reached:
        print(f"{each.level:.0%} of the lead: reached by {each.shown or 'none'}, "
              f"not before {each.possible or 'any of them'}")  # fmt: skip


if __name__ == "__main__":
    main()
