"""E-processes: valid whenever one stops, and what looking back at the maximum costs."""

import dataclasses
import io

import numpy as np
import pytest

from stillwatch.statistics import (
    EProcesses,
    adjust,
    mixture_calibrator,
    power_calibrator,
    shafer_calibrator,
)

LN20 = np.log(20)


def watched(p: np.ndarray, kappas: tuple[float, ...] | None = None) -> EProcesses:
    state = EProcesses.start(len(p)) if kappas is None else EProcesses.start(len(p), kappas)
    for look in np.log(p).T:
        state = state.update(look)
    return state


@pytest.mark.parametrize("kappas", [(0.5,), None])
def test_a_benign_account_hardly_ever_reaches_the_bar_however_long_it_is_watched(
    kappas: tuple[float, ...] | None,
) -> None:
    state = watched(np.random.default_rng(1).random((10_000, 100)), kappas)
    assert np.mean(state.highest >= LN20) <= 1 / 20
    assert np.mean(state.highest >= np.log(4)) <= 1 / 4


def test_a_greedy_stopping_time_does_not_raise_the_expectation() -> None:
    p = np.random.default_rng(2).random((40_000, 30))
    state = EProcesses.start(len(p))
    for look in np.log(p).T:
        state = state.update(look)
        state = state.stop(state.evidence() > 1.0)  # take the money and go
    assert np.mean(np.exp(state.evidence())) == pytest.approx(1.0, abs=0.12)
    assert np.mean(np.exp(np.minimum(state.evidence(), 12))) <= 1.1


def test_conservative_p_values_stay_valid() -> None:
    state = watched(np.sqrt(np.random.default_rng(3).random((4_000, 60))))
    assert np.mean(state.highest >= LN20) <= 0.01


def test_an_attacker_is_noticed_by_the_mixture_almost_as_soon_as_by_the_best_power() -> None:
    p = np.random.default_rng(4).beta(0.5, 1, (500, 60))
    mixture, best = watched(p), watched(p, (0.5,))
    assert np.mean(mixture.highest > np.log(1_000)) > 0.8
    assert np.mean(best.evidence() - mixture.evidence()) < np.log(5)


@pytest.mark.parametrize("calibrator", [mixture_calibrator, shafer_calibrator, power_calibrator])
def test_the_adjusted_maximum_is_an_e_value_and_the_maximum_is_none(calibrator) -> None:
    state = watched(np.random.default_rng(5).random((30_000, 200)), (0.5,))
    assert np.mean(np.exp(np.minimum(state.highest, 8))) > 1.8
    adjusted = adjust(state.highest, calibrator)
    assert np.mean(np.exp(np.minimum(adjusted, 8))) <= 1.03
    assert (adjusted <= state.highest + 1e-12).all()


def test_the_adjusters_are_those_of_the_papers() -> None:
    m = np.array([1.5, 20.0, 1e6])
    assert np.exp(adjust(np.log(m), shafer_calibrator)) == pytest.approx(np.sqrt(m) - 1)
    assert np.exp(adjust(np.log(m))) == pytest.approx((m - 1 - np.log(m)) / np.log(m) ** 2)
    assert np.exp(adjust(np.log(m), power_calibrator)) == pytest.approx(np.sqrt(m) / 2)
    with pytest.raises(ValueError, match="starts at 1"):
        adjust(np.array([-0.1]))


def test_once_flagged_by_the_adjusted_maximum_is_flagged_for_good() -> None:
    state, last = EProcesses.start(50), np.full(50, -np.inf)
    for look in np.log(np.random.default_rng(6).random((40, 50))):
        state = state.update(look)
        assert (state.ever() >= last).all()
        last = state.ever()


def test_an_account_that_was_not_seen_keeps_its_evidence() -> None:
    state = EProcesses.start(2).update(np.log([0.01, 0.01]))
    after = state.update(np.array([np.nan, np.log(0.01)]))
    assert after.evidence()[0] == state.evidence()[0]
    assert after.evidence()[1] > state.evidence()[1]


def test_an_account_that_was_stopped_keeps_its_evidence_and_its_maximum() -> None:
    state = EProcesses.start(2).update(np.log([0.01, 0.01])).stop(np.array([True, False]))
    after = state.update(np.log([1e-9, 0.9]))
    assert after.evidence()[0] == state.evidence()[0]
    assert after.highest[0] == state.highest[0]
    assert after.evidence()[1] < state.evidence()[1] == after.highest[1]


def test_accounts_may_join_later() -> None:
    state = EProcesses.start(1).update(np.log([0.001])).join(2)
    assert state.evidence().tolist() == [pytest.approx(state.highest[0]), 0.0, 0.0]
    assert len(state.update(np.log([0.5, 0.5, 0.5])).highest) == 3


def test_a_state_stored_and_read_again_goes_on_alike() -> None:
    state = EProcesses.start(3).update(np.log([0.1, 0.5, 0.9])).stop(np.array([True, False, False]))
    file = io.BytesIO()
    np.savez(file, **dataclasses.asdict(state))
    file.seek(0)
    again = EProcesses(**np.load(file))
    look = np.log([0.2, 0.2, 0.2])
    assert again.update(look).evidence().tolist() == state.update(look).evidence().tolist()


def test_a_p_value_of_zero_is_infinite_evidence_and_stays_so() -> None:
    state = EProcesses.start(1).update(np.array([-np.inf])).update(np.array([0.0]))
    assert state.evidence()[0] == np.inf
    assert state.ever()[0] == np.inf


def test_what_is_no_p_value_or_no_power_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1"):
        EProcesses.start(1).update(np.array([0.5]))
    with pytest.raises(ValueError, match="kappa"):
        EProcesses.start(1, (1.0,))
