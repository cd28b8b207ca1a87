"""``report.html``: what a scan found, in one file that a manager can read and print.

In: a :class:`~stillwatch.campaigns.campaign.ScanReport`. Out: the page, a string that names no
other resource, runs one hashed script, is whole without it, and is equal for equal reports.
Account names and masked words are hostile input here: escaped, cut and made visible.
"""

from stillwatch.campaigns.report.page import render
from stillwatch.campaigns.report.review import level_of

__all__ = ["level_of", "render"]
