"""Simpler detectors in the benchmark: they keep to the files, and to what they are said to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stillwatch.lab.bench import Detector, Periods
from stillwatch.lab.bench.baselines import BASELINES, Mmd
from stillwatch.lab.bench.baselines.files import SHARE, limit_of
from stillwatch.lab.bench.baselines.prompts import calibration, embedded
from stillwatch.lab.bench.baselines.stream import _Stream
from stillwatch.lab.bench.cell import TEST
from stillwatch.lab.bench.scored import score_run
from stillwatch.lab.bench.view import View


@pytest.mark.parametrize("detector", BASELINES, ids=lambda each: each.name)
@pytest.mark.slow
def test_a_baseline_writes_files_that_can_be_scored(
    detector: Detector, periods: Periods, tmp_path: Path
) -> None:
    world = periods.world(TEST)
    view = View(world, {"harvest": range(world.parts)})
    detector.run(view, tmp_path / "out", periods)
    scored = score_run(tmp_path / "out", view.truth())
    assert scored.attackers == 12
    assert scored.wrong <= 0.15 * scored.population
    detector.run(View(world, view.campaigns, until=2), tmp_path / "early", periods)
    score_run(tmp_path / "early", View(world, view.campaigns, until=2).truth())


@pytest.mark.slow
def test_an_account_baseline_reports_all_it_flags_as_one_group(
    periods: Periods, tmp_path: Path
) -> None:
    world = periods.world(TEST)
    Mmd().run(View(world), tmp_path / "out", periods)
    campaigns = json.loads((tmp_path / "out" / "campaigns.json").read_text())["campaigns"]
    assert len(campaigns) <= 1


def test_the_threshold_is_what_one_account_in_a_hundred_exceeds() -> None:
    scores = list(np.random.default_rng(1).random(1_000))
    limit = limit_of(scores)
    assert sum(score > limit for score in scores) == int(SHARE * 1_000)
    assert limit_of([]) == float("inf")


def test_prompts_of_a_view_are_those_of_its_accounts(periods: Periods) -> None:
    world = periods.world(TEST)
    view = View(world, {"harvest": range(world.parts)})
    seen = embedded(periods, TEST).seen(view)
    assert len(seen.values) == view.rows()
    names = {seen.names[owner] for owner, _ in seen.by_account()}
    assert names == set(view.senders["account"].to_pylist())
    assert np.allclose(np.linalg.norm(seen.values, axis=1).max(), 1, atol=1e-4)


def test_the_calibration_period_hides_nothing(periods: Periods) -> None:
    attackers = View(periods.world(TEST), {"harvest": range(4)}).truth().guilty
    assert not attackers & set(calibration(periods).names)


def test_a_stream_puts_alike_prompts_together_and_others_apart() -> None:
    rng = np.random.default_rng(2)
    centres = np.eye(6, 64, dtype=np.float32)
    labels = rng.integers(0, 6, 3_000)
    values = centres[labels] + rng.normal(0, 0.05, (3_000, 64)).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    found = _Stream(64).feed(values)
    pairs = set(zip(labels.tolist(), found.tolist(), strict=True))
    assert len(pairs) == 6
