"""Groups that somebody should look at: a line each, without the weight of a card."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stillwatch.campaigns.campaign import Campaign, ScanReport
from stillwatch.campaigns.report.families import family_lines, in_brief
from stillwatch.campaigns.report.names import LongNames, Name

__all__ = ["NAMED", "Reviewed", "level_of", "odds", "reviewed", "tests_of"]

#: accounts of a group that its line names
NAMED = 12
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Reviewed:
    """A group for review; `short` is why it is not reported."""

    group: Campaign
    brief: str
    short: str
    names: tuple[Name, ...]


def reviewed(report: ScanReport, names: LongNames) -> list[Reviewed]:
    """The groups for review, in the report's order."""
    return [
        Reviewed(
            group=each,
            brief=in_brief(family_lines(each, report.detections)),
            short=_short(each),
            names=tuple(names.cut(member.account) for member in each.members[:NAMED]),
        )
        for each in report.review
    ]


def tests_of(group: Campaign) -> str:
    """What its tests say, such as ``45 to 1`` or ``10²³ to 1``; empty where they say nothing."""
    return odds(group.e_value) if group.e_value > 0 else ""


def odds(e_value: float) -> str:
    """An e-value above 1, given in nats, in words."""
    digits = e_value / math.log(10)
    if digits < 3:
        return f"{math.exp(e_value):.3g} to 1"
    return f"10{str(int(digits)).translate(_RAISED)} to 1"


def level_of(group: Campaign) -> str:
    """The smallest share of false campaigns at which it is reported, as a percentage."""
    if group.level >= 1:
        return "never"
    return "< 0.0001 %" if group.level < 1e-6 else f"{100 * group.level:.2g} %"


def _short(group: Campaign) -> str:
    if group.withheld is not None:
        return group.withheld
    if group.e_value <= 0:
        return "no test with a promise speaks for it"
    if group.level >= 1:
        return f"its tests ({tests_of(group)}) are too weak for the number of groups"
    return f"it would be reported from a level of {level_of(group)} on"
