"""Campaigns that are never looked at together do not take each other's texts."""

from __future__ import annotations

import dataclasses

import pytest

from stillwatch.lab.corpus import Corpus, load
from stillwatch.lab.traffic import Campaign, Scenario, Tier, simulate

ONE, OTHER = (
    Campaign(name=name, family="judge_harvest", tier=Tier.T1, accounts=20, per_account=10)
    for name in ("one", "other")
)
ALONE = Scenario(name="apart", about="for tests", days=0.5, accounts=80, campaigns=(OTHER,))
BESIDE = dataclasses.replace(ALONE, campaigns=(ONE, OTHER))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load()


def said(corpus: Corpus, scenario: Scenario, campaign: str | None) -> list[tuple[str, object]]:
    """Who said what, of the rows of one campaign, or of the innocent ones."""
    traffic = simulate(scenario, 5, corpus=corpus)
    names = traffic.labels()["campaign"].to_pylist()
    rows = (row for batch in traffic.batches() for row in batch)
    return [(row.account, row.prompt or row.messages)
            for row, name in zip(rows, names, strict=True) if name == campaign]  # fmt: skip


def test_a_campaign_says_the_same_whatever_is_hidden_apart_from_it(corpus: Corpus) -> None:
    beside = dataclasses.replace(BESIDE, apart=True)
    assert said(corpus, beside, "other") == said(corpus, ALONE, "other")
    assert said(corpus, beside, None) == said(corpus, ALONE, None)


def test_campaigns_that_are_not_apart_share_their_side_of_the_pools(corpus: Corpus) -> None:
    assert said(corpus, BESIDE, "other") != said(corpus, ALONE, "other")
    assert said(corpus, BESIDE, None) == said(corpus, ALONE, None)


def test_alone_it_makes_no_difference(corpus: Corpus) -> None:
    apart = dataclasses.replace(ALONE, apart=True)
    assert said(corpus, apart, "other") == said(corpus, ALONE, "other")
