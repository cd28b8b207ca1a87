"""The STIX 2.1 profile of distillation campaigns: objects as plain dicts, sealed one by one.

In: what a provider may tell. Out: campaigns, indicators, notes, sightings with the property
extension :data:`DISTILLATION`, TLP 2.0 markings and references to MITRE ATLAS; and for what others
sent, whether it is of the profile (:func:`validate`) and whose it is (:func:`check_seal`).
`docs/intel-profile.md` is the profile; it can be implemented without this code.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.intel.profile.atlas import TECHNIQUES, attack_pattern, technique_id
    from stillwatch.intel.profile.authoring import (
        Author,
        Detector,
        bundle,
        definition,
        new_id,
        profile_identity,
    )
    from stillwatch.intel.profile.buckets import bucket, bucket_edges
    from stillwatch.intel.profile.checking import schema, validate
    from stillwatch.intel.profile.markings import Tlp, marking, tlp_of
    from stillwatch.intel.profile.names import DISTILLATION, extension_of
    from stillwatch.intel.profile.patterns import DigestPattern, TemplatePattern
    from stillwatch.intel.profile.seals import Seal, check_seal
    from stillwatch.intel.profile.times import moment, to_the_second, written
    from stillwatch.intel.profile.versions import new_version, revoked

__all__ = [
    "DISTILLATION",
    "TECHNIQUES",
    "Author",
    "Detector",
    "DigestPattern",
    "Seal",
    "TemplatePattern",
    "Tlp",
    "attack_pattern",
    "bucket",
    "bucket_edges",
    "bundle",
    "check_seal",
    "definition",
    "extension_of",
    "marking",
    "moment",
    "new_id",
    "new_version",
    "profile_identity",
    "revoked",
    "schema",
    "technique_id",
    "tlp_of",
    "to_the_second",
    "validate",
    "written",
]

_IN = {
    "atlas": ("TECHNIQUES", "attack_pattern", "technique_id"),
    "authoring": ("Author", "Detector", "bundle", "definition", "new_id", "profile_identity"),
    "buckets": ("bucket", "bucket_edges"),
    "checking": ("schema", "validate"),
    "markings": ("Tlp", "marking", "tlp_of"),
    "names": ("DISTILLATION", "extension_of"),
    "patterns": ("DigestPattern", "TemplatePattern"),
    "seals": ("Seal", "check_seal"),
    "times": ("moment", "to_the_second", "written"),
    "versions": ("new_version", "revoked"),
}
_AT = {name: module for module, names in _IN.items() for name in names}


def __getattr__(name: str) -> object:
    """Only what is asked for: whoever reads a pattern needs no JSON schema."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_AT[name]}"), name)
