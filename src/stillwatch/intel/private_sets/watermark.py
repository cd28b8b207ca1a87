"""Whose copy of a set is this? Each recipient's file holds other canaries among its digests.

There are 1,024 canaries a set, which nobody but its maker can tell from digests; each recipient's
file has a secret half of them. A file that somebody else holds shows which: of the canaries that
are in it, the leaker's half has more than chance gives. That holds against files that were cut,
joined or changed at random, and against several recipients who compare theirs (each is named),
as long as half of the canaries do not vanish for another reason. In the manner of fingerprinting
codes (Boneh and Shaw, IEEE Trans. Inf. Theory 44, 1998), without their bound for large coalitions.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stillwatch.statistics import holm_log10, hypergeometric_tail

if TYPE_CHECKING:
    from stillwatch.intel.private_sets.private_set import PrivateSet

__all__ = ["CANARIES", "Suspicion", "canaries", "find_leaker", "held_by"]

CANARIES: Final = 1_024


@dataclass(frozen=True)
class Suspicion:
    """How much a file speaks for one recipient.

    `shared` of the `present` canaries are the recipient's; `log10_p` is the logarithm of the
    p-value for "this recipient's file had no part in it", adjusted for their number (Holm).
    """

    recipient: str
    shared: int
    present: int
    log10_p: float


def canaries(secret: bytes, set_id: str) -> list[bytes]:
    """All canaries of a set, 16 bytes each."""
    return [_made(secret, "canary", set_id, str(number))[:16] for number in range(CANARIES)]


def held_by(secret: bytes, set_id: str, recipient: str) -> list[int]:
    """Which canaries the file of `recipient` holds: half of them, ascending."""
    ranked = sorted(
        range(CANARIES), key=lambda n: _made(secret, "holder", set_id, recipient, str(n))
    )
    return sorted(ranked[: CANARIES // 2])


def find_leaker(
    found: PrivateSet, secret: bytes, recipients: Sequence[str]
) -> tuple[Suspicion, ...]:
    """How much a file that was found speaks for each recipient, the strongest first.

    Args:
        secret: the maker's, that the set was built with.
    """
    there = np.flatnonzero(found.holds_bytes(canaries(secret, found.id)))
    present = frozenset(there.tolist())
    shared = [
        len(present.intersection(held_by(secret, found.id, recipient))) for recipient in recipients
    ]
    tails = hypergeometric_tail(shared, len(present), CANARIES // 2, CANARIES)
    made = [
        Suspicion(recipient, hits, len(present), float(log10))
        for recipient, hits, log10 in zip(recipients, shared, holm_log10(tails), strict=True)
    ]
    return tuple(sorted(made, key=lambda each: (each.log10_p, each.recipient)))


def _made(secret: bytes, *parts: str) -> bytes:
    message = b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
    return hmac.digest(secret, message, hashlib.sha256)
