"""What analysts found, earlier, of campaigns that a detection spoke for.

`cases` counts it and stands above this room, so whoever runs a scan hands it over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

__all__ = ["EVERYWHERE", "TrackRecord", "overall", "track_record_json"]

#: in place of a segment: all of them together
EVERYWHERE = "*"


@dataclass(frozen=True)
class TrackRecord:
    """Decided cases of one detection in one segment.

    `upheld` and `dismissed` are counted by the verdict that holds; undecided ones are in neither.
    The share upheld lies between `least` and `most` with 95 % confidence, where cases are
    independent.
    """

    detection: str
    segment: str
    upheld: int
    dismissed: int
    least: float
    most: float

    @property
    def judged(self) -> int:
        return self.upheld + self.dismissed


def overall(records: Iterable[TrackRecord]) -> dict[str, TrackRecord]:
    """Of each detection the record of all segments together."""
    return {each.detection: each for each in records if each.segment == EVERYWHERE}


def track_record_json(records: Iterable[TrackRecord]) -> list[dict[str, object]]:
    """As ``campaigns.json`` holds it."""
    return [asdict(each) for each in records]
