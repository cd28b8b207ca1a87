"""Results → figures with bounds: recall and false discoveries a cell, and the promise of a run.

Runs of one cell on several seeds are independent. Runs of several cells on one seed share their
innocent accounts, so that what is pooled over cells is averaged within a seed first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

import numpy as np

from stillwatch.lab.bench.cell import TEST, Cell
from stillwatch.lab.bench.results import Result
from stillwatch.lab.bench.scored import Scored
from stillwatch.statistics import (
    e_to_p,
    holm,
    mean_e_value,
    mean_upper_bound,
    share_interval,
    student_upper_bound,
    upper_bound,
)

__all__ = ["CellFigures", "Estimate", "KindFigures", "Promise", "Run", "State", "figures"]


@dataclass(frozen=True)
class Estimate:
    """A mean with its bounds. Of a recall they are a two-sided 95 % interval; of a share of false
    discoveries `high` is the one-sided 95 % upper bound.
    """

    mean: float
    low: float
    high: float


class State(StrEnum):
    """What a benchmark says about a promise."""

    HOLDS = "holds"  #: the bound is at most α, and no cell is above it
    OPEN = "not shown"  #: the mean is at most α, but too few seeds to bound it, or failed runs
    BROKEN = "broken"  #: the mean is above α, or a cell is significantly so


@dataclass(frozen=True)
class CellFigures:
    """One cell over its seeds. Estimates are None where there is nothing to estimate.

    Attributes:
        silent: share of the runs without a report; their false discoveries count 0.
        above: adjusted p-values (Holm, over cells) of a mean above α: campaigns, members.
        rate: exchanges a second and core; `state`: bytes kept an account.
    """

    cell: Cell
    runs: int
    failed: int
    silent: float
    found: Estimate | None
    recall: Estimate | None
    recall_1: Estimate | None
    recall_01: Estimate | None
    campaigns: Estimate | None
    members: Estimate | None
    above: tuple[float, float]
    wrong: int
    false: int
    rate: float | None
    state: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Promise:
    """False discoveries over all cells: "campaigns" or "members"."""

    of: str
    mean: float
    bound: float
    worst: str
    worst_p: float
    state: State


@dataclass(frozen=True)
class KindFigures:
    """How often innocent accounts of a kind were named.

    Attributes:
        accounts: different accounts, over seeds.
        share: of them named in a cell, averaged over the cells that they are in.
    """

    kind: str
    accounts: int
    share: float
    bound: float


@dataclass(frozen=True)
class Run:
    """Everything that a report says of one detector.

    Attributes:
        false_campaigns, innocents: per million innocent account-days.
    """

    detector: str
    alpha: float
    cells: tuple[CellFigures, ...]
    promises: tuple[Promise, Promise]
    kinds: tuple[KindFigures, ...]
    false_campaigns: float
    innocents: float
    silent: float
    runs: int
    failed: int

    @property
    def state(self) -> State:
        """Recall counts only where this is ``HOLDS``."""
        found = {promise.state for promise in self.promises}
        return next(each for each in (State.BROKEN, State.OPEN, State.HOLDS) if each in found)


def figures(
    detector: str, cells: Sequence[Cell], results: Sequence[Result], alpha: float = 0.05
) -> Run:
    """What `results` say of `detector` on `cells`; other results are passed over."""
    ours = [each for each in results if each.detector == detector]
    by_cell = {cell.name: [each for each in ours if each.cell == cell.name] for cell in cells}
    adjusted = {
        of: dict(zip(by_cell, holm([_p_above(_false(runs, of), alpha) for runs in by_cell.values()])
                     .tolist(), strict=True))
        for of in ("campaigns", "members")
    }  # fmt: skip
    found = tuple(
        _cell(
            cell,
            by_cell[cell.name],
            (adjusted["campaigns"][cell.name], adjusted["members"][cell.name]),
        )
        for cell in cells
    )
    failed = sum(each.failed for each in found)
    done = [(each, each.scored) for each in ours if each.scored is not None]
    days = sum(each.days * scored.population for each, scored in done)
    million = 1e6 / days if days else float("nan")
    campaigns, members = (
        _promise(of, ours, adjusted[of], alpha, failed) for of in ("campaigns", "members")
    )
    return Run(
        detector=detector,
        alpha=alpha,
        cells=found,
        promises=(campaigns, members),
        kinds=_kinds(ours, {cell.name: cell.period for cell in cells}),
        false_campaigns=million * sum(scored.false for _, scored in done),
        innocents=million * sum(scored.wrong for _, scored in done),
        silent=sum(scored.reported == 0 for _, scored in done) / max(1, len(done)),
        runs=len(done),
        failed=failed,
    )


def _share(scored: Scored, of: str) -> float:
    """The share of false ones among what was reported; 0 where nothing was."""
    if of == "campaigns":
        return scored.false / max(1, scored.reported)
    return scored.wrong / max(1, scored.members)


def _false(results: Sequence[Result], of: str) -> list[float]:
    return [_share(each.scored, of) for each in results if each.scored is not None]


def _p_above(shares: Sequence[float], alpha: float) -> float:
    """Small where the mean is above `alpha`."""
    return float(np.exp(e_to_p(np.array([mean_e_value(shares, alpha)]))[0]))


def _cell(cell: Cell, results: Sequence[Result], above: tuple[float, float]) -> CellFigures:
    done = [(each, each.scored) for each in results if each.scored is not None]
    scored = [each for _, each in done]
    hidden = [each for each in scored if each.found is not None]
    rates = [each.exchanges / each.processor for each, _ in done if each.processor > 0]
    states = [each.state / max(1, each.accounts) for each, _ in done if each.state is not None]
    return CellFigures(
        cell=cell,
        runs=len(scored),
        failed=len(results) - len(scored),
        silent=sum(each.reported == 0 for each in scored) / max(1, len(scored)),
        found=_hits(sum(bool(each.found) for each in hidden), len(hidden)),
        recall=_recall([each.named / max(1, each.attackers) for each in hidden]),
        recall_1=_recall([each.above_1 / max(1, each.attackers) for each in hidden]),
        recall_01=_recall([each.above_01 / max(1, each.attackers) for each in hidden]),
        campaigns=_bounded(_false(results, "campaigns")),
        members=_bounded(_false(results, "members")),
        above=above,
        wrong=sum(each.wrong for each in scored),
        false=sum(each.false for each in scored),
        rate=median(rates) if rates else None,
        state=median(states) if states else None,
        reasons=tuple(dict.fromkeys(each.reason for each in results if each.reason)),
    )


def _hits(hits: int, of: int) -> Estimate | None:
    return Estimate(hits / of, *share_interval(hits, of)) if of else None


def _recall(values: list[float]) -> Estimate | None:
    """By Student's t over seeds; a value that all seeds share has the exact, wide bounds."""
    if not values:
        return None
    mean = float(np.mean(values))
    if len(values) < 2 or max(values) == min(values):
        low = 1 - mean_upper_bound([1 - each for each in values], confidence=0.975)
        return Estimate(mean, low, mean_upper_bound(values, confidence=0.975))
    low = 1 - student_upper_bound([1 - each for each in values], confidence=0.975)
    high = student_upper_bound(values, confidence=0.975)
    return Estimate(mean, max(0.0, low), min(1.0, high))


