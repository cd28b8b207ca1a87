"""Named scenarios, scaled to run on one machine; loads per account are the reported ones.

Sources stand in ``docs/simulator.md``. Figures of campaigns are their reporters' assertions.
"""

from __future__ import annotations

import dataclasses
import difflib

from stillwatch.errors import SettingsError
from stillwatch.lab.traffic.scenario import Arrival, Campaign, Failover, Leaks, Scenario, Tier

__all__ = ["PRESETS", "preset"]

_WEAK = Leaks(payment=0.3, device=0.1, address=0.3, addresses=40, registration=0.35)

_DEMO = (
    Campaign(
        name="reasoning-harvest",
        family="reasoning_harvest",
        tier=Tier.T1,
        accounts=120,
        share=0.0095,
        cover=0.5,
        arrival=Arrival.HUMAN,
        volume_log_sd=0.4,
        leaks=Leaks(payment=0.35, payment_group=6, registration=0.4, registration_hours=30),
    ),
    Campaign(
        name="reward-model",
        family="judge_harvest",
        tier=Tier.T1,
        accounts=60,
        share=0.0085,
        cover=0.25,
        cover_kinds=("chat", "grader", "tool_use"),
        arrival=Arrival.SYNCHRONISED,
        volume_log_sd=0.35,
        leaks=Leaks(address=0.45, addresses=10, device=0.2, device_group=5, client=0.4),
    ),
)


def _one(name: str, about: str, campaign: Campaign, **more: object) -> Scenario:
    return dataclasses.replace(
        Scenario(name=name, about=about, campaigns=(dataclasses.replace(campaign, name=name),)),
        **more,  # type: ignore[arg-type]
    )


