"""Whose keys fed a student, when many accounts gave it a little each.

    python -m benchmarks.watermark.swarm [--quick] [PART…]

Prints the tables of the heading "Tracing" in ``docs/benchmarks/watermark.md``: parts are `hundred`,
`recall`, `errors`, `anew` and `scale`. `--quick` has a tenth of the work and shows that it runs.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.watermark.swarm_worlds import PRF, World, ring_of
from stillwatch.statistics import upper_bound
from stillwatch.watermark import (
    ClusterHypothesis,
    Evidence,
    GumbelMark,
    KeyRing,
    Trace,
    TracePlan,
    trace,
)

SOURCE = "given before"
ALPHA = 0.01
#: that errors are counted at
ALPHAS = (0.05, 0.01)


def row(*cells: object) -> None:
    """One line of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    """The first two lines of a table."""
    print()
    row(*cells)
    row(*("---" for _ in cells))


def asked(
    ring: KeyRing,
    evidence: Evidence,
    names: list[str],
    hypotheses: list[ClusterHypothesis],
    alpha: float = ALPHA,
) -> Trace:
    """A trace of an evidence that is asked for the first time."""
    plan = TracePlan.of(
        ring, GumbelMark(ring.key("-"), 1, PRF), names, hypotheses=hypotheses, alpha=alpha,
        decoys=0,
    )  # fmt: skip
    fresh = Evidence(evidence.contexts, evidence.tokens, evidence.weights)
    return trace(fresh, plan, ring)


def sets(names: list[str], size: int, label: str) -> list[ClusterHypothesis]:
    """The names in order, as hypotheses of so many each; what is left over is in none."""
    count = len(names) // size
    return [
        ClusterHypothesis(f"{label}-{i}", tuple(names[i * size : (i + 1) * size]), SOURCE)
        for i in range(count)
    ]


