"""A teacher whose answers carry a key, students of it, and models that never saw it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stillwatch.lab.students import HabitModel
from stillwatch.provenance import Plan, Probes, Registration
from stillwatch.provenance.keyed import EnglishReader, KeyedMark, rewrite
from stillwatch.watermark import KeyRing

SALT = bytes(range(32))
READER = EnglishReader()
RING = KeyRing(bytes(range(32)), "2026-11")
MARKS = [KeyedMark.of(RING, name, READER.name) for name in ("c-1", "c-2")]
PROBES = Probes.of([f"What about {i}?" for i in range(120)])


def answers(model: Callable[[str], str]) -> dict[str, str]:
    return {prompt: model(prompt) for prompt in PROBES.prompts}


def registered(statistic: str = "keyed-majority", **settings: object) -> Registration:
    plan = Plan(**({"statistic": statistic, "decoys": 20, "sightings": 2} | settings))  # type: ignore[arg-type]
    return Registration.of(plan, MARKS, [PROBES.text_set()], salt=SALT)


def served(count: int) -> list[tuple[str, str]]:
    """What the teacher said to cluster c-2."""
    teacher = HabitModel(1)
    prompts = [f"Tell me {i}" for i in range(count)]
    return [(p, rewrite(MARKS[1], READER, p, teacher(p))) for p in prompts]


def own(seed: int, count: int) -> list[tuple[str, str]]:
    """What a model of its own writes."""
    return [(f"Own {i}", HabitModel(seed)(f"Own {i}")) for i in range(count)]


@pytest.fixture(scope="session")
def student() -> dict[str, str]:
    return answers(HabitModel(2).taught(served(400)))


@pytest.fixture(scope="session")
def stranger() -> dict[str, str]:
    return answers(HabitModel(3))
