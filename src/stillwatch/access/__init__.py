"""Who may ask what: keys, openness levels, rules, places, actions in force → a decision.

In: the facts of one request and an immutable view of everything that the operator has set.
Out: a :class:`Decision` (allow or refuse, what is granted, which backends, what to charge), made
without any I/O; and limiters that reserve and settle the charges. Nothing here knows HTTP.
"""

from stillwatch.access.backends import Backend
from stillwatch.access.decide import decide
from stillwatch.access.decision import Decision, Refusal
from stillwatch.access.facts import FACTS, UNKNOWN, Asked, Caller, Origin, Replay, RequestFacts
from stillwatch.access.rules import RuleSet
from stillwatch.access.snapshot import Snapshot
from stillwatch.access.surface import (
    CLOSED,
    MOST_LOGPROBS,
    OPEN,
    Bias,
    Reasoning,
    Structure,
    Surface,
)
from stillwatch.access.view import View

__all__ = [
    "CLOSED",
    "FACTS",
    "MOST_LOGPROBS",
    "OPEN",
    "UNKNOWN",
    "Asked",
    "Backend",
    "Bias",
    "Caller",
    "Decision",
    "Origin",
    "Reasoning",
    "Refusal",
    "Replay",
    "RequestFacts",
    "RuleSet",
    "Snapshot",
    "Structure",
    "Surface",
    "View",
    "decide",
]
