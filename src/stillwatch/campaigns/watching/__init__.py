"""A log that grows → campaigns, look by look, each reported once.

In: files that a :class:`~stillwatch.sources.Follower` reads, or the event store of a gateway, and
the state folder of an earlier run, if there is one. Out: lines of ``findings.jsonl``, and the files
of the latest look. Looks go by the time of the exchanges, so that results are a function of the
log; every step from the byte of a file to the line of a finding is made exactly once, whatever ends
the process in between.
"""

from stillwatch.campaigns.watching.changes import Event
from stillwatch.campaigns.watching.look import Look
from stillwatch.campaigns.watching.watch import WatchOptions, watch

__all__ = ["Event", "Look", "WatchOptions", "watch"]
