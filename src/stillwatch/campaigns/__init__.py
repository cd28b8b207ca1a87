"""Findings → account graph → communities → judged, ranked campaigns.

In: links and scores of all detections, and the exchanges of candidate groups. Out: a
:class:`ScanReport` and the files that ``scan`` writes. A campaign needs at least two independent
families of evidence (law 1); what speaks against it stands beside it.
"""

from stillwatch.campaigns.campaign import (
    Campaign,
    Member,
    Ran,
    ScanReport,
    Source,
    Template,
    Tie,
)
from stillwatch.campaigns.configured import ScanSettings, read_scan_settings
from stillwatch.campaigns.progress import Progress, Silent
from stillwatch.campaigns.scan import ScanOptions, scan
from stillwatch.campaigns.track_record import TrackRecord

__all__ = [
    "Campaign",
    "Member",
    "Progress",
    "Ran",
    "ScanOptions",
    "ScanReport",
    "ScanSettings",
    "Silent",
    "Source",
    "Template",
    "Tie",
    "TrackRecord",
    "read_scan_settings",
    "scan",
]
