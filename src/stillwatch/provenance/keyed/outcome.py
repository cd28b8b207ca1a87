"""What a keyed test says of one model and one key, and the correction over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from stillwatch.statistics import holm_log10
from stillwatch.watermark.choices import KeyedMark

__all__ = ["KeyedOutcome", "Role", "corrected"]

#: a control is a model that is known not to have learnt from the teacher
Role: TypeAlias = Literal["suspect", "control"]


@dataclass(frozen=True, slots=True)
class KeyedOutcome:
    """What one key is to one model; where it abstains there is no p-value.

    Attributes:
        model: its name in the transcripts.
        role: suspect or control.
        mark: the mark.
        registration: the digest of the plan.
        answers, sightings: that were read, and choices in them.
        contexts: distinct ones that counted.
        hits: of them, those in which the key's option was taken most often.
        expected: hits under the null, on average.
        seconds, seconds_of: where it was not, and a second place can be told: how often it was
            second, and of how many (keyed-rank).
        log10_p: of the null that this key took no part in anything that the model learnt: exact at
            one look; at any number of looks 1 / e-value, by Ville's inequality.
        log10_e: the e-value now, where the plan allows any number of looks.
        corrected_log10_p: after Holm, over keys and as many suspects as the plan allows.
        decoy_rank: 1 where none of `decoys` random keys is followed as closely.
        found: whether `corrected_log10_p` is at most the plan's alpha.
        abstained: why nothing is said, if so.
    """

    model: str
    role: Role
    mark: KeyedMark
    registration: str
    answers: int = 0
    sightings: int = 0
    contexts: int = 0
    hits: int | None = None
    expected: float | None = None
    seconds: int | None = None
    seconds_of: int | None = None
    log10_p: float | None = None
    log10_e: float | None = None
    corrected_log10_p: float | None = None
    decoy_rank: int | None = None
    decoys: int = 0
    found: bool = False
    abstained: str | None = None

    def said(self) -> dict[str, Any]:
        """The outcome as JSON has it; keys by epoch and cluster."""
        return {
            "model": self.model,
            "role": self.role,
            "epoch": self.mark.key.epoch,
            "cluster": self.mark.key.cluster,
            "answers": self.answers,
            "sightings": self.sightings,
            "contexts": self.contexts,
            "hits": self.hits,
            "expected": _round(self.expected),
            "seconds": self.seconds,
            "seconds_of": self.seconds_of,
            "log10_p": _round(self.log10_p),
            "log10_e": _round(self.log10_e),
            "corrected_log10_p": _round(self.corrected_log10_p),
            "decoy_rank": self.decoy_rank,
            "decoys": self.decoys,
            "found": self.found,
            "abstained": self.abstained,
            "registration": self.registration,
        }


def corrected(
    outcomes: Sequence[KeyedOutcome], alpha: float, family: int
) -> tuple[KeyedOutcome, ...]:
    """With Holm's correction over `family` tests, of which those not made count as 1."""
    tested = [i for i, each in enumerate(outcomes) if each.log10_p is not None]
    known = [outcomes[i].log10_p or 0.0 for i in tested]
    adjusted = holm_log10([*known, *[0.0] * max(0, family - len(known))])
    out = list(outcomes)
    for i, p in zip(tested, adjusted[: len(tested)], strict=True):
        out[i] = replace(out[i], corrected_log10_p=float(p), found=bool(p <= np.log10(alpha)))
    return tuple(out)


def _round(value: float | None) -> float | None:
    """To six digits after the point, so that two machines print the same; and no minus zero."""
    return None if value is None else round(value, 6) + 0.0
