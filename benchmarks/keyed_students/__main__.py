"""Whether trained students show a key, how diluted they may be, and whom the tests accuse.

    python -m benchmarks.keyed_students --out DIR [--smoke] [--peer VENV]

Teacher and students are small transformers, trained here on one thread from answers about a small
world. Everything made is kept in DIR, so that a run goes on where it was killed. The tables on
standard output are for ``docs/benchmarks/keyed-tests.md``; with an environment that has
knowlyr-modelaudit, it is asked about the same models.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from benchmarks.keyed_students.judging import outcome_of, registered
from benchmarks.keyed_students.sizes import FULL, SMOKE, Size
from benchmarks.keyed_students.students import Diet, World, key_of
from benchmarks.model_audit.asking import audited, shared
from benchmarks.random_keys import LEVELS, calibrated, row_of, uniform
from stillwatch.lab.students.kept import Kept
from stillwatch.provenance import Probes
from stillwatch.provenance.registration import Statistic
from stillwatch.statistics import holm_log10

STATISTICS: tuple[Statistic, ...] = ("keyed-majority", "keyed-rank", "keyed-shares")
#: log10 of what students of the teacher alone, and those of a tenth, are held to
UNDILUTED, DILUTED = -9.0, -6.0
#: prompts that the peer compares answers to; its own are eight
_PEERS = 40


def row(*cells: object) -> None:
    """One line of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    """The first two lines of a table."""
    print()
    row(*cells)
    row(*("---" for _ in cells))


def shown(log10_ps: Sequence[float | None]) -> str:
    """Some p-values, for a table."""
    return ", ".join("–" if each is None else f"{each + 0:.1f}" for each in log10_ps)


def source(size: Size, seed: int) -> Diet:
    """The other source alone: what the diluted student is without the teacher."""
    return Diet(seed, own=size.mixed)


