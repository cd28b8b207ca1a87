"""The families of attack; see ``docs/simulator.md`` for the table.

A family says how its accounts behave and which tiers it can be written in. :data:`FAMILIES` maps
names to families; :class:`stillwatch.lab.traffic.scenario.Campaign` picks one by its name.
"""

from stillwatch.lab.traffic.attacks.family import Effort, Family
from stillwatch.lab.traffic.attacks.grading import CLEANER, EVOLUTION, JUDGE
from stillwatch.lab.traffic.attacks.grids import PERSONAS, TRAJECTORIES
from stillwatch.lab.traffic.attacks.reasoning import (
    BLOB_REPLAY,
    COERCION,
    HARVEST,
    IMAGES,
    INJECTED,
    PROBE,
)
from stillwatch.lab.traffic.attacks.relaying import RELAY, REPLAY, SCATTER

__all__ = ["FAMILIES", "Effort", "Family"]

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        HARVEST,
        COERCION,
        JUDGE,
        EVOLUTION,
        INJECTED,
        PERSONAS,
        TRAJECTORIES,
        CLEANER,
        RELAY,
        REPLAY,
        SCATTER,
        BLOB_REPLAY,
        PROBE,
        IMAGES,
    )
}
