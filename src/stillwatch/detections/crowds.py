"""Who shares a wording: one company's accounts, a crowd, or a few strangers?"""

from __future__ import annotations

import math

from stillwatch.detections.detection import Evidence, Metadata

__all__ = ["one_company", "rarity_of_strangers"]

#: organisations that are no crowd
FEW = 2
CEILING = 5.0


def one_company(metadata: Metadata, members: int, organisations: int) -> list[Evidence]:
    """What the detection with that `metadata` says of a wording of so few; nothing of more.

    A company's own wording is counter-evidence, and a veto.
    """
    if organisations > FEW:
        return []
    return [
        Evidence(
            metadata.family,
            metadata.name,
            value=float(organisations),
            base_rate=None,
            speaks_for=False,
            weight=CEILING,
            veto=True,
            text=f"All {members} accounts that share the wording belong to {organisations} "
            "organisations: a company's own application, or a class.",
        )
    ]


def rarity_of_strangers(
    organisations: int, members: int, population: int, theirs: int, sample: int
) -> float:
    """Nats for a wording that many organisations share and few accounts outside the group.

    Args:
        members: accounts of the group that share it, of the log's `population`.
        theirs: those of a `sample` of other accounts that share it too.
    """
    lift = members / population * (sample + 1) / (theirs + 0.5)  # Jeffreys' prior
    return min(CEILING, math.log(organisations / FEW) + max(0.0, math.log(lift)) / 2)
