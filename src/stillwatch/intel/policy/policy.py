"""A sharing policy: what may leave, and what has to be there before anything does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from stillwatch.intel.profile.markings import Tlp
from stillwatch.ledger import canonical

__all__ = ["FIELDS", "Asks", "Minimum", "Needed", "Overlap", "Policy"]

#: what a policy may allow → what it is. Nothing else about a case ever leaves.
FIELDS: Final[Mapping[str, str]] = {
    "window": "when the campaign was seen first and last, to the hour",
    "accounts": "how many accounts, in a bucket",
    "exchanges": "how many exchanges, in a bucket",
    "tokens": "how many tokens, in a bucket",
    "extraction_family": "how training data was drawn, as an analyst named it",
    "capabilities": "what was aimed at, as an analyst named it",
    "parameters": "parameters of requests that most accounts shared",
    "linkage": "what linked the accounts, each with their number in a bucket",
    "response": "what was done to the accounts",
    "confidence": "whether people decided the case, as a number of STIX",
    "evidence_head": "the head of the ledger, which fixes when this was known",
    "facts": "a note of what was observed",
    "inference": "a note of what was scored: families, detections and base rates",
    "infrastructure": "that accounts were behind shared access, without saying where",
    "payment": "keyed digests of payment instruments",
    "device": "keyed digests of devices",
    "toolset": "keyed digests of sets of offered functions",
    "system": "keyed digests of system prompts",
    "template": "cells of wordings that at least k accounts sent, under the community's key",
}

#: `upheld`: people decided that the terms were broken; `none`: no case has to be decided
Needed = Literal["upheld", "none"]
#: what a question of an overlap may be: which of the asker's identifiers are held, or how many
Asks = Literal["which", "how-many"]


class Minimum(msgspec.Struct, frozen=True, kw_only=True):
    """What there must be before anything leaves.

    Attributes:
        families: independent families of evidence.
        level: the largest error rate at which the campaign was reported; None for any.
        verdict: what people must have decided.
        measured: whether a rate of false positives must have been measured.
        false_positives: the largest share of accounts outside the case that an indicator may match,
            by the upper end of its interval; one that matches more is dropped.
    """

    families: int = 2
    level: float | None = 0.05
    verdict: Needed = "upheld"
    measured: bool = False
    false_positives: float = 0.01


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """Which questions of an overlap are answered (`docs/intel-overlap.md`).

    Attributes:
        asks: what may be asked.
        most: identifiers in one question, those that fill it up included.
        times: the same, as a multiple of what the answer is made of, filled up likewise.
        questions: answered to one member within `days` days.
        purposes: that a question may give; empty for that of the policy alone.
    """

    asks: tuple[Asks, ...]
    most: int = 4_096
    times: int = 64
    questions: int = 4
    days: int = 30
    purposes: tuple[str, ...] = ()


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of `docs/intel-sharing.md` says.

    Attributes:
        name: what the ledger calls it.
        fields: names out of :data:`FIELDS` that may leave.
        recipients: names of those it goes to, as the ledger records them.
        valid_days: an indicator ends so many days after it left.
        retention_days: a recipient deletes what it received so many days after it left.
        k: accounts that must have sent a cell before it leaves.
        sharers: accounts of the case that must share a value before its digest leaves; of tool
            sets and system prompts `k`, if that is more.
        decades: field → how many powers of ten one bucket spans; 1 where it is not named.
        responses: kinds of measures that may be told.
        overlap: which questions of an overlap are answered; None where none is.
    """

    name: str
    tlp: Tlp
    recipients: tuple[str, ...]
    purpose: str
    legal_basis: str
    fields: frozenset[str]
    valid_days: int
    retention_days: int
    k: int = 5
    sharers: int = 2
    decades: dict[str, int] = msgspec.field(default_factory=dict)
    responses: tuple[str, ...] = ()
    minimum: Minimum = Minimum()
    overlap: Overlap | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, 64 hexadecimal digits; blanks and comments do not count."""
        said = msgspec.to_builtins(self)
        said["fields"] = sorted(self.fields)
        if self.overlap is None:
            del said["overlap"]
        return hashlib.sha256(canonical(said)).hexdigest()
