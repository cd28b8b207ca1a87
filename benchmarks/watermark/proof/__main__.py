"""Whether a student that was trained on marked text shows the key.

    python -m benchmarks.watermark.proof --out DIR [--smoke] [--only TABLE…]

Teachers and students are small transformers, trained here on one thread each from what installed
packages say in their documentation. Everything made is kept in DIR, so that a run goes on where it
was killed. The tables on standard output are for ``docs/benchmarks/watermark.md``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.watermark.proof.quality import HEADS, measured
from benchmarks.watermark.proof.schemes import tested
from benchmarks.watermark.proof.sizes import FULL, SMOKE, Size
from benchmarks.watermark.proof.target import (
    Cell,
    calibrated,
    compared,
    log10s,
    registered,
    uniform,
)
from stillwatch.lab.students.kept import Kept
from stillwatch.lab.students.radioactive import Found
from stillwatch.lab.students.world import World

TARGET = -6.0


def row(*cells: object) -> None:
    """One line of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    """The first two lines of a table."""
    print()
    row(*cells)
    row(*("---" for _ in cells))


def shown(found: Found) -> str:
    """A p-value and the rank beside it."""
    return f"{found.log10_p:.1f} ({found.rank})"


def setting(world: World, size: Size) -> None:
    """What was trained, and how surely it speaks."""
    head("model", "parameters", "nats a token on fresh documents")
    base = world.base(size.attacker.shape, size.attacker.basing)
    for name, model in (("teacher", world.teacher), ("base of the students", base)):
        count = sum(weight.numel() for weight in model.parameters())
        row(name, f"{count:,}", f"{world.fresh_loss(model):.2f}")
    how = size.setting.serving
    print(
        f"\nAnswers of {how.answer} tokens at temperature {how.temperature}, top {how.top_k}: "
        f"{world.nats():.2f} nats a token. Torch {torch.__version__}."
    )


def target(world: World, size: Size) -> bool:
    """The cell that has a target, and the clean students beside it; whether all is as it should."""
    print(f"\nThe plan's digest: {registered(world, size).digest()}")
    cells = [Cell(world, size, seed) for seed in size.seeds]
    names: list[str] = []
    reached = 0
    for cell in cells:
        said = compared(cell)
        if not names:
            names = list(said)
            head("seed", *(f"reference: {name}" for name in names))
        row(cell.seed, *(shown(each) for each in said.values()))
        reached += said["siblings"].log10_p <= TARGET
    print(f"\n{reached} of {len(cells)} seeds at p ≤ 10^{TARGET:.0f} against the siblings.")
    head("clean students of seed", "log10 p of the key", "wrong keys at p ≤ 0.1, 0.01, 0.001")
    everyone: list[Found] = []
    for cell in cells:
        clean = calibrated(cell)
        everyone += [found for found, _ in clean]
        shares = "; ".join(" ".join(f"{share:.4f}" for share in shares) for _, shares in clean)
        row(cell.seed, log10s([found for found, _ in clean]), shares)
    print(
        f"\nRanks of the key among {size.decoys} others on {len(everyone)} clean students: "
        f"Kolmogorov-Smirnov p = {uniform(everyone):.2f}; least log10 p "
        f"{min(each.log10_p for each in everyone):.1f}."
    )
    return reached == len(cells) and min(each.log10_p for each in everyone) > TARGET


def attackers(world: World, size: Size) -> None:
    """Other ways to train on the same text."""
    head("attacker", *(f"seed {seed}" for seed in size.seeds[:2]))
    for name, attacker in (("as above", size.attacker), *size.others):
        cells = [Cell(world, size, seed, attacker) for seed in size.seeds[:2]]
        row(name, *(shown(cell.found(cell.evidence(0, [1]))) for cell in cells))


def cooler(world: World, size: Size) -> None:
    """A teacher that chooses less, against one sibling; of the coolest, more text, too."""
    head("temperature", "nats a token", "served tokens", "log10 p (rank), seed 0", "seed 1")
    half, twice = size.volume // 2, 2 * size.volume
    usual = size.setting.serving.temperature
    for temperature, volume, pool, seeds in (
        (usual, half, size.pool // 3, size.seeds[:2]), (0.6, half, size.pool // 3, size.seeds[:2]),
        (0.4, half, size.pool // 3, size.seeds[:2]), (0.4, twice, size.pool, size.seeds[:1]),
    ):  # fmt: skip
        serving = replace(size.setting.serving, temperature=temperature)
        cool = World(replace(size.setting, serving=serving), world.kept, world.say)
        less = replace(size, volume=volume, pool=pool)
        found = [shown(c.found(c.evidence(0, [1]))) for c in (Cell(cool, less, s) for s in seeds)]
        row(temperature, f"{cool.nats():.2f}", f"{volume:,}", *found, *["–"] * (2 - len(found)))


def volumes(world: World, size: Size) -> None:
    """More and less of the same, against one sibling."""
    shares = (size.share, size.share / 5)
    head("served tokens", *(f"{share:.0%} marked" for share in shares))
    for volume in size.volumes:
        cells = [
            Cell(world, replace(size, volume=volume, share=share, pool=size.large_pool), 0)
            for share in shares
        ]
        row(f"{volume:,}", *(shown(cell.found(cell.evidence(0, [1]))) for cell in cells))


def shares(world: World, size: Size) -> None:
    """Less and less marked text under Gumbel-max with a context of one, by reference."""
    head("share marked", "siblings", "base", "teacher", "plain difference", "no reference")
    for share in size.shares:
        cell = Cell(world, replace(size, share=share), size.seeds[0])
        said = compared(cell)
        row(
            f"{share:.0%}",
            *(shown(said[name]) for name in
              ("siblings", "base", "teacher", "plain difference", "no reference")),
        )  # fmt: skip


def schemes(world: World, size: Size) -> None:
    """Every scheme, context and share, by every test."""
    columns: list[str] = []
    for scheme, context in size.schemes:
        for share in size.shares:
            said = tested(world, size, scheme, context, share, size.seeds[0])
            if not columns:
                columns = list(said)
                head("scheme", "context", "share marked", *columns)
            row(scheme, context, f"{share:.0%}", *(said.get(name, "–") for name in columns))


def quality(world: World, size: Size) -> None:
    """What marks do to the teacher's answers."""
    head(*HEADS)
    prompts = world.prompts(size.quality_prompts, seed=1)
    how = size.setting.serving
    for cells in measured(world.teacher, prompts, how, keys=size.quality_keys, seed=1):
        row(*cells)


TABLES: dict[str, Callable[[World, Size], bool | None]] = {
    "setting": setting, "target": target, "shares": shares, "cooler": cooler,
    "attackers": attackers, "schemes": schemes, "volumes": volumes,
    "quality": quality,
}  # fmt: skip


def main() -> None:
    """Train what is not there yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--smoke", action="store_true", help="the small form")
    parser.add_argument("--only", nargs="+", choices=TABLES, help="some of the tables")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    size = SMOKE if asked.smoke else FULL
    begun, good = time.perf_counter(), True

    def say(text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    world = World(size.setting, Kept(asked.out), say)
    few = ("setting", "target", "schemes")
    for name in asked.only or (few if asked.smoke else TABLES):
        good &= TABLES[name](world, size) is not False
    print(
        f"\n{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the end; "
        f"{time.perf_counter() - begun:.0f} s."
    )
    if not good:
        sys.exit(f"a marked student was not found at 10^{TARGET:.0f}, or a clean one was")


if __name__ == "__main__":
    main()
