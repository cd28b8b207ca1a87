"""One run of a detector, held against the truth: the counts that every figure is made of.

Reads only the files of the design (``campaigns.json``, ``accounts.parquet``), so that every
detector is scored alike. A reported campaign is *true* when at least half of its members belong to
the one attack that is hidden, as in :mod:`stillwatch.lab.scoring`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.lab.bench.detector import DetectorError
from stillwatch.lab.bench.view import Truth

__all__ = ["Scored", "named_accounts", "score_run"]


@dataclass(frozen=True)
class Scored:
    """Counts of one run.

    Attributes:
        attackers: accounts with at least one attack exchange; `attacks` those exchanges.
        found: whether a true campaign was reported; None where nothing is hidden.
        named: attackers who are members of a true campaign.
        reported, false: campaigns that were reported, and those that are not true.
        members: accounts that are members of any reported campaign; `wrong` are innocent.
        above_1, above_01: attackers above the score that at most 1 % (0.1 %) of the innocents
            exceed: what a threshold that is chosen with the labels in hand would have given.
        innocents, accused: innocent accounts, and those of them who are members, by kind; an
            account counts with each kind that it sends.
    """

    attackers: int
    attacks: int
    found: bool | None
    named: int
    reported: int
    false: int
    members: int
    wrong: int
    above_1: int
    above_01: int
    population: int
    innocents: dict[str, int]
    accused: dict[str, int]


def score_run(out: Path, truth: Truth) -> Scored:
    """Score the files in `out`.

    Raises:
        DetectorError: a file is missing, or does not hold what the design says.
    """
    reported = _campaigns(out / "campaigns.json")
    true = [members for members in reported if 2 * len(members & truth.guilty) >= len(members)]
    members = frozenset[str]().union(*reported)
    named = frozenset[str]().union(*true) & truth.guilty
    wrong = members - truth.guilty
    scores = _scores(out / "accounts.parquet")
    innocent = np.sort(np.array([scores.get(a, -np.inf) for a in truth.innocents]))[::-1]
    guilty = np.array([scores.get(a, -np.inf) for a in truth.guilty])

    def above(rate: float) -> int:
        if not innocent.size:
            return 0
        return int((guilty > innocent[int(rate * innocent.size)]).sum())

    return Scored(
        attackers=len(truth.guilty),
        attacks=truth.attacks,
        found=bool(true) if truth.guilty else None,
        named=len(named),
        reported=len(reported),
        false=len(reported) - len(true),
        members=len(members),
        wrong=len(wrong),
        above_1=above(0.01),
        above_01=above(0.001),
        population=len(truth.innocents),
        innocents=dict(Counter(kind for some in truth.innocents.values() for kind in some)),
        accused=dict(
            Counter(kind for a in wrong for kind in truth.innocents.get(a, frozenset({"unknown"})))
        ),
    )


def named_accounts(out: Path) -> frozenset[str]:
    """All members of reported campaigns.

    Raises:
        DetectorError: as :func:`score_run`.
    """
    return frozenset[str]().union(*_campaigns(out / "campaigns.json"))


def _campaigns(path: Path) -> list[frozenset[str]]:
    try:
        content: Any = json.loads(path.read_text("utf-8"))
        reported = [each["accounts"] for each in content["campaigns"]]
    except FileNotFoundError:
        raise DetectorError("wrote no campaigns.json") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DetectorError(f"campaigns.json: {type(error).__name__}: {error}") from error
    for accounts in reported:
        if not isinstance(accounts, list) or not all(isinstance(a, str) for a in accounts):
            raise DetectorError("campaigns.json: 'accounts' must be a list of names")
    # a campaign without members names nobody
    return [frozenset(accounts) for accounts in reported if accounts]


def _scores(path: Path) -> dict[str, float]:
    try:
        table = pq.read_table(path, columns=["account", "score"])
        scores = table["score"].cast(pa.float64()).to_numpy()
        accounts = table["account"].cast(pa.string()).to_pylist()
    except FileNotFoundError:
        raise DetectorError("wrote no accounts.parquet") from None
    except (OSError, pa.ArrowException, KeyError) as error:
        raise DetectorError(f"accounts.parquet: {type(error).__name__}: {error}") from error
    found = np.nan_to_num(scores, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    return dict(zip(accounts, found.tolist(), strict=True))
