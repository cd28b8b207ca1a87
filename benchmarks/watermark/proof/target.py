"""The cell that has a target: a small share of marked text, over seeds, beside clean students."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.stats import kstest

from benchmarks.watermark.proof.sizes import Size
from stillwatch.lab.students.cells import Attacker, Diet, key_of, mark_of, said
from stillwatch.lab.students.radioactive import Found, evidence_of, found
from stillwatch.lab.students.suspect import Sums, sums_of
from stillwatch.lab.students.transformer import Transformer
from stillwatch.lab.students.world import World
from stillwatch.provenance import Plan, Registration, TextSet
from stillwatch.provenance.radioactivity.evidence import Evidence
from stillwatch.provenance.radioactivity.outcome import decoy_keys, score_law
from stillwatch.provenance.registration import Weighting
from stillwatch.statistics import chernoff_tail
from stillwatch.watermark.weighted import weighted_totals

__all__ = ["Cell", "calibrated", "compared", "log10s", "registered", "uniform"]

#: levels at which the shares of wrong keys are counted
_LEVELS = (0.1, 0.01, 0.001)


class Cell:
    """The suspect and its clean siblings of one seed, under Gumbel-max with a context of one."""

    def __init__(
        self, world: World, size: Size, seed: int, attacker: Attacker | None = None
    ) -> None:
        self.world, self.size, self.seed = world, size, seed
        self.attacker = attacker or size.attacker
        self.mark = mark_of(key_of(seed, "gumbel"), "gumbel", 1)

    def says(self, sibling: int) -> Sums:
        """What the suspect (0) or a clean sibling says of fresh documents."""
        size = self.size
        diet = Diet(size.volume, 0.0 if sibling else size.share, self.seed, sibling)
        return said(
            self.world, self.attacker, diet, size.pool, texts=size.texts, length=size.length
        )

    def evidence(
        self, suspect: int, references: Sequence[int], weighting: Weighting = "standardised"
    ) -> Evidence:
        """One of the students against the mean of others of this seed."""
        others = [self.says(i) for i in references]
        return evidence_of(self.says(suspect), others, weighting=weighting)

    def found(self, evidence: Evidence) -> Found:
        return found(self.mark, evidence, decoys=self.size.decoys, seed=self.seed)

    def siblings(self) -> list[int]:
        return list(range(1, self.size.siblings + 1))


def registered(world: World, size: Size) -> Registration:
    """The plan of the cell: what was fixed before its seeds were looked at."""
    plan = Plan(
        statistic="open", alpha=1e-6, weighting="standardised", decoys=size.decoys,
        reference=f"the mean of {size.siblings} clean siblings of each seed",
        vocabulary=size.setting.teacher.vocabulary,
    )  # fmt: skip
    marks = [mark_of(key_of(seed, "gumbel"), "gumbel", 1) for seed in size.seeds]
    texts = TextSet.of("fresh documents", world.rows("fresh", size.length, size.texts))
    return Registration.of(plan, marks, [texts], salt=bytes(range(32)))


def compared(cell: Cell) -> dict[str, Found]:
    """The suspect against each kind of reference."""
    suspect, all_of_them = cell.says(0), cell.siblings()
    base = _of_all(cell, "base", lambda: cell.world.base(cell.attacker.shape, cell.attacker.basing))
    teacher = _of_all(cell, "teacher", lambda: cell.world.teacher)
    return {
        "siblings": cell.found(cell.evidence(0, all_of_them)),
        "one sibling": cell.found(cell.evidence(0, [1])),
        "base": cell.found(evidence_of(suspect, [base])),
        "teacher": cell.found(evidence_of(suspect, [teacher])),
        "plain difference": cell.found(cell.evidence(0, all_of_them, "difference")),
        "no reference": cell.found(evidence_of(suspect, [], weighting="difference")),
    }


def calibrated(cell: Cell) -> list[tuple[Found, list[float]]]:
    """Each clean sibling against the others: what the key is to it, and shares of wrong keys.

    The shares are of random keys whose bound is at most each of the levels.
    """
    out = []
    for sibling in cell.siblings():
        evidence = cell.evidence(sibling, [i for i in cell.siblings() if i != sibling])
        out.append((cell.found(evidence), _shares(cell, evidence)))
    return out


def _shares(cell: Cell, evidence: Evidence) -> list[float]:
    mark, law = cell.mark, score_law(cell.mark.law)
    weights = evidence.weights[evidence.weights != 0].astype(np.float64)
    keys = decoy_keys(5 * cell.size.decoys, 1_000 + cell.seed)
    totals = weighted_totals(mark, evidence.contexts, evidence.tokens, evidence.weights, keys)
    totals -= law.mean * weights.sum()
    spread = float(np.sqrt(weights @ weights))
    shares = []
    for level in _LEVELS:
        # the bound falls with the total: what total has just this bound?
        def off(total: float, level: float = level) -> float:
            return chernoff_tail(total, weights, law) - float(np.log10(level))

        shares.append(float((totals >= brentq(off, 0.1 * spread, 20 * spread, rtol=1e-4)).mean()))
    return shares


def log10s(found: Sequence[Found]) -> str:
    """Some p-values, for a table."""
    return ", ".join(f"{each.log10_p:.1f}" for each in found)


def uniform(ranks: Sequence[Found]) -> float:
    """The p-value of Kolmogorov and Smirnov that ranks among decoys are uniform."""
    rng = np.random.default_rng(0)
    placed = [(each.rank - rng.uniform()) / (each.decoys + 1) for each in ranks]
    return float(kstest(placed, "uniform").pvalue)


def _of_all(cell: Cell, name: str, model: Callable[[], Transformer]) -> Sums:
    """What a model that all seeds share says of fresh documents."""
    size = cell.size
    settings = {
        **size.setting.taught, "attacker": cell.attacker, "texts": size.texts, "length": size.length
    }  # fmt: skip

    def make() -> dict[str, np.ndarray]:
        rows = cell.world.rows("fresh", size.length, size.texts)
        return sums_of(model(), rows)._asdict()

    return Sums(**cell.world.kept.arrays(f"said-{name}", settings, make))
