"""Proofs that stand in files: an entry is under a head; a head goes on from an earlier one.

Who checks one needs the head and the public key, and nothing else of ours.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from stillwatch.errors import InputError, TamperedError
from stillwatch.ledger.canonical import canonical, parsed
from stillwatch.ledger.head import Head
from stillwatch.ledger.merkle import holds_consistency, holds_inclusion, leaf_hash

__all__ = ["ConsistencyProof", "InclusionProof", "parse_proof"]

_INCLUSION, _CONSISTENCY = "stillwatch.ledger.inclusion/1", "stillwatch.ledger.consistency/1"
#: a path has at most two hashes a height, and no tree is higher than 53
_LONGEST = 106


class _Proof(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    ledger: str
    size: int
    path: tuple[str, ...]

    def encoded(self) -> bytes:
        """The canonical bytes of a proof file."""
        return canonical(msgspec.to_builtins(self))

    def _hashes(self) -> list[bytes]:
        return [bytes.fromhex(each) for each in self.path]

    def _belongs_to(self, head: Head) -> None:
        if (self.ledger, self.size) != (head.ledger, head.size):
            raise InputError(
                f"the proof is for {self.size:,} entries of the ledger {self.ledger}, and the head "
                f"for {head.size:,} of {head.ledger}: they do not belong together"
            )


class InclusionProof(_Proof, frozen=True, kw_only=True):
    """That an entry is number `index` of the `size` that a head covers."""

    format: str = _INCLUSION
    index: int

    def check(self, entry: bytes, head: Head) -> None:
        """Hold the canonical bytes of an entry against a head whose signature was checked.

        Raises:
            TamperedError: this entry was not recorded there.
            InputError: the proof is for another head.
        """
        self._belongs_to(head)
        root = bytes.fromhex(head.root)
        if not holds_inclusion(leaf_hash(entry), self.index, self.size, self._hashes(), root):
            raise TamperedError(
                f"entry {self.index} of the ledger is not this one, or the proof was changed",
                index=self.index,
            )


class ConsistencyProof(_Proof, frozen=True, kw_only=True):
    """That the `size` entries of a head begin with the `old` ones of an earlier head."""

    format: str = _CONSISTENCY
    old: int

    def check(self, earlier: Head, head: Head) -> None:
        """Hold two heads, whose signatures were checked, against each other.

        Raises:
            TamperedError: what the earlier one covers was changed since.
            InputError: the proof is for other heads.
        """
        self._belongs_to(head)
        if (earlier.ledger, earlier.size) != (self.ledger, self.old):
            raise InputError(
                f"the proof goes from {self.old:,} entries of the ledger {self.ledger}, and the "
                f"earlier head has {earlier.size:,} of {earlier.ledger}"
            )
        roots = bytes.fromhex(earlier.root), bytes.fromhex(head.root)
        if not holds_consistency(self.old, roots[0], self.size, roots[1], self._hashes()):
            raise TamperedError(
                f"the ledger does not begin with the {self.old:,} entries of the earlier head any "
                "more, or the proof was changed"
            )


_KINDS: dict[str, type[InclusionProof | ConsistencyProof]] = {
    _INCLUSION: InclusionProof,
    _CONSISTENCY: ConsistencyProof,
}


def parse_proof(data: bytes, *, path: Path | None = None) -> InclusionProof | ConsistencyProof:
    """Read a proof.

    Raises:
        InputError: this is none.
    """
    try:
        fields = parsed(data)
        kind = _KINDS.get(str(fields.get("format"))) if isinstance(fields, dict) else None
        if kind is None:
            raise ValueError("its format is none that this version knows")  # noqa: TRY301
        proof = msgspec.convert(fields, kind, strict=True)
        _check_form(proof)
    except ValueError as error:  # msgspec's errors are some, too
        raise InputError(f"this is no proof of a ledger: {error}", path=path) from error
    return proof


def _check_form(proof: _Proof) -> None:
    if len(proof.path) > _LONGEST:
        raise ValueError("its path is longer than any tree is high")
    for each in proof.path:
        if not re.fullmatch("[0-9a-f]{64}", each):
            raise ValueError("its path holds something that is no hash")
