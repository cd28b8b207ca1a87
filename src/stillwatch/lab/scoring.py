"""Labels beside findings: what was hidden, what was found, who was accused wrongly.

Reads only the file contracts (``labels.parquet``, ``campaigns.json``), so that it scores any
detector that keeps to them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

__all__ = ["Hidden", "Score", "score_folder"]


@dataclass(frozen=True)
class Hidden:
    """One planted campaign and the reported one that matches it best, if any does.

    A reported campaign matches when at least half of its members belong to the planted one.
    ``named`` counts planted accounts in any matching report, ``accused`` its innocent members.
    """

    campaign: str
    accounts: int
    exchanges: int
    share: float
    found: str | None
    named: int
    accused: int

    @property
    def recall(self) -> float:
        """Share of the planted accounts that were named."""
        return self.named / self.accounts


@dataclass(frozen=True)
class Score:
    """Everything that a scan did on one labelled log.

    Attributes:
        false_campaigns: reports that match nothing planted.
        wrong: innocent accounts named in any report.
        accused: the same by kind; an account of several kinds counts with each.
        innocents: innocent accounts by kind, in the same way.
    """

    hidden: tuple[Hidden, ...]
    false_campaigns: tuple[str, ...]
    wrong: int
    accused: Mapping[str, int]
    innocents: Mapping[str, int]
    exchanges: int


def score_folder(out: Path, labels: Path) -> Score:
    """Score the scan in `out` against `labels`."""
    table = pq.read_table(labels, columns=["account", "kind", "campaign", "attack"])
    attackers: dict[str, set[str]] = {}
    attacks: dict[str, int] = {}
    kinds: dict[str, set[str]] = {}
    columns = [table[name].to_pylist() for name in ("account", "kind", "campaign", "attack")]
    for account, kind, campaign, attack in zip(*columns, strict=True):
        if attack:
            attackers.setdefault(campaign, set()).add(account)
            attacks[campaign] = attacks.get(campaign, 0) + 1
        else:
            kinds.setdefault(account, set()).add(kind)
    guilty = set().union(*attackers.values()) if attackers else set()
    reported = {
        each["id"]: set(each["accounts"])
        for each in json.loads((out / "campaigns.json").read_text("utf-8"))["campaigns"]
    }
    matches = {
        name: next(
            (
                planted
                for planted, own in attackers.items()
                if 2 * len(own & members) >= len(members)
            ),
            None,
        )
        for name, members in reported.items()
    }
    wrong = set().union(*reported.values()) - guilty
    innocents = Counter(kind for a, some in kinds.items() if a not in guilty for kind in some)
    accused = Counter(kind for account in wrong for kind in kinds.get(account, {"unknown"}))
    hidden = []
    for planted, own in sorted(attackers.items()):
        found = [name for name, match in matches.items() if match == planted]
        named = set().union(*(reported[name] for name in found)) if found else set()
        hidden.append(
            Hidden(
                planted,
                len(own),
                attacks[planted],
                attacks[planted] / table.num_rows,
                found[0] if found else None,
                len(named & own),
                len(named - guilty),
            )
        )
    return Score(
        tuple(hidden),
        tuple(name for name, match in matches.items() if match is None),
        len(wrong),
        dict(sorted(accused.items())),
        dict(sorted(innocents.items())),
        table.num_rows,
    )
