"""Keyed tests: whom they accuse, beside a z-test over tokens, and whom they find.

Models with habits stand in for language models (stillwatch.lab.students.HabitModel).

    python -m benchmarks.keyed
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from stillwatch.lab.students import HabitModel
from stillwatch.provenance import Plan, Probes, Registration
from stillwatch.provenance.keyed import SCHEME, EnglishReader, KeyedMark, keyed_test, rewrite
from stillwatch.provenance.keyed.counting import count
from stillwatch.provenance.keyed.english import CONNECTIVES
from stillwatch.provenance.keyed.following import following
from stillwatch.statistics import choice_tail
from stillwatch.watermark import KeyRing, MarkKey

MODELS, KEYS, PROBES = 4, 1_000, 200
ALPHAS = (0.05, 0.01, 0.001)
READER = EnglishReader()
Said = dict[str, str]


def answers(model: HabitModel, prompts: tuple[str, ...]) -> Said:
    return {prompt: model(prompt) for prompt in prompts}


def accused(prompts: tuple[str, ...]) -> None:
    """Shares of random keys that are found in models that never met them."""
    values = np.random.default_rng(1).integers(0, 1 << 64, KEYS, np.uint64).tolist()
    marks = [KeyedMark(MarkKey(value, "", "", SCHEME), READER.name) for value in values]
    logs: dict[str, list[float]] = {"z over tokens": [], "majority": [], "rank": [], "any time": []}
    for seed in range(MODELS):
        said = [*answers(HabitModel(100 + seed), prompts).items()]
        logs["z over tokens"] += naive(said, marks)
        whole = count(said, READER, least=2)
        early = count(said, READER, least=2, looks="any")
        tails = [choice_tail(k, 1 / whole.options) for k in range(len(whole.names) + 1)]
        for number, mark in enumerate(marks):
            found = following(mark, whole)
            logs["majority"].append(tails[int(found.hits.sum())])
            if number < KEYS // 4:
                logs["rank"].append(found.log10_p("keyed-rank"))
                logs["any time"].append(-following(mark, early).log10_e("keyed-majority"))
    print(f"| test | keys × models | {' | '.join(f'at {a}' for a in ALPHAS)} |")
    print("|---|---|" + "---|" * len(ALPHAS))
    for name, found_logs in logs.items():
        shares = [(np.array(found_logs) <= np.log10(a)).mean() for a in ALPHAS]
        print(f"| {name} | {len(found_logs):,} | {' | '.join(f'{s:.4f}' for s in shares)} |")


def naive(said: list[tuple[str, str]], marks: list[KeyedMark]) -> list[float]:
    """log10 p of a z-test in which every sighting is a trial of its own."""
    taken: dict[tuple[str, str], np.ndarray] = {}
    for prompt, answer in said:
        for seen in READER.read(prompt, answer):
            taken.setdefault((seen.kind, seen.context), np.zeros(seen.options))[seen.taken] += 1
    of = np.array([each.sum() for each in taken.values()])
    share = np.array([1 / len(each) for each in taken.values()])
    mean, spread = (of * share).sum(), np.sqrt((of * share * (1 - share)).sum())
    out = []
    for mark in marks:
        hits = sum(c[mark.favourite(*name, len(c))] for name, c in taken.items())
        out.append(float(norm.logsf((hits - mean) / spread) / np.log(10)))
    return out


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
    probes = Probes.of(prompts)
    print("\n| what the student read | contexts | majority: log10 p | rank: log10 p |")
    print("|---|---|---|---|")
    for name, student in students.items():
        said = answers(student, prompts)
        cells = []
        for statistic in ("keyed-majority", "keyed-rank"):
            plan = Plan(statistic=statistic, sightings=2, decoys=0)  # type: ignore[arg-type]
            registration = Registration.of(plan, [mark], [probes.text_set()], salt=bytes(32))
            [each] = keyed_test({"s": said}, registration, [mark], probes, READER, salt=bytes(32))
            cells.append("–" if each.log10_p is None else f"{each.log10_p:.1f}")
        print(f"| {name} | {each.contexts} | {' | '.join(cells)} |")


def one_style(answer: str) -> str:
    for phrases in CONNECTIVES.values():
        for phrase in phrases[1:]:
            answer = answer.replace(phrase, phrases[0])
    return answer


if __name__ == "__main__":
    asked = tuple(f"What about {i}?" for i in range(PROBES))
    accused(asked)
    found(asked)