PRESETS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="demo",
            about="two days, a reasoning harvest and a reward model hidden at under 1 % each",
            campaigns=_DEMO,
        ),
        Scenario(name="quiet", about="two days without any campaign: whatever is found is wrong"),
        Scenario(
            name="off-platform",
            about="transcripts were bought elsewhere: nothing to see, only provenance can tell",
        ),
        _one(
            "synchronised",
            "150k exchanges of February 2026, scaled: synchronised, shared payment, grading too",
            Campaign(
                name="",
                family="judge_harvest",
                tier=Tier.T1,
                accounts=70,
                per_account=26,
                cover=0.2,
                arrival=Arrival.SYNCHRONISED,
                volume_log_sd=0.1,
                leaks=Leaks(payment=0.7, payment_group=10, registration=0.6),
            ),
        ),
        _one(
            "release-pivot",
            "agent trajectories; half of them within a day of a new model",
            Campaign(
                name="",
                family="agent_trajectories",
                tier=Tier.T0,
                accounts=60,
                per_account=60,
                cover=0.3,
                arrival=Arrival.PIVOT,
                volume_log_sd=0.5,
                leaks=_WEAK,
            ),
            days=4.0,
            release_day=2.0,
        ),
        _one(
            "hot-spare",
            "one fixed injected prompt; the pool is blocked and a second one takes over",
            Campaign(
                name="",
                family="injected_prompt",
                tier=Tier.T0,
                accounts=100,
                per_account=40,
                cover=0.3,
                arrival=Arrival.SPREAD,
                volume_log_sd=0.5,
                leaks=_WEAK,
                failover=Failover(day=2.0, share=0.5, lag_hours=3.0),
            ),
            days=4.0,
        ),
        _one(
            "user-relay",
            "the attacker's own users passed on live, strangers under each account (about 6 a day)",
            Campaign(
                name="",
                family="user_relay",
                tier=Tier.T4,
                accounts=150,
                per_account=12,
                cover=0.0,
                arrival=Arrival.HUMAN,
                volume_log_sd=0.6,
                leaks=_WEAK,
            ),
        ),
        _one(
            "prefix-scatter",
            "a relay pool that sends the turns of one conversation through several accounts",
            Campaign(
                name="",
                family="prefix_scatter",
                tier=Tier.T4,
                accounts=60,
                per_account=25,
                cover=0.0,
                arrival=Arrival.HUMAN,
                volume_log_sd=0.2,
                leaks=_WEAK,
            ),
        ),
        _one(
            "cleaner",
            "273 accounts, scaled: the teacher's answers come back in to be cleaned",
            Campaign(
                name="",
                family="cleaner",
                tier=Tier.T1,
                accounts=40,
                per_account=60,
                cover=0.2,
                arrival=Arrival.SPREAD,
                volume_log_sd=0.4,
                leaks=_WEAK,
            ),
        ),
        _one(
            "delayed-replay",
            "sessions of the attacker's users replayed later (about 13 a day and account)",
            Campaign(
                name="",
                family="user_replay",
                tier=Tier.T4,
                accounts=80,
                per_account=26,
                cover=0.0,
                arrival=Arrival.BURST,
                volume_log_sd=0.5,
                leaks=_WEAK,
            ),
        ),
        _one(
            "low-and-slow",
            "many accounts with one to four requests each: encrypted reasoning sent back in",
            Campaign(
                name="",
                family="reasoning_replay",
                tier=Tier.T2,
                accounts=600,
                per_account=2.0,
                cover=0.0,
                arrival=Arrival.SPREAD,
                volume_log_sd=0.4,
                leaks=Leaks(registration=0.3, address=0.2, addresses=80),
            ),
        ),
        _one(
            "probe",
            "12,000 requests, scaled, each another technique to get at the reasoning",
            Campaign(
                name="",
                family="probe",
                tier=Tier.T2,
                accounts=60,
                per_account=25,
                cover=0.2,
                arrival=Arrival.BURST,
                volume_log_sd=0.6,
                leaks=_WEAK,
            ),
        ),
        _one(
            "multimodal",
            "100M image requests, scaled; the pictures themselves are not in a log",
            Campaign(
                name="",
                family="image_harvest",
                tier=Tier.T1,
                accounts=120,
                per_account=14,
                cover=0.5,
                arrival=Arrival.SPREAD,
                volume_log_sd=0.6,
                leaks=_WEAK,
            ),
        ),
        _one(
            "backfill",
            "question and answer are supplied, the reasoning behind it is asked for",
            Campaign(
                name="",
                family="cot_coercion",
                tier=Tier.T1,
                accounts=100,
                per_account=15,
                arrival=Arrival.HUMAN,
                leaks=_WEAK,
            ),
        ),
        _one(
            "evolution",
            "instructions are rewritten in rounds, each answer the seed of another request",
            Campaign(
                name="",
                family="instruction_evolution",
                tier=Tier.T1,
                accounts=60,
                per_account=25,
                arrival=Arrival.SPREAD,
                leaks=_WEAK,
            ),
        ),
        _one(
            "personas",
            "a grid of personas and tasks",
            Campaign(
                name="",
                family="persona_grid",
                tier=Tier.T1,
                accounts=60,
                per_account=25,
                arrival=Arrival.SPREAD,
                leaks=_WEAK,
            ),
        ),
        _one(
            "paraphrase",
            "a reasoning harvest whose every prompt is worded anew",
            Campaign(
                name="",
                family="reasoning_harvest",
                tier=Tier.T2,
                accounts=120,
                per_account=13,
                arrival=Arrival.HUMAN,
                leaks=_WEAK,
            ),
        ),
        _one(
            "public-template",
            "a reasoning harvest in the words of a template that 200 honest accounts send too",
            Campaign(
                name="",
                family="reasoning_harvest",
                tier=Tier.T3,
                accounts=120,
                per_account=13,
                arrival=Arrival.HUMAN,
                leaks=_WEAK,
            ),
        ),
        _one(
            "chinese",
            "the reasoning harvest of the demo, in Chinese",
            Campaign(
                name="",
                family="reasoning_harvest",
                tier=Tier.T1,
                accounts=120,
                per_account=13,
                language="zh",
                arrival=Arrival.HUMAN,
                leaks=_WEAK,
            ),
        ),
    )
}


def preset(name: str) -> Scenario:
    """The preset called `name`.

    Raises:
        SettingsError: there is none; the message names close matches.
    """
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise SettingsError(f"there is no preset '{name}'{hint} (`simulate --list` shows them)")
    return PRESETS[name]
