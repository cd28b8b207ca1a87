"""The ledger: an append-only, signed record of decisions, whose every part can be proven.

In: entries (:class:`Entry`), which name nobody; who they are about stands there as a salted
commitment (:class:`Salts`). Out: signed heads (:class:`Head`) and proofs that need nothing of ours
to be checked. A ledger shows that nothing was changed since a head was given away, and not that
what was written is true. ``docs/ledger.md`` says what holds and what does not.
"""

from stillwatch.ledger.canonical import canonical, parsed
from stillwatch.ledger.checking import Checked
from stillwatch.ledger.commitments import commit, is_commitment, with_commitments
from stillwatch.ledger.entry import LARGEST_ENTRY, Entry
from stillwatch.ledger.head import Head
from stillwatch.ledger.kinds import KINDS
from stillwatch.ledger.ledger import Ledger
from stillwatch.ledger.proof import ConsistencyProof, InclusionProof, parse_proof
from stillwatch.ledger.salts import Salts, Somebody
from stillwatch.ledger.signing import SigningKey, is_signed, public_pem, read_public_key
from stillwatch.ledger.tree import merkle_root

__all__ = [
    "KINDS",
    "LARGEST_ENTRY",
    "Checked",
    "ConsistencyProof",
    "Entry",
    "Head",
    "InclusionProof",
    "Ledger",
    "Salts",
    "SigningKey",
    "Somebody",
    "canonical",
    "commit",
    "is_commitment",
    "is_signed",
    "merkle_root",
    "parse_proof",
    "parsed",
    "public_pem",
    "read_public_key",
    "with_commitments",
]
