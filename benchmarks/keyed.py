"""Keyed tests: whom they accuse, beside a z-test over tokens, and whom they find.

Models with habits stand in for language models (stillwatch.lab.students.HabitModel).

    python -m benchmarks.keyed [--peer VENV]

With an environment that has knowlyr-modelaudit, the public peer is asked about unrelated models.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.model_audit.asking import audited, shared
from benchmarks.random_keys import LEVELS, calibrated, row_of
from stillwatch.lab.students import HabitModel
from stillwatch.provenance import Plan, Probes, Registration
from stillwatch.provenance.keyed import (
    EnglishReader,
    KeyedMark,
    keyed_test,
    reference_name,
    rewrite,
)
from stillwatch.watermark import KeyRing
from stillwatch.watermark.choices.english import CONNECTIVES

MODELS, KEYS, PROBES, PEERS = 4, 2_500, 200, 40
READER = EnglishReader()
Said = dict[str, str]


def answers(model: HabitModel, prompts: tuple[str, ...]) -> Said:
    return {prompt: model(prompt) for prompt in prompts}


def accused(prompts: tuple[str, ...]) -> None:
    """Shares of random keys that are found in models that never met them."""
    logs: dict[str, list[np.ndarray]] = {}
    for seed in range(MODELS):
        said = answers(HabitModel(100 + seed), prompts)
        beside = answers(HabitModel(200 + seed), prompts)
        for name, log10_p in calibrated(said, KEYS, 1 + seed, beside).items():
            logs.setdefault(name, []).append(log10_p)
    print(f"| test | keys × models | {' | '.join(f'at {a}' for a in LEVELS)} |")
    print("|---|---|" + "---|" * len(LEVELS))
    for name, some in logs.items():
        if not name.endswith("randomised"):
            print(row_of(name, np.concatenate(some)))


def peer(prompts: tuple[str, ...], venv: Path) -> None:
    """What the peer says of pairs of models that never met: each has habits of its own."""
    said = {f"model {seed}": answers(HabitModel(100 + seed), prompts[:PEERS]) for seed in range(10)}
    audits = audited(venv, said, [*combinations(said, 2)])
    alike = [[each.llmmap for each in audits], [each.dli for each in audits]]
    spans = " | ".join(f"{min(each):.3f}–{max(each):.3f}" for each in alike)
    print("\n| pairs | called derived | llmmap (0.85) | dli (0.80) |\n|---|---|---|---|")
    print(f"| models with habits, unrelated | {shared(audits)} | {spans} |")


def found(prompts: tuple[str, ...]) -> None:
    """log10 p, corrected for one suspect and one key, of students of several kinds."""
    ring = KeyRing(bytes(range(32)), "2026-11")
    mark = KeyedMark.of(ring, "c-812", READER.name)
    teacher, own = HabitModel(1), HabitModel(2)
    told = [(p, rewrite(mark, READER, p, teacher(p))) for p in (f"Tell {i}" for i in range(500))]
    more = [(p, own(p)) for p in (f"Own {i}" for i in range(4_500))]
    restyled = [(p, one_style(answer)) for p, answer in told]
    students = {
        "100 answers": own.taught(told[:100]),
        "300 answers": own.taught(told[:300]),
        "500 answers": own.taught(told),
        "500 answers among 4,500 of its own": own.taught([*told, *more]),
        "500 answers, restyled to one connective a kind": own.taught(restyled),
        "none": own,
    }
    probes, base = Probes.of(prompts), answers(own, prompts)
    print("\n| what the student read | contexts | majority | rank | shares | shares, by its base |")
    print("|---|---|---|---|---|---|")
    for name, student in students.items():
        said = answers(student, prompts)
        cells = []
        for statistic, reference in (("keyed-majority", None), ("keyed-rank", None),
                                     ("keyed-shares", None), ("keyed-shares", base)):  # fmt: skip
            named = reference and reference_name("base", reference, probes)
            plan = Plan(statistic=statistic, sightings=2, decoys=0, reference=named)  # type: ignore[arg-type]
            registration = Registration.of(plan, [mark], [probes.text_set()], salt=bytes(32))
            each = keyed_test(
                {"s": said}, registration, [mark], probes, READER, salt=bytes(32),
                controls={"base": reference} if reference else {},
            )[0]  # fmt: skip
            cells.append("–" if each.log10_p is None else f"{each.log10_p:.1f}")
        print(f"| {name} | {each.contexts} | {' | '.join(cells)} |")


def one_style(answer: str) -> str:
    for phrases in CONNECTIVES.values():
        for phrase in phrases[1:]:
            answer = answer.replace(phrase, phrases[0])
    return answer


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", type=Path, help="an environment with knowlyr-modelaudit")
    venv = parser.parse_args().peer
    asked = tuple(f"What about {i}?" for i in range(PROBES))
    accused(asked)
    found(asked)
    if venv:
        peer(asked, venv)


if __name__ == "__main__":
    main()
