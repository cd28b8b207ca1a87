"""A wording that only one company's accounts share is its own: counter-evidence, and a veto."""

from __future__ import annotations

from stillwatch.detections.detection import Evidence, Metadata

__all__ = ["FEW", "one_company"]

#: organisations that are no crowd
FEW = 2
WEIGHT = 5.0


def one_company(metadata: Metadata, members: int, organisations: int) -> list[Evidence]:
    """What the detection with that `metadata` says of a wording of so few; nothing of more."""
    if organisations > FEW:
        return []
    return [
        Evidence(
            metadata.family,
            metadata.name,
            value=float(organisations),
            base_rate=None,
            speaks_for=False,
            weight=WEIGHT,
            veto=True,
            text=f"All {members} accounts that share the wording belong to {organisations} "
            "organisations: a company's own application, or a class.",
        )
    ]