def diluted(size: Size, seed: int) -> Diet:
    return Diet(seed, size.mixed // 10, own=size.mixed - size.mixed // 10)


def controls(size: Size) -> list[Diet]:
    """Models that read nothing of any teacher under a key."""
    return [
        *(source(size, seed) for seed in size.seeds),
        *(Diet(seed, own=size.control) for seed in size.controls),
        *(Diet(seed, size.usual, "unmarked") for seed in size.seeds),
    ]


def found(world: World, size: Size) -> bool:
    """Students of every diet under the key of their seed; whether all is as it should be."""
    tenth, n = size.mixed // 10, size.usual
    rest = size.mixed - tenth
    probes = Probes.of(world.probes[: size.plan])
    digest = registered("keyed-rank", key_of(size.seeds[0]), probes).digest()
    print(f"\nThe plan's digest for seed {size.seeds[0]} and keyed-rank: {digest}")
    head("what the student read", "seeds", "majority", "rank", "shares", "shares, by reference")
    good = True
    rows: list[tuple[str, list[Diet], float]] = [
        (f"{count:,} of the teacher's",
         [Diet(s, count) for s in (size.few if count > n else size.seeds)],
         UNDILUTED if count >= n else 0.0)
        for count, _ in size.courses
    ]  # fmt: skip
    rows += [
        (f"{tenth:,} among {rest:,} of another source",
         [diluted(size, s) for s in size.seeds], DILUTED if size.held else 0.0),
        (f"{tenth:,} among {rest:,} under another provider's key",
         [Diet(s, tenth, own=rest, foreign=True) for s in size.few], DILUTED if size.held else 0.0),
        (f"{n:,}, restyled to one connective a kind",
         [Diet(s, n, "restyled") for s in size.seeds[:2]], 0.0),
        (f"{n:,}, answered without the mark", [Diet(s, n, "unmarked") for s in size.seeds], 0.0),
        ("the other source alone", [source(size, s) for s in size.seeds], 0.0),
    ]  # fmt: skip
    for name, some, target in rows if size.held else [*rows[:-3], *rows[-2:]]:
        if not some:
            continue
        said: dict[str, list[float | None]] = {}
        for diet in some:
            answers, mark = world.says(diet), key_of(diet.seed)
            asked = world.probes[: size.plan]
            for statistic in STATISTICS:
                said.setdefault(statistic, []).append(
                    outcome_of(answers, mark, asked, statistic).log10_p
                )
            if diet != source(size, diet.seed):
                beside = world.says(source(size, diet.seed))
                said.setdefault("by reference", []).append(
                    outcome_of(answers, mark, asked, "keyed-shares", beside).log10_p
                )
        best = min((p for ps in said.values() for p in ps if p is not None), default=0.0)
        worst = max(p or 0.0 for p in said.get("by reference", [0.0]))
        # students are found by the statistic that is registered for them; others by none
        good &= worst <= target if target else True
        good &= best > -6 if name.endswith(("kind", "mark", "alone")) else True
        row(name, len(some), *(shown(ps) for ps in said.values()), *["–"] * (4 - len(said)))
    return good


def fewer(world: World, size: Size) -> None:
    """How many probes each statistic needs for the diluted student."""
    head("probes", "contexts", "rank", "shares", "shares, by reference", "by an unrelated model")
    unrelated = world.says(Diet(size.controls[0], own=size.control))
    for probes in size.fewer:
        asked, cells = world.probes[:probes], dict[str, list[float | None]]()
        contexts = []
        for seed in size.seeds:
            answers, mark = world.says(diluted(size, seed)), key_of(seed)
            beside = world.says(source(size, seed))
            rank = outcome_of(answers, mark, asked, "keyed-rank")
            contexts.append(rank.contexts)
            cells.setdefault("rank", []).append(rank.log10_p)
            for name, reference in (("shares", None), ("beside", beside), ("other", unrelated)):
                outcome = outcome_of(answers, mark, asked, "keyed-shares", reference)
                cells.setdefault(name, []).append(outcome.log10_p)
        row(f"{probes:,}", f"{np.mean(contexts):.0f}", *(shown(ps) for ps in cells.values()))


def accused(world: World, size: Size) -> bool:
    """Random keys against models that never met them; whether tests keep what they promise."""
    some, kept = controls(size), dict[str, list[np.ndarray]]()
    uniforms: dict[str, list[float]] = {}
    for number, diet in enumerate(some):
        answers = world.says(diet)
        asked = {prompt: answers[prompt] for prompt in world.probes[: size.plan]}
        other = world.says(some[number - 1])
        beside = {prompt: other[prompt] for prompt in asked}
        said = calibrated(asked, size.keys, 1 + number, beside)
        for name, log10_p in said.items():
            if name.endswith("randomised"):
                uniforms.setdefault(name, []).append(uniform(log10_p))
            else:
                kept.setdefault(name, []).append(log10_p)
    head("test", "keys × models", *(f"at {level}" for level in LEVELS))
    good = True
    for name, found_logs in kept.items():
        logs = np.concatenate(found_logs)
        shares = [(logs <= np.log10(level)).mean() for level in LEVELS]
        print(row_of(name, logs))
        if name != "z over tokens":
            good &= all(
                share <= level + 4 * np.sqrt(level * (1 - level) / len(logs))
                for share, level in zip(shares, LEVELS, strict=True)
            )
    for name, ps in uniforms.items():
        least = 10 ** float(holm_log10(np.log10(ps).tolist()).min())
        print(
            f"\nP-values, {name}, over {size.keys:,} keys on each of {len(some)} models, against "
            f"the uniform law: Kolmogorov-Smirnov p from {min(ps):.3f} to {max(ps):.3f} "
            f"({least:.2f} after Holm)."
        )
        good &= least > 0.001
    return good


def peer(world: World, size: Size, venv: Path) -> None:
    """What the peer says of the same models: unrelated pairs, and students beside the teacher."""
    asked = world.probes[:_PEERS]
    sources = [source(size, s) for s in size.seeds]
    others = [*sources, *(Diet(s, own=size.control) for s in size.controls)]
    diets = {f"source {each.seed}": each for each in others}
    groups = {
        f"{size.usual:,} of the teacher's": [Diet(s, size.usual) for s in size.seeds],
        "the same, restyled": [Diet(s, size.usual, "restyled") for s in size.seeds[:2]],
        "a tenth": [diluted(size, s) for s in size.seeds],
    }
    models = {**diets, **{f"{n} {d.seed}": d for n, some in groups.items() for d in some}}
    answers = {
        name: {prompt: said[prompt] for prompt in asked}
        for name, said in ((name, world.says(diet)) for name, diet in models.items())
    }
    teacher = dict(world.served_to(asked))
    answers["the teacher"] = teacher
    head("pairs", "called derived", "llmmap (0.85)", "dli (0.80)")
    pairs = {
        "unrelated models": [*combinations(diets, 2)],
        "the teacher and unrelated models": [("the teacher", name) for name in diets],
    }
    for name, some in groups.items():
        pairs[f"the teacher and students: {name}"] = [
            ("the teacher", f"{name} {diet.seed}") for diet in some
        ]
    for what, those in pairs.items():
        said = audited(venv, answers, those)
        spans = [
            f"{min(values):.3f}–{max(values):.3f}"
            for values in ([each.llmmap for each in said], [each.dli for each in said])
        ]
        row(what, shared(said), *spans)


def main() -> None:
    """Train what is not there yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--smoke", action="store_true", help="the small form")
    parser.add_argument("--peer", type=Path, help="an environment with knowlyr-modelaudit")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    size, begun = SMOKE if asked.smoke else FULL, time.perf_counter()
    world = World(size, Kept(asked.out))
    good = found(world, size)
    if size.fewer:
        fewer(world, size)
    good &= accused(world, size)
    if asked.peer:
        peer(world, size, asked.peer)
    print(
        f"\n{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the end; "
        f"{time.perf_counter() - begun:.0f} s. Torch {torch.__version__}."
    )
    if not good:
        sys.exit("a student was not found as it should be, or a model that met no key was")


if __name__ == "__main__":
    main()
