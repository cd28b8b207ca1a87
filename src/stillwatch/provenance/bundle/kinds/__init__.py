"""Kinds of parts: what each puts into a bundle, computes from it, and says that it does not show.

In: recorded answers, and plans and keys where a kind has them. Out: a :class:`Draft` to be sealed,
and results that come out again of what was sealed. Keyed tests and radioactivity are evidence;
triage, refusals, neutrality and capability are not, and carry a label that says so. A new kind is a
file here, a line in :data:`KINDS`, limits, and a template of its name.
"""

from typing import Final

from stillwatch.provenance.bundle.kinds.capability import CapabilityKind, capability_part
from stillwatch.provenance.bundle.kinds.keyed import KeyedKind, keyed_part
from stillwatch.provenance.bundle.kinds.kind import EVIDENCE, Computed, Draft, Kind, Outside
from stillwatch.provenance.bundle.kinds.neutrality import NeutralityKind, neutrality_part
from stillwatch.provenance.bundle.kinds.radioactivity import RadioactivityKind, radioactivity_part
from stillwatch.provenance.bundle.kinds.refusals import RefusalsKind, refusals_part
from stillwatch.provenance.bundle.kinds.triage import TriageKind, triage_part

__all__ = [
    "EVIDENCE",
    "KINDS",
    "Computed",
    "Draft",
    "Kind",
    "Outside",
    "capability_part",
    "keyed_part",
    "neutrality_part",
    "radioactivity_part",
    "refusals_part",
    "triage_part",
]

#: name → kind, in the order in which a report has them
KINDS: Final[dict[str, Kind]] = {
    each.name: each
    for each in (
        KeyedKind(), RadioactivityKind(), RefusalsKind(), NeutralityKind(), CapabilityKind(),
        TriageKind(),
    )
}  # fmt: skip
