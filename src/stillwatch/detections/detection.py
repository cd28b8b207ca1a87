"""What a detection is: metadata, stages over all exchanges, links between accounts, a judgement.

A detection never names an innocent by itself. It contributes two things. *Links* say that an
account shares an object (a style, a payment instrument, a conversation prefix) that should be
rare; :mod:`stillwatch.campaigns` joins the links of all detections into candidate groups.
*Evidence* is the detection's opinion of such a group, beside the background, with a base rate.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr.types import Table

from stillwatch.engines import Engine, Stage

if TYPE_CHECKING:
    from stillwatch.detections.group import Group

__all__ = [
    "FEWEST",
    "LINKS",
    "Abstained",
    "Detection",
    "Evidence",
    "Family",
    "Findings",
    "Metadata",
    "Tables",
    "weigh",
]


class Family(enum.StrEnum):
    """Law 1 asks for two independent families; two findings of one family count once."""

    CONTENT = "content"
    PURPOSE = "purpose"
    SHAPE = "shape"
    TIME = "time"
    INFRASTRUCTURE = "infrastructure"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class Metadata:
    """What a reader of a verdict must know about the detection behind it.

    Attributes:
        name: stable identifier, also the suffix of its column in ``accounts.parquet``.
        sees: what it looks at, in one sentence.
        null: what is true of accounts when nothing is going on.
        base_rate: how often honest accounts look like that, and where the figure comes from.
        look_alikes: honest traffic that triggers it.
        atlas: MITRE ATLAS techniques that it speaks to.
        needs: columns without which it abstains.
        outside: whether it is asked only where a run has a table of hits.
    """

    name: str
    family: Family
    title: str
    sees: str
    null: str
    base_rate: str
    look_alikes: tuple[str, ...]
    atlas: tuple[str, ...] = ("AML.T0024.002",)
    needs: tuple[str, ...] = ()
    outside: bool = False


#: organisations that must show a property before it says something of the group that they are in
FEWEST = 3

#: the links of a detection: `uses` exchanges of `account` share `object`; `weight` in nats
LINKS = pa.schema(
    [
        pa.field("account", pa.int64(), nullable=False),
        pa.field("object", pa.int64(), nullable=False),
        pa.field("uses", pa.int64(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
    ]
)


class Abstained(Exception):  # noqa: N818 - it is an answer, not a failure
    """The detection has nothing to go by; the message says what it would need."""


@dataclass(frozen=True)
class Findings:
    """What a detection found in a log.

    Attributes:
        scores: by account, 0 and up; absent accounts score 0.
        links: a table of :data:`LINKS`.
        styles: for each linked object that is a style, its cells (ascending).
        labels: what an object may be called in a report, without revealing its value.
    """

    scores: Mapping[int, float] = field(default_factory=dict)
    links: pa.Table = field(default_factory=LINKS.empty_table)
    styles: Mapping[int, npt.NDArray[np.int64]] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """A detection's opinion of a group.

    Attributes:
        value: what was measured on the group, in the unit that `text` names.
        base_rate: share of comparable honest groups or accounts with such a value, or None.
        speaks_for: True for evidence, False for counter-evidence.
        weight: nats for a campaign; 0 for what is only worth saying.
        explained: True where the group's shared style may explain it (law 1: then it does not
            count as a second family).
        veto: counter-evidence that no amount of evidence outweighs.
    """

    family: Family
    detection: str
    value: float
    base_rate: float | None
    text: str
    weight: float = 0.0
    speaks_for: bool = True
    explained: bool = False
    veto: bool = False


def weigh(everything: float, rest: float, ceiling: float) -> tuple[float, bool]:
    """The weight of evidence and whether a template explains it (law 1).

    Args:
        everything: nats on all exchanges of the group.
        rest: nats where the exchanges that carry the group's shared style are removed.
        ceiling: the most that may count.

    Returns:
        What remains counts; where next to nothing does, all of it stands, but explained.
    """
    explained = rest < 1.0
    return min(ceiling, everything if explained else rest), explained


class Tables(Protocol):
    """The stage tables of a run, by name, the engine that reads them, and the log's size.

    ``population`` counts accounts, ``exchanges`` rows. ``reference_until`` is the end of the
    reference period (µs since 1970), None where novelty is judged inside the log. ``hits`` is a
    table of :data:`~stillwatch.detections.hits.HITS`, None where no indicators were given.
    """

    engine: Engine
    population: int
    exchanges: int
    sampling: int
    reference_until: int | None
    hits: pa.Table | None

    def __getitem__(self, name: str) -> Table: ...


@runtime_checkable
class Detection(Protocol):
    """One detection; found through the entry point group ``stillwatch.detections``."""

    metadata: Metadata

    def stages(self, sampling: int) -> Sequence[Stage]:
        """The stages that it needs, in order. Equal names must mean equal stages.

        `sampling` is the power of two that thins style cells in large logs.
        """
        ...

    def find(self, tables: Tables) -> Findings:
        """Scores and links, from the stage tables. Raises :class:`Abstained`."""
        ...

    def judge(self, group: Group) -> Sequence[Evidence]:
        """Evidence for and against the group being one campaign; may be empty."""
        ...
