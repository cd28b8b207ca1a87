"""Scenarios that contradict themselves are refused, with what to do about it."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import datetime

import pytest

from stillwatch.errors import InputError, SettingsError
from stillwatch.lab.corpus import load
from stillwatch.lab.traffic import (
    KINDS,
    Arrival,
    Campaign,
    Failover,
    Scenario,
    Tier,
    preset,
    simulate,
)

CAMPAIGN = Campaign(name="c", family="reasoning_harvest", tier=Tier.T1, accounts=5, per_account=4.0)
SCENARIO = Scenario(name="s", about="", accounts=40, days=0.5, campaigns=(CAMPAIGN,))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"share": 0.01}, "either per_account or share"),
        ({"per_account": None}, "either per_account or share"),
        ({"cover": 1.0}, "cover and retries"),
        ({"accounts": 0}, "accounts ≥ 1"),
        ({"per_account": None, "share": 0.7}, "share must be"),
        ({"volume_log_sd": 3.0}, "volume_log_sd"),
        ({"parameters": "odd"}, "'honest' or 'uniform'"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        dataclasses.replace(CAMPAIGN, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"period": 4}, "4 periods"),
        ({"days": 0}, "days"),
        ({"accounts": 0}, "accounts"),
        ({"start": datetime(2026, 1, 1)}, "time zone"),
        ({"campaigns": (CAMPAIGN, CAMPAIGN)}, "same name"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        dataclasses.replace(SCENARIO, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"family": "nothing"}, "no family 'nothing'"),
        ({"tier": Tier.T4}, "not in T4"),
        ({"language": "fr"}, "not in T1 and fr"),
        ({"cover_kinds": ("chat", "pigeon")}, "cover_kinds"),
        ({"failover": Failover(day=3.0)}, "day of the block"),
        ({"arrival": Arrival.PIVOT}, "release_day"),
        ({"days": (2.0, 3.0)}, "not active"),
        ({"per_account": None, "share": 0.45, "cover": 0.6}, "no room"),
    ],
)
def test_a_campaign_that_does_not_fit_its_scenario_is_refused(
    changes: dict[str, object], reason: str
) -> None:
    campaign = dataclasses.replace(CAMPAIGN, **changes)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=reason):
        simulate(dataclasses.replace(SCENARIO, campaigns=(campaign,)), 1)


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [({"pigeon": 1.0}, "no kind 'pigeon'"), ({"chat": -1.0}, "negative")],
)
def test_weights_of_kinds_are_checked(kinds: dict[str, float], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        simulate(dataclasses.replace(SCENARIO, kinds=kinds), 1)


def test_more_accounts_than_there_are_texts_for_is_an_error_that_names_the_pool() -> None:
    only = {name: 1.0 if name == "rag" else 0.0 for name in KINDS}
    crowd = Scenario(name="x", about="", accounts=2_500, days=0.1, kinds=only, volume=0.01)
    with pytest.raises(InputError, match=r"the pool 'passages' holds \d+ texts"):
        next(simulate(crowd, 1, corpus=load()).batches())


def test_a_scaled_scenario_keeps_the_load_of_an_account() -> None:
    half = preset("demo").scaled(0.5)
    assert half.accounts == 1_600
    assert [c.accounts for c in half.campaigns] == [60, 30]
    assert [c.share for c in half.campaigns] == [c.share for c in preset("demo").campaigns]


def test_periods_start_on_mondays_four_weeks_apart() -> None:
    starts = [dataclasses.replace(SCENARIO, period=p).begins for p in range(4)]
    assert {start.weekday() for start in starts} == {0}
    assert {(b - a).days for a, b in itertools.pairwise(starts)} == {28}
