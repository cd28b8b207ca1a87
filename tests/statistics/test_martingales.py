"""The monitor of drift: silent while p-values are uniform, soon awake when they are not."""

import dataclasses

import numpy as np
import pytest

from stillwatch.statistics import Watch, calibration_slack, smoothed_p_values


def run(p: np.ndarray, slack: float = 0.0) -> Watch:
    state = Watch.start(len(p))
    for look in p.T:
        state = state.update(look, slack=slack)
    return state


def test_uniform_p_values_rarely_alarm_however_long() -> None:
    state = run(np.random.default_rng(1).random((5_000, 400)))
    assert np.mean(state.highest >= np.log(20)) <= 1 / 20
    assert np.mean(np.exp(np.minimum(state.evidence(), 8))) <= 1.1


@pytest.mark.parametrize(("a", "b"), [(0.7, 1.0), (1.0, 0.7)])
def test_drift_to_either_side_is_noticed(a: float, b: float) -> None:
    rng = np.random.default_rng(2)
    p = np.concatenate([rng.random((300, 100)), rng.beta(a, b, (300, 400))], axis=1)
    assert np.mean(run(p).highest >= np.log(100)) > 0.9


def test_a_restarted_watch_waits_as_long_as_promised_for_its_first_false_alarm() -> None:
    p = np.random.default_rng(3).random((400, 1_500))
    state, first = Watch.start(400), np.full(400, 1_500)
    for t, look in enumerate(p.T, start=1):
        state = state.update(look)
        first = np.where(state.changed(100), np.minimum(first, t), first)
    assert first.mean() >= 100


def test_a_restarted_watch_notices_a_late_change_sooner() -> None:
    rng = np.random.default_rng(4)
    p = np.concatenate([rng.random((200, 1_000)), rng.beta(0.6, 1, (200, 150))], axis=1)
    early, late = run(p[:, :1_000]), run(p)
    assert np.mean(late.changed(20_000) & ~early.changed(20_000)) > 0.6
    assert np.mean(late.changed(20_000)) >= np.mean(late.evidence() >= np.log(20_000))


def test_restarts_add_up_what_the_martingale_has_grown_by_since_each_start() -> None:
    state, path = Watch.start(1), [0.0]
    for p in np.random.default_rng(9).random(30):
        state = state.update(np.array([p]))
        path.append(float(state.evidence()[0]))
        since = np.log(np.exp(path[-1] - np.array(path[:-1])).sum())
        assert state.restarts[0] == pytest.approx(since)


def test_p_values_against_one_small_sample_need_the_slack() -> None:
    rng = np.random.default_rng(5)
    size, segments = 50, 300
    samples = rng.random((segments, size))
    looks = [rng.random(segments) for _ in range(600)]
    above = [(samples > look[:, None]).sum(axis=1) for look in looks]
    p = np.array([(up + rng.random(segments)) / (size + 1) for up in above]).T
    assert np.mean(run(p).highest >= np.log(20)) > 0.3
    assert np.mean(run(p, calibration_slack(size)).highest >= np.log(20)) <= 0.05 + 0.05


def test_the_slack_is_left_by_few_samples() -> None:
    rng = np.random.default_rng(6)
    off = np.abs(rng.random((10_000, 40)).mean(axis=1) - 0.5)
    assert 0.001 < np.mean(off > calibration_slack(40, miss=0.05)) <= 0.05
    sample = np.sort(rng.random(40))
    p = smoothed_p_values(rng.random(100_000), sample, rng)
    assert abs(p.mean() - 0.5) <= abs(sample.mean() - 0.5) + 0.005


def test_large_drift_is_noticed_in_spite_of_the_slack() -> None:
    p = np.random.default_rng(7).beta(0.5, 1, (200, 200))
    assert np.mean(run(p, calibration_slack(400)).highest >= np.log(100)) > 0.9


def test_a_segment_without_a_p_value_stands_still_and_can_be_begun_anew() -> None:
    state = Watch.start(2).update(np.array([0.01, 0.01])).update(np.array([np.nan, 0.01]))
    assert state.evidence()[0] < state.evidence()[1]
    anew = state.reset(np.array([True, False]))
    assert anew.evidence().tolist() == [pytest.approx(0.0), state.evidence()[1]]
    assert anew.restarts[0] == -np.inf


def test_a_stored_watch_goes_on_alike() -> None:
    state = run(np.random.default_rng(8).random((3, 20)))
    again = Watch(**{name: np.array(value) for name, value in dataclasses.asdict(state).items()})
    look = np.array([0.1, 0.5, 0.9])
    assert again.update(look).evidence().tolist() == state.update(look).evidence().tolist()


def test_the_ends_are_bet_on_without_ruin() -> None:
    state = run(np.tile([0.0, 1.0], (1, 50)))
    assert np.isfinite(state.evidence()).all()


def test_what_is_no_p_value_or_no_bet_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Watch.start(1).update(np.array([1.5]))
    with pytest.raises(ValueError, match="leaning"):
        Watch.start(1, (2.0,))
    with pytest.raises(ValueError, match="sample"):
        calibration_slack(0)
