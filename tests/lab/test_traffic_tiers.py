"""Tiers by measurement, with the real sketcher: every generator is inside of its band."""

from __future__ import annotations

import pytest

from stillwatch.exchange import RawExchange
from stillwatch.lab.corpus import Corpus, load
from stillwatch.lab.traffic import Tier
from stillwatch.lab.traffic.planted import planted, written
from stillwatch.lab.traffic.tiers import Measure, admits, measure
from stillwatch.sketches import Sketcher, SketchKey

WRITTEN = [pytest.param(*each, id="-".join(map(str, each))) for each in written()]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load()


@pytest.fixture(scope="module")
def sketcher() -> Sketcher:
    return Sketcher(SketchKey(b"tiers are measured under any key"))


@pytest.mark.parametrize(("family", "tier", "language"), WRITTEN)
def test_a_generator_is_inside_the_band_of_its_tier(
    family: str, tier: Tier, language: str, corpus: Corpus, sketcher: Sketcher
) -> None:
    found = measure(*planted(corpus, family, tier, language), sketcher)
    assert admits(tier, found), f"{tier} does not admit {found}"


def test_a_generator_outside_of_its_band_is_refused(corpus: Corpus, sketcher: Sketcher) -> None:
    found = measure(*planted(corpus, "reasoning_harvest", Tier.T1), sketcher)
    assert [tier for tier in Tier if admits(tier, found)] == [Tier.T1]


@pytest.mark.parametrize(
    ("tier", "inside", "outside"),
    [
        (Tier.T0, Measure(0.8, 0.0, 0.0), Measure(0.79, 0.0, 0.0)),
        (Tier.T1, Measure(0.5, 0.0, 0.0), Measure(0.51, 0.0, 0.0)),
        (Tier.T1, Measure(0.1, 0.0, 0.0), Measure(0.09, 0.0, 0.0)),
        (Tier.T2, Measure(0.02, 0.0, 0.0), Measure(0.03, 0.0, 0.0)),
        (Tier.T3, Measure(0.6, 0.3, 0.0), Measure(0.6, 0.05, 0.0)),
        (Tier.T4, Measure(0.3, 0.0, 0.3), Measure(0.4, 0.0, 0.3)),
    ],
)
def test_the_bands_are_those_of_the_definition(
    tier: Tier, inside: Measure, outside: Measure
) -> None:
    assert admits(tier, inside)
    assert not admits(tier, outside)


def test_recurrence_counts_other_exchanges_and_not_the_prompt_itself(sketcher: Sketcher) -> None:
    words = "please write a short letter to the city about the old bridge near our house"
    one = RawExchange(at=0, account="a", prompt=words)
    other = RawExchange(at=1, account="b", prompt="what a fine day it was for a walk by the sea")
    assert measure([one, other], [one], sketcher).recurrence == 0.0
    assert measure([one, one, one], [other], sketcher).recurrence == 1.0


def test_a_cell_is_public_when_enough_accounts_send_it(sketcher: Sketcher) -> None:
    words = "please write a short letter to the city about the old bridge near our house"

    def crowd(size: int) -> list[RawExchange]:
        return [RawExchange(at=i, account=f"a{i}", prompt=words) for i in range(size)]

    attack = [RawExchange(at=0, account="x", prompt=words)]
    assert measure(attack, crowd(199), sketcher).publicity == 0.0
    assert measure(attack, crowd(200), sketcher).publicity == 1.0