def hundred_accounts(seeds: int, tokens: int) -> None:
    """100 accounts of 0.8 % each: under keys of their own, and under the key of their cluster."""
    head(
        "100 accounts × 0.8 %, seed, evidence", "accounts found alone", "the right hypothesis",
        "members at least", "half right", "wrong ones found, of 10", "one cluster key",
    )  # fmt: skip
    world = World.of(1_000, 2.5, 64, seed=100)
    names = [f"a-{i:04}" for i in range(1_100)]
    guilty, innocent = names[:100], names[100:]
    right = ClusterHypothesis("right", tuple(guilty), SOURCE)
    half = ClusterHypothesis("half", (*guilty[:50], *innocent[:50]), SOURCE)
    wrong = sets(innocent, 100, "wrong")
    for seed in range(seeds):
        rng, ring = np.random.default_rng(seed), ring_of(seed)
        clean = world.clean(tokens // 5, rng)
        sibling = world.student(world.clean(tokens, rng))
        own = world.marked(ring, guilty, tokens * 4 // 5, rng)
        shared = world.marked(ring, ["cluster"], tokens * 4 // 5, rng)
        for label, reference in (("a clean sibling taken off", sibling), ("no reference", None)):
            found = asked(
                ring, world.evidence(world.student(clean + world.counts(own)), reference), names,
                [right, half, *wrong],
            )  # fmt: skip
            together = world.evidence(world.student(clean + world.counts(shared)), reference)
            cluster = asked(ring, together, ["cluster", *names], [])
            said = {each.hypothesis.name: each for each in found.hypotheses}
            alone = [each for each in found.found if each.name in guilty]
            row(
                f"{seed}, {label}", f"{len(alone)} of 100, {len(found.found) - len(alone)} wrongly",
                f"10^{said['right'].corrected_log10_p:.1f}", said["right"].at_least,
                f"10^{said['half'].corrected_log10_p:.1f}, at least {said['half'].at_least}",
                sum(said[each.name].found for each in wrong),
                f"10^{cluster['cluster'].corrected_log10_p:.0f}",
            )  # fmt: skip


def recall(worlds: int, tokens: int) -> None:
    """Who is found, by the swarm's share of all that the student was fed, and by its size."""
    shares, sizes = (0.10, 0.05, 0.02, 0.01), (1, 10, 100, 1_000)
    world = World.of(1_000, 2.5, 64, seed=200)
    names = [f"a-{i:04}" for i in range(2_000)]
    rng = np.random.default_rng(7)
    clean = [world.clean(tokens, rng) for _ in range(4)]
    tally: dict[tuple[float, int], list[tuple[bool, float, bool]]] = {}
    for number in range(worlds):
        ring = ring_of(10_000 + number)
        reference = world.student(clean[(number + 1) % len(clean)])
        for size in sizes:
            texts = world.marked(ring, names[:size], round(tokens * shares[0]), rng)
            for share in shares:
                length = round(texts.shape[1] * share / shares[0])
                if length < 2:
                    continue
                fed = clean[number % len(clean)] * np.float32(1 - share)
                fed += world.counts(texts[:, :length])
                hypotheses = sets(names[: 2 * size], size, "h") if size > 1 else []
                said = asked(ring, world.evidence(world.student(fed), reference), names, hypotheses)
                alone = sum(said[name].found for name in names[:size]) / size
                pooled = said.hypotheses[0].found if hypotheses else alone == 1
                wrong = any(each.name not in names[:size] for each in said.found)
                wrong = wrong or any(each.found for each in said.hypotheses[1:])
                tally.setdefault((share, size), []).append((pooled, alone, wrong))
    head(
        f"share of {tokens:,} tokens, {worlds} worlds",
        *(f"{size:,} account{'s' if size > 1 else ''}" for size in sizes),
    )
    for share in shares:
        cells = []
        for size in sizes:
            found = tally.get((share, size))
            if found is None:
                cells.append("")
                continue
            pooled, alone, _ = (float(np.mean(column)) for column in zip(*found, strict=True))
            cells.append(f"{pooled:.0%}" + (f" ({alone:.0%} alone)" if size > 1 else ""))
        row(f"{share:.0%}", *cells)
    wrongly = [wrong for cell in tally.values() for _, _, wrong in cell]
    print(f"\nSomebody named wrongly in {sum(wrongly)} of {len(wrongly)} of these traces.")


def errors(trials: int) -> None:
    """How often anybody is named under fresh keys, of which nobody was fed."""
    _head_of_errors()
    names, hypotheses = _family()
    world = World.of(300, 2.5, 32, seed=300)
    rng = np.random.default_rng(8)
    students = [world.student(world.clean(100_000, rng)) for _ in range(8)]

    def named(evidences: list[Evidence], count: int, first: int) -> Iterator[list[bool]]:
        for trial in range(count):
            said = asked(
                ring_of(first + trial), evidences[trial % len(evidences)], names, hypotheses
            )
            yield [_named(said, alpha) for alpha in ALPHAS]

    closed = [Evidence.of_texts(student.write([None] * 60, 40, rng=rng), 1) for student in students]
    _told("text of clean students, fresh keys", named(closed, 40 * trials, 1 << 20))
    opened = [
        world.evidence(student, students[i - 1] if i % 2 else None)
        for i, student in enumerate(students)
    ]
    _told("probabilities of clean students, fresh keys", named(opened, trials, 1 << 21))


def anew(worlds: int) -> None:
    """The same with every text, student, reference and key made anew, and with guilty accounts."""
    _head_of_errors()
    names, hypotheses = _family()
    world = World.of(300, 2.5, 32, seed=300)
    rng = np.random.default_rng(9)

    def wrong(guilty: int, first: int) -> Iterator[list[bool]]:
        for number in range(worlds):
            ring = ring_of(first + number)
            fed = world.clean(30_000, rng)
            if guilty:
                fed += world.counts(world.marked(ring, names[:guilty], 6_000, rng))
            reference = world.student(world.clean(30_000, rng))
            evidence = world.evidence(world.student(fed), reference)
            said = [asked(ring, evidence, names, hypotheses, alpha) for alpha in ALPHAS]
            yield [_wrong(each, set(names[:guilty])) for each in said]

    _told("all made anew, nobody guilty", wrong(0, 1 << 22))
    _told("all made anew, 10 of 100 accounts guilty of 1.7 % each", wrong(10, 1 << 23))


def _head_of_errors() -> None:
    head("nobody to be named", "alpha", "named wrongly", "of", "95 % upper bound")


def _family() -> tuple[list[str], list[ClusterHypothesis]]:
    """100 accounts, ten sets of ten, a set of fifty, and all of them."""
    names = [f"a-{i:03}" for i in range(100)]
    fifty = ClusterHypothesis("fifty", tuple(names[::2]), SOURCE)
    everybody = ClusterHypothesis("all", tuple(names), SOURCE)
    return names, [*sets(names, 10, "ten"), fifty, everybody]


def _told(label: str, wrong: Iterator[list[bool]]) -> None:
    rows = list(wrong)
    for alpha, hits in zip(ALPHAS, np.sum(rows, axis=0), strict=True):
        bound = upper_bound(int(hits), len(rows))
        row(label, alpha, int(hits), f"{len(rows):,}", f"{bound:.4f}")


def _named(said: Trace, alpha: float) -> bool:
    groups = [each.corrected_log10_p for each in said.hypotheses]
    return bool(min(float(said.corrected_log10_p.min()), *groups) <= np.log10(alpha))


def _wrong(said: Trace, guilty: set[str]) -> bool:
    """An innocent is named, a set of innocents is, or more members than are guilty."""
    if any(each.name not in guilty for each in said.found):
        return True
    return any(
        max(each.at_least, int(each.found)) > len(guilty & set(each.hypothesis.members))
        for each in said.hypotheses
    )


def scale(clusters: int, windows: int) -> None:
    """Seconds and memory of very many clusters on one evidence."""
    head("clusters", "windows", "function", "s on the clock", "s of processor", "memory, GB")
    rng = np.random.default_rng(9)
    contexts = np.arange(windows)[:, None]
    tokens = rng.integers(0, 128_000, windows)
    names = [f"c-{i}" for i in range(clusters)]
    ring = ring_of(1)
    begun = time.process_time()
    ring.values(names)
    row(f"{clusters:,}", "", "keys derived", "", f"{time.process_time() - begun:.1f}", "")
    for prf, count in (("philox4x32-10-v1", clusters // 20), (PRF, clusters)):
        evidence = Evidence.of_windows(contexts, tokens)
        plan = TracePlan.of(
            ring, GumbelMark(ring.key("-"), 1, prf), names[:count],
            hypotheses=[ClusterHypothesis("h", tuple(names[:100]), SOURCE)],
        )  # fmt: skip
        clock, spent = time.monotonic(), time.process_time()
        said = trace(evidence, plan, ring)
        clock, spent = time.monotonic() - clock, time.process_time() - spent
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        assert not said.found
        row(f"{count:,}", f"{windows:,}", prf, f"{clock:.0f}", f"{spent:.0f}", f"{peak:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    less = 10 if given.quick else 1
    work: dict[str, Callable[[], None]] = {
        "hundred": lambda: hundred_accounts(1 if given.quick else 3, 1_500_000 // less),
        "recall": lambda: recall(10 // less, 600_000 // less),
        "errors": lambda: errors(1_000 // less),
        "anew": lambda: anew(200 // less),
        "scale": lambda: scale(1_000_000 // less, 100_000),
    }
    if unknown := set(given.parts) - set(work):
        parser.error(f"no part {unknown.pop()!r}; there are {', '.join(work)}")
    for name in given.parts or work:
        begun = time.process_time()
        work[name]()
        print(f"\n`{name}`: {time.process_time() - begun:.0f} s of processor time.", flush=True)


if __name__ == "__main__":
    main()
