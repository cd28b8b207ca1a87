"""Evidence bundles: a folder that a third party can check, offline, without trusting who sealed it.

In: parts (keyed tests, radioactivity; triage and measurements, labelled as what they are), with
plans, keys, records and where a plan stands on a ledger. Out: a signed in-toto statement over all
of it, with results that were computed here, and a report whose first page is for a lawyer. What it
shows, and what not, is on docs/evidence.md.
"""

from stillwatch.provenance.bundle.dating import dated
from stillwatch.provenance.bundle.kinds import (
    EVIDENCE,
    Draft,
    Outside,
    capability_part,
    keyed_part,
    neutrality_part,
    radioactivity_part,
    refusals_part,
    triage_part,
)
from stillwatch.provenance.bundle.sealing import Sealed, seal
from stillwatch.provenance.bundle.verifying import Verified, VerifiedPart, verify

__all__ = [
    "EVIDENCE",
    "Draft",
    "Outside",
    "Sealed",
    "Verified",
    "VerifiedPart",
    "capability_part",
    "dated",
    "keyed_part",
    "neutrality_part",
    "radioactivity_part",
    "refusals_part",
    "seal",
    "triage_part",
    "verify",
]
