"""Models that have a share of tasks right: hard tasks are hard for all of them."""

from __future__ import annotations

import numpy as np

from stillwatch.provenance import Transcripts
from stillwatch.provenance.capability import TaskSet

SORRY = "I'm sorry, but I can't help with that."


def model(
    name: str,
    tasks: TaskSet,
    ability: float,
    *,
    of: tuple[Transcripts, float] | None = None,
    silent: bool = False,
) -> Transcripts:
    """Its answers. With `of`, a share of them are those of another model."""
    hard = np.random.default_rng(0).normal(0, 1, len(tasks.tasks))
    rng = np.random.default_rng(list(name.encode()))
    right = hard + rng.normal(0, 0.5, len(hard)) < np.quantile(hard, ability)
    answers = {}
    for task, knows in zip(tasks.tasks, right, strict=True):
        said = task.expected if knows else "17.125"
        answers[task.prompt] = SORRY if silent and not knows else f"Let me see.\nAnswer: {said}"
        if of is not None and rng.random() < of[1]:
            answers[task.prompt] = of[0].answers[task.prompt]
    return Transcripts.of(name, answers)
