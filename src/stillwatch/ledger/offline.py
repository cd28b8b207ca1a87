"""Checks without a ledger: a public key, a head, and a proof are all that a third party needs."""

from __future__ import annotations

from pathlib import Path

from stillwatch.errors import InputError
from stillwatch.ledger.files import read_entry, read_head, read_small
from stillwatch.ledger.head import Head
from stillwatch.ledger.proof import ConsistencyProof, InclusionProof, parse_proof

__all__ = ["check_entry", "check_growth"]


def check_entry(proof: Path, entry: Path, head: Head, key: str) -> int:
    """That the entry in a file stands under `head`; gives its number.

    Raises:
        TamperedError: it does not, or `head` was not signed with `key`.
        InputError: a file cannot be read, or they do not belong together.
    """
    head.check(key)
    found = parse_proof(read_small(proof), path=proof)
    if not isinstance(found, InclusionProof):
        raise InputError("is a proof about two heads, and none of an entry", path=proof)
    found.check(read_entry(entry), head)
    return found.index


def check_growth(proof: Path, earlier: Path, head: Head, key: str) -> Head:
    """That `head` goes on from the earlier head in a file, which is given back.

    Raises:
        TamperedError: it does not, or one of them was not signed with `key`.
        InputError: a file cannot be read, or they do not belong together.
    """
    head.check(key)
    before = read_head(earlier)
    before.check(key)
    found = parse_proof(read_small(proof), path=proof)
    if not isinstance(found, ConsistencyProof):
        raise InputError("is a proof about an entry, and none about two heads", path=proof)
    found.check(before, head)
    return before
