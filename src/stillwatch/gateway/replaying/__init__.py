"""Replaying a log: what a changed set of rules would have done to last week's, and to whom.

In: rules, a log as `scan` reads it or an event store, perhaps the keys and the rules before. Out: a
:class:`Replay`, counts by rule, by account and by kind of customer. A log does not say everything:
what a rule reads and the log does not have is not judged, and counted as that.
"""

from stillwatch.gateway.replaying.outputs import write_replay
from stillwatch.gateway.replaying.replay import Progress, Replayed, ReplayOptions, replay
from stillwatch.gateway.replaying.report import AccountLine, KindLine, Replay, RuleLine

__all__ = [
    "AccountLine",
    "KindLine",
    "Progress",
    "Replay",
    "ReplayOptions",
    "Replayed",
    "RuleLine",
    "replay",
    "write_replay",
]