def _bounded(values: list[float]) -> Estimate | None:
    return Estimate(float(np.mean(values)), 0.0, mean_upper_bound(values)) if values else None


def _promise(
    of: str, results: Sequence[Result], adjusted: dict[str, float], alpha: float, failed: int
) -> Promise:
    """The larger of two bounds: Student's t over the means of seeds, which sees what the cells of
    a seed have in common, and the exact one over runs, which sees how little so many zeros say.
    """
    values = _false(results, of)
    seeds: dict[int, list[Result]] = {}
    for each in results:
        seeds.setdefault(each.seed, []).append(each)
    means = [float(np.mean(shares)) for each in seeds.values() if (shares := _false(each, of))]
    mean = float(np.mean(values)) if values else float("nan")
    bound = min(1.0, max(student_upper_bound(means), mean_upper_bound(values)))
    worst = min(adjusted, key=lambda name: adjusted[name], default="")
    state = State.HOLDS
    if not values or bound > alpha or failed:
        state = State.OPEN
    if mean > alpha or adjusted.get(worst, 1.0) <= 0.05:
        state = State.BROKEN
    return Promise(of, mean, bound, worst, adjusted.get(worst, 1.0), state)


def _kinds(results: Sequence[Result], periods: Mapping[str, int]) -> tuple[KindFigures, ...]:
    """Accounts of a seed are the same ones in all cells of a period, so that they count once."""
    accounts: dict[str, dict[tuple[int, int], int]] = {}
    shares: dict[str, list[float]] = {}
    for each in results:
        if each.scored is None:
            continue
        for kind, count in each.scored.innocents.items():
            accounts.setdefault(kind, {})[each.seed, periods.get(each.cell, TEST)] = count
            shares.setdefault(kind, []).append(each.scored.accused.get(kind, 0) / count)
    found = []
    for kind in sorted(accounts):
        there, share = sum(accounts[kind].values()), float(np.mean(shares[kind]))
        # never fewer than what was seen: a part of a hit is one
        found.append(
            KindFigures(kind, there, share, upper_bound(int(np.ceil(share * there)), there))
        )
    return tuple(found)
