"""One campaign in one tier beside the innocent traffic that its tier is measured against."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.exchange import RawExchange
from stillwatch.lab.corpus import Corpus
from stillwatch.lab.traffic.attacks import FAMILIES
from stillwatch.lab.traffic.kinds import KINDS
from stillwatch.lab.traffic.scenario import Campaign, Scenario, Tier
from stillwatch.lab.traffic.traffic import simulate

__all__ = ["planted", "written"]

#: tier → innocent kinds that are measured beside the attack, and how many accounts
_BESIDE = {
    Tier.T3: ({"template_user": 1.0}, 280),
    Tier.T4: ({"chat": 0.6, "coding_agent": 0.4}, 60),
}


def written() -> Iterator[tuple[str, Tier, str]]:
    """Every family, tier and language that a campaign can be written in."""
    for name, family in FAMILIES.items():
        for tier in family.tiers:
            for language in family.languages:
                if language == "en" or tier is Tier.T1:
                    yield name, tier, language


def planted(
    corpus: Corpus, family: str, tier: Tier, language: str = "en", *, accounts: int = 40
) -> tuple[list[RawExchange], list[RawExchange]]:
    """The attack exchanges and the innocent ones, of `accounts` with twelve each; no retries."""
    campaign = Campaign(
        name="measured",
        family=family,
        tier=tier,
        accounts=accounts,
        per_account=12,
        cover=0.0,
        retries=0.0,
        language=language,
    )
    kinds, innocent = _BESIDE.get(tier, ({"chat": 1.0}, 30))
    scenario = Scenario(
        name="measured",
        about="for the tiers",
        accounts=innocent,
        kinds={name: kinds.get(name, 0.0) for name in KINDS},
        campaigns=(campaign,),
    )
    traffic = simulate(scenario, 21, corpus=corpus)
    attack = traffic.labels()["attack"].to_pylist()
    rows = [row for batch in traffic.batches() for row in batch]
    return (
        [row for row, is_attack in zip(rows, attack, strict=True) if is_attack],
        [row for row, is_attack in zip(rows, attack, strict=True) if not is_attack],
    )
