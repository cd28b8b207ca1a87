"""Techniques of MITRE ATLAS that a distillation campaign uses, as attack patterns.

Identifiers and names are those of ATLAS 5.6 (May 2026). The objects are the profile's own, the same
bytes for everybody, and refer to ATLAS: whoever copies an object of ATLAS under its own id would
make a version of it, which only its creator may (STIX 2.1, 3.6.2).
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from stillwatch.errors import IndicatorError

__all__ = ["ATLAS_VERSION", "TECHNIQUES", "attack_pattern", "technique_id"]

ATLAS_VERSION: Final = "5.6"
#: identifier → name
TECHNIQUES: Final[dict[str, str]] = {
    "AML.T0005.001": "Train Proxy via Replication",
    "AML.T0008.005": "AI Service Proxies",
    "AML.T0021": "Establish Accounts",
    "AML.T0024.002": "Extract AI Model",
    "AML.T0040": "AI Model Inference API Access",
    "AML.T0048.004": "AI Intellectual Property Theft",
}
#: the ids of ATLAS's own STIX objects, where they are known to stay the same
_STIX_IDS: Final = {
    "AML.T0024.002": "attack-pattern--3f567912-629a-5e0b-ab0c-0102977c2d6c",
    "AML.T0008.005": "attack-pattern--647ac4ac-b2bc-53f7-ab83-81f421a1f0b5",
}
_NAMESPACE = uuid.UUID("6f8d0d2e-0b0e-5a53-9d9c-5c0d7a1b7f10")
_CREATED: Final = "2026-11-22T00:00:00.000Z"


def technique_id(technique: str) -> str:
    """The id of the attack pattern of a technique: a UUID (version 5) of its identifier.

    Raises:
        IndicatorError: the profile does not list it.
    """
    if technique not in TECHNIQUES:
        raise IndicatorError(
            f"'{technique}' is no technique of the profile; there are: {', '.join(TECHNIQUES)}"
        )
    return f"attack-pattern--{uuid.uuid5(_NAMESPACE, technique)}"


def attack_pattern(technique: str) -> dict[str, Any]:
    """The attack pattern of a technique, without a creator: everybody makes the same one.

    Raises:
        IndicatorError: the profile does not list it.
    """
    references = [
        {
            "source_name": "mitre-atlas",
            "external_id": technique,
            "url": f"https://atlas.mitre.org/techniques/{technique}",
        }
    ]
    if technique in _STIX_IDS:
        references.append({"source_name": "mitre-atlas-stix", "external_id": _STIX_IDS[technique]})
    return {
        "type": "attack-pattern",
        "spec_version": "2.1",
        "id": technique_id(technique),
        "created": _CREATED,
        "modified": _CREATED,
        "name": TECHNIQUES[technique],
        "external_references": references,
    }
