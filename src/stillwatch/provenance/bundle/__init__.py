"""Evidence bundles: a folder that a third party can check, offline, without trusting who sealed it.

In: a registered plan, keys, probes, recorded transcripts, where the plan stands on a ledger. Out: a
signed in-toto statement over all of it, with results that were computed here, and a report whose
first page is for a lawyer. What it shows, and what not, is on docs/evidence.md.
"""

from stillwatch.provenance.bundle.sealing import Sealed, seal
from stillwatch.provenance.bundle.verifying import Verified, verify

__all__ = ["Sealed", "Verified", "seal", "verify"]
