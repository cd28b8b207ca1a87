"""The key's say: for each distinct context, which of its equally good options is taken.

HMAC-SHA-256 (RFC 2104) of kind and context under the key of a cluster, modulo the number of
options: the same context is answered alike each time, and of distinct contexts the answers are
independent draws to whoever lacks the key.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from stillwatch.watermark.keys import KeyRing, MarkKey

__all__ = ["SCHEME", "KeyedMark"]

#: what keys of keyed choices are derived for (:meth:`stillwatch.watermark.KeyRing.key`)
SCHEME: Final = "keyed-choice"
_VERSION: Final = b"stillwatch-keyed-choice-v1"

Option = TypeVar("Option")


@dataclass(frozen=True, slots=True)
class KeyedMark:
    """Keyed choices under one key; immutable and hashable.

    Attributes:
        key: of a cluster in an epoch.
        reader: the name of the reader that finds the choices, which a plan commits to.
    """

    key: MarkKey
    reader: str

    @classmethod
    def of(cls, ring: KeyRing, cluster: str, reader: str) -> KeyedMark:
        """The mark of a cluster; raises ValueError where the cluster has no name that is one."""
        return cls(ring.key(cluster, SCHEME), reader)

    @property
    def scheme(self) -> str:
        """Keyed choices have one."""
        return SCHEME

    def favourite(self, kind: str, context: str, options: int) -> int:
        """Which option the key takes, from 0; raises ValueError where there is no choice."""
        if options < 2:
            raise ValueError("a choice has at least two options")
        message = b"".join(
            len(part).to_bytes(4, "big") + part
            for part in (_VERSION, kind.encode("utf-8", "surrogatepass"),
                         context.encode("utf-8", "surrogatepass"))
        )  # fmt: skip
        drawn = hmac.digest(self.key.value.to_bytes(8, "big"), message, hashlib.sha256)
        return int.from_bytes(drawn, "big") % options

    def pick(self, kind: str, context: str, options: Sequence[Option]) -> Option:
        """The option that the key takes: for choices that a provider's own program makes, such as
        which of two derivations that were checked to be equivalent is shown.

        Whoever calls this answers for it that the options are equally good, right and safe.
        """
        return options[self.favourite(kind, context, len(options))]
