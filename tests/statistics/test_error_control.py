"""Sixty daily looks at two thousand accounts: which rule keeps its promise, and what it finds."""

import numpy as np
import pytest

from stillwatch.statistics import EProcesses, e_bh

ACCOUNTS, ATTACKERS, LOOKS, RUNS, ALPHA = 2_000, 40, 60, 15, 0.05
STRENGTHS = {"weak": 0.7, "moderate": 0.5, "strong": 0.3}


def outcome(flags: np.ndarray) -> tuple[float, float]:
    """False discovery proportion and power; the first accounts are the attackers."""
    found = flags[:ATTACKERS].sum()
    return float((flags.sum() - found) / max(1, flags.sum())), float(found / ATTACKERS)


def simulate(strength: float) -> dict[str, tuple[float, float]]:
    rng = np.random.default_rng(20)
    said: dict[str, list[tuple[float, float]]] = {"daily": [], "stopped": [], "ever": []}
    for _ in range(RUNS):
        p = rng.random((LOOKS, ACCOUNTS))
        p[:, :ATTACKERS] = rng.beta(strength, 1, (LOOKS, ATTACKERS))
        state = EProcesses.start(ACCOUNTS, (0.5,))
        stopped = np.zeros(ACCOUNTS, bool)
        for look in np.log(p):
            state = state.update(look)
            stopped = e_bh(state.evidence(), ALPHA)
            if stopped.sum() >= ATTACKERS:  # enough: a stopping time of the operator's choice
                break
        said["daily"].append(outcome((p < 0.001).any(axis=0)))
        said["stopped"].append(outcome(stopped))
        said["ever"].append(outcome(e_bh(state.ever(), ALPHA)))
    return {rule: tuple(np.mean(each, axis=0)) for rule, each in said.items()}


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_daily_bar_drowns_in_false_alarms_and_e_bh_at_a_stopping_time_does_not(
    strength: str,
) -> None:
    said = simulate(STRENGTHS[strength])
    assert 0.7 < said["daily"][0] < 0.9
    assert said["stopped"][0] <= ALPHA
    assert said["ever"][0] <= ALPHA
    if strength != "weak":
        assert said["stopped"][1] > 0.85
        assert said["ever"][1] > 0.6
    assert said["ever"][1] <= said["stopped"][1] + 0.02  # looking back has its price
