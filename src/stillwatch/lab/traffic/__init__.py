"""Labelled traffic: innocent accounts of many kinds, and campaigns hidden among them.

In: a preset or a :class:`Scenario`, a seed, and the text of :mod:`stillwatch.lab.corpus`. Out:
rows of :class:`~stillwatch.exchange.RawExchange` in the order of time, and labels. Texts are real
or said to be composed, arrival laws come from production traces, accounts and their infrastructure
are simulated. ``docs/simulator.md`` says what that means for results.
"""

from stillwatch.lab.traffic.attacks import FAMILIES
from stillwatch.lab.traffic.kinds import KINDS
from stillwatch.lab.traffic.presets import PRESETS, preset
from stillwatch.lab.traffic.scenario import (
    PERIODS,
    Arrival,
    Campaign,
    Failover,
    Leaks,
    Scenario,
    Tier,
)
from stillwatch.lab.traffic.summary import KindCount, Summary
from stillwatch.lab.traffic.traffic import LABELS, Planted, Traffic, simulate

__all__ = [
    "FAMILIES",
    "KINDS",
    "LABELS",
    "PERIODS",
    "PRESETS",
    "Arrival",
    "Campaign",
    "Failover",
    "KindCount",
    "Leaks",
    "Planted",
    "Scenario",
    "Summary",
    "Tier",
    "Traffic",
    "preset",
    "simulate",
]
