"""What the smoke benchmark must reach in CI. These are the only numbers of the guard.

They are floors with room below what was measured on the seed of ``make smoke-detection``, not
targets: what the project promises stands in ``docs/bench.md`` and is read off the full size.
"""

from __future__ import annotations

from collections.abc import Mapping

from stillwatch.lab.bench.figures import Run

__all__ = ["RECALL", "WRONG", "complaints"]

#: cell of the smoke size → least share of its attackers that is named
RECALL: Mapping[str, float] = {
    "T1-n10": 0.85,
    "T1-n30-shared": 0.9,
    "T0-n100": 0.9,
}
#: most that may be false on average over the cells: campaigns, and members
WRONG = 0.05


def complaints(run: Run) -> list[str]:
    """Where `run` stays below the guard, one line each; empty where it does not."""
    found = [f"{each.cell.name}: no result: {reason}"
             for each in run.cells for reason in each.reasons]  # fmt: skip
    found += [f"{each.of}: {each.mean:.1%} are false, {WRONG:.0%} is allowed"
              for each in run.promises if not each.mean <= WRONG]  # fmt: skip
    there = {each.cell.name: each.recall for each in run.cells}
    for name, least in RECALL.items():
        recall = there.get(name)
        if recall is None or recall.mean < least:
            said = "no figure" if recall is None else f"{recall.mean:.0%} of accounts"
            found.append(f"{name}: {said}, {least:.0%} is the floor")
    return found
