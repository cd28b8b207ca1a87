"""TLP 2.0: the five marking definitions of OASIS, which FIRST's standard asks for.

The objects are those of the OASIS repository of STIX common objects; their ids never change. Each
stands as it is: nobody may make a version of them.
"""

from __future__ import annotations

import enum
from typing import Any, Final

__all__ = ["TLP_EXTENSION", "Tlp", "marking", "tlp_of"]

TLP_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_CREATED: Final = "2022-10-01T00:00:00.000Z"


class Tlp(enum.StrEnum):
    """How far an object may be passed on, the widest first (FIRST, Traffic Light Protocol 2.0)."""

    CLEAR = "clear"
    GREEN = "green"
    AMBER = "amber"
    AMBER_STRICT = "amber+strict"
    RED = "red"

    @property
    def id(self) -> str:
        """The id of the marking definition, for ``object_marking_refs``."""
        return f"marking-definition--{_IDS[self]}"


_IDS: Final = {
    Tlp.CLEAR: "94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "e828b379-4e03-4974-9ac4-e53a884c97c1",
}


def marking(tlp: Tlp) -> dict[str, Any]:
    """The marking definition of `tlp`."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": tlp.id,
        "created": _CREATED,
        "name": f"TLP:{tlp.upper()}",
        "extensions": {
            TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp.value}
        },
    }


def tlp_of(thing: dict[str, Any]) -> Tlp | None:
    """The strictest TLP 2.0 marking of an object; None where it has none."""
    refs = thing.get("object_marking_refs")
    found = [tlp for tlp in Tlp if isinstance(refs, list) and tlp.id in refs]
    return found[-1] if found else None
