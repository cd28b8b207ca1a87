"""Detections, one a file; each sees one thing and says so with a base rate.

In: stage tables of exchanges (:mod:`stillwatch.engines`). Out: links between accounts, scores of
accounts, and evidence for or against a group being one campaign. Others add theirs through the
entry point group ``stillwatch.detections``. A detection alone never names a campaign.
"""

from stillwatch.detections.accounts import Accounts, microseconds, read_accounts
from stillwatch.detections.communities import communities
from stillwatch.detections.contents import (
    distinct_contents,
    repeated_share,
    repeated_together,
    senders_contents,
)
from stillwatch.detections.detection import (
    LINKS,
    Abstained,
    Detection,
    Evidence,
    Family,
    Findings,
    Metadata,
    Tables,
    weigh,
)
from stillwatch.detections.group import LEAST_MARKED, ROW_COLUMNS, UNKNOWN, Group, Rows
from stillwatch.detections.hits import HITS, Meeting, joined_hits
from stillwatch.detections.infrastructure import Holders, Infrastructure
from stillwatch.detections.passages import Passages
from stillwatch.detections.problems import Problems
from stillwatch.detections.registry import load_detections
from stillwatch.detections.rewording import Rewording
from stillwatch.detections.tables import ACCOUNT_DAYS
from stillwatch.detections.wording import percent, share_of

__all__ = [
    "ACCOUNT_DAYS",
    "HITS",
    "LEAST_MARKED",
    "LINKS",
    "ROW_COLUMNS",
    "UNKNOWN",
    "Abstained",
    "Accounts",
    "Detection",
    "Evidence",
    "Family",
    "Findings",
    "Group",
    "Holders",
    "Infrastructure",
    "Meeting",
    "Metadata",
    "Passages",
    "Problems",
    "Rewording",
    "Rows",
    "Tables",
    "communities",
    "distinct_contents",
    "joined_hits",
    "load_detections",
    "microseconds",
    "percent",
    "read_accounts",
    "repeated_share",
    "repeated_together",
    "senders_contents",
    "share_of",
    "weigh",
]
