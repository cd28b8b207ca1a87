"""Which of many marks a text carries: exact p-values, corrected, beside the rank among decoys.

A detection is evidence, not proof: a mark can be removed and it can be forged, and what it shows is
that this text was written under this key, by whatever way it came here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from stillwatch.statistics import holm_log10
from stillwatch.watermark.cores import over_all_cores
from stillwatch.watermark.layers import LayeredMark
from stillwatch.watermark.mark import Floats, Int64s, Mark, UInt64s
from stillwatch.watermark.refusing import Vocabulary, reason_to_abstain
from stillwatch.watermark.rows import NO_KEY
from stillwatch.watermark.windows import Once, contexts_of, counted

__all__ = ["DECOYS", "LEAST_SCORED", "Detection", "detect", "detect_many"]

DECOYS: Final = 1_000
#: windows below which nothing is said: the smallest p-value of a few would mean little
LEAST_SCORED: Final = 16

_DECOY_SEED = 0x5EED
#: windows whose contexts are made at a time, small enough that their memory is used again
_BLOCK = 1 << 15
_FEW_KEYS = 64


@dataclass(frozen=True, slots=True)
class Detection:
    """What one mark is to one text; where it abstains, there is no p-value.

    Attributes:
        mark: the mark; of a layered one, the layer.
        scored: windows that were scored, each context once.
        total: the sum of their scores.
        log10_p: of the exact test against the null that the key took no part in the text.
        corrected_log10_p: after Holm, over all marks and texts that were asked about together.
        decoy_rank: 1 where no decoy key scores as high on the same windows; at most `decoys` + 1.
            A p-value of its own, ``decoy_rank / (decoys + 1)``, that assumes no law.
        abstained: why nothing is said, if so.
    """

    mark: Mark
    scored: int = 0
    total: float | None = None
    log10_p: float | None = None
    corrected_log10_p: float | None = None
    decoy_rank: int | None = None
    decoys: int = 0
    abstained: str | None = None


def detect(
    tokens: Int64s,
    marks: Sequence[Mark | LayeredMark],
    *,
    decoys: int = DECOYS,
    once: Once = "context",
    prefix: bool = True,
    least: int = LEAST_SCORED,
    vocabulary: Vocabulary | None = None,
    tokenizer: str | None = None,
) -> list[Detection]:
    """One detection for each mark, in their order; of a layered mark two, global and cluster.

    Args:
        tokens: int64 [length], by the tokenizer that the marks were sampled with.
        marks: of any schemes and keys; those that differ in the key alone cost little more than
            one.
        decoys: random keys that are scored beside the marks' own, 0 for none.
        once, prefix: see :func:`.windows.counted`.
        least: fewer windows than that are not scored.
        vocabulary: of the model whose marks these are; tokens beyond it are a reason to abstain.
        tokenizer: the name of what made these tokens, compared with that of the vocabulary.

    Raises:
        ValueError: tokens that are no integers [length]; a number of decoys below 0.
    """
    return detect_many(
        [tokens], marks, decoys=decoys, once=once, prefix=prefix, least=least,
        vocabulary=vocabulary, tokenizer=tokenizer,
    )[0]  # fmt: skip


def detect_many(
    texts: Sequence[Int64s],
    marks: Sequence[Mark | LayeredMark],
    *,
    decoys: int = DECOYS,
    once: Once = "context",
    prefix: bool = True,
    least: int = LEAST_SCORED,
    vocabulary: Vocabulary | None = None,
    tokenizer: str | None = None,
) -> list[list[Detection]]:
    """The detections of each text, see :func:`detect`, corrected over marks and texts together."""
    if decoys < 0:
        raise ValueError("there cannot be fewer decoys than none")
    flat = [layer for mark in marks for layer in _layers(mark)]
    families: dict[Mark, list[int]] = {}
    for place, mark in enumerate(flat):
        families.setdefault(mark.with_key(NO_KEY), []).append(place)
    decoy_keys = np.random.default_rng(_DECOY_SEED).integers(0, 1 << 64, decoys, np.uint64)
    found: list[list[Detection]] = []
    for text in texts:
        tokens = np.asarray(text)
        reason = reason_to_abstain(tokens, vocabulary, tokenizer)
        said = [Detection(mark, abstained=reason) for mark in flat]
        if reason is None:
            for members in families.values():
                tested = _tested(
                    [flat[m] for m in members], tokens, decoy_keys, once, prefix, least
                )
                for place, detection in zip(members, tested, strict=True):
                    said[place] = detection
        found.append(said)
    return _corrected(found)


def _layers(mark: Mark | LayeredMark) -> Sequence[Mark]:
    return mark.layers if isinstance(mark, LayeredMark) else (mark,)


def _tested(
    marks: list[Mark], tokens: Int64s, decoys: UInt64s, once: Once, prefix: bool, least: int
) -> list[Detection]:
    """The detections of marks that differ in the key alone, before the correction."""
    one, own = marks[0], np.array([mark.key.value for mark in marks], np.uint64)
    keys = np.concatenate([own, decoys])
    positions = counted(tokens, one.context, once=once, prefix=prefix)

    def part(start: int) -> tuple[int, Floats]:
        some = positions[start : start + _BLOCK]
        contexts, targets = contexts_of(tokens, one.context, some), tokens[some]
        carried = one.carries(contexts)
        if not carried.all():
            contexts, targets = contexts[carried], targets[carried]
        return len(targets), one.totals(contexts, targets, keys)

    starts = range(0, len(positions), _BLOCK)
    # with few keys blocks go side by side; with many, the keys of one block do
    few = len(keys) <= _FEW_KEYS
    parts = over_all_cores(part, starts) if few else [part(start) for start in starts]
    scored = sum(size for size, _ in parts)
    totals: Floats = np.sum([total for _, total in parts], axis=0) if parts else np.zeros(len(keys))
    if scored < least:
        why = f"{scored} windows to score, at least {least} are needed"
        return [Detection(mark, scored, abstained=why) for mark in marks]
    log10_p = one.law.log10_p(totals[: len(own)], scored)
    others = np.sort(totals[len(own) :])
    ranks = 1 + len(others) - np.searchsorted(others, totals[: len(own)], side="left")
    return [
        Detection(
            mark, scored, float(total), float(p),
            decoy_rank=int(rank) if len(decoys) else None, decoys=len(decoys),
        )
        for mark, total, p, rank in zip(marks, totals, log10_p, ranks, strict=False)
    ]  # fmt: skip


def _corrected(found: list[list[Detection]]) -> list[list[Detection]]:
    """With Holm's correction over all that was tested; a mark that is given twice counts once."""
    tested: dict[tuple[int, Mark], float] = {}
    for i, row in enumerate(found):
        tested |= {(i, said.mark): said.log10_p for said in row if said.log10_p is not None}
    adjusted = dict(zip(tested, holm_log10(list(tested.values())), strict=True))
    return [
        [
            said if said.log10_p is None
            else replace(said, corrected_log10_p=float(adjusted[i, said.mark]))
            for said in row
        ]
        for i, row in enumerate(found)
    ]  # fmt: skip
