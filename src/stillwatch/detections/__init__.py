"""Detections, one a file; each sees one thing and says so with a base rate.

In: stage tables of exchanges (:mod:`stillwatch.engines`). Out: links between accounts, scores of
accounts, and evidence for or against a group being one campaign. Others add theirs through the
entry point group ``stillwatch.detections``. A detection alone never names a campaign.
"""

from stillwatch.detections.detection import (
    LINKS,
    Abstained,
    Detection,
    Evidence,
    Family,
    Findings,
    Metadata,
    Tables,
)
from stillwatch.detections.group import ROW_COLUMNS, Group, Rows

__all__ = [
    "LINKS",
    "ROW_COLUMNS",
    "Abstained",
    "Detection",
    "Evidence",
    "Family",
    "Findings",
    "Group",
    "Metadata",
    "Rows",
    "Tables",
]
