"""Looking for bias lists: their law is that of random signs, given the words of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stillwatch.statistics import holm_log10, sign_tail
from stillwatch.watermark.bias_list import BiasListMark
from stillwatch.watermark.detecting import DECOYS, LEAST_SCORED
from stillwatch.watermark.mark import Int64s
from stillwatch.watermark.refusing import Vocabulary, reason_to_abstain
from stillwatch.watermark.rows import NO_KEY

__all__ = ["BiasDetection", "detect_biased"]

_DECOY_SEED = 0x5EED


@dataclass(frozen=True, slots=True)
class BiasDetection:
    """What one bias list is to one text; where it abstains, there is no p-value.

    Attributes:
        mark: the list under its key.
        scored: tokens of the text that are on the list, repeated ones included.
        kinds: different tokens of the list that took part, also by their absence where the usual
            number is known. No p-value is below 2^-kinds.
        total: the sum of signs and weights.
        log10_p, corrected_log10_p, decoy_rank, decoys, abstained: as for
            :class:`.detecting.Detection`.
    """

    mark: BiasListMark
    scored: int = 0
    kinds: int = 0
    total: float | None = None
    log10_p: float | None = None
    corrected_log10_p: float | None = None
    decoy_rank: int | None = None
    decoys: int = 0
    abstained: str | None = None


def detect_biased(
    texts: Sequence[Int64s],
    marks: Sequence[BiasListMark],
    *,
    decoys: int = DECOYS,
    least: int = LEAST_SCORED,
    vocabulary: Vocabulary | None = None,
) -> list[list[BiasDetection]]:
    """The detections of each list in each text, corrected (Holm) over all of them together.

    Join what one cluster was sent into one text: replies add up, since signs stay the same.

    Args:
        texts: int64 [length] each, of the tokenizer that the list is for.
        decoys: random keys whose signs are tried beside, 0 for none.
        least: fewer different tokens of the list in a text than that say nothing.
        vocabulary: of the model; tokens beyond it are a reason to abstain.

    Raises:
        ValueError: tokens that are no integers [length]; a number of decoys below 0.
    """
    if decoys < 0:
        raise ValueError("there cannot be fewer decoys than none")
    keys = np.random.default_rng(_DECOY_SEED).integers(0, 1 << 64, decoys, np.uint64)
    lists: dict[BiasListMark, list[int]] = {}
    for place, mark in enumerate(marks):
        lists.setdefault(mark.with_key(NO_KEY), []).append(place)
    found = [[BiasDetection(mark) for mark in marks] for _ in texts]
    for members in lists.values():
        some = [marks[place] for place in members]
        own = np.array([mark.key.value for mark in some], np.uint64)
        signs = some[0].signs(np.concatenate([own, keys]))
        for row, text in zip(found, texts, strict=True):
            said = _tested(some, signs, np.asarray(text), least, vocabulary)
            for place, detection in zip(members, said, strict=True):
                row[place] = detection
    return _corrected(found)


def _tested(
    marks: list[BiasListMark], signs: Int64s, tokens: Int64s, least: int,
    vocabulary: Vocabulary | None,
) -> list[BiasDetection]:  # fmt: skip
    """The detections of marks that differ in the key alone, before the correction.

    Args:
        signs: int64 [marks and decoys, tokens of the list].
    """
    reason = reason_to_abstain(tokens, vocabulary, None)
    if reason is not None:
        return [BiasDetection(mark, abstained=reason) for mark in marks]
    counts = marks[0].counts(tokens)
    weights = marks[0].weights(counts)
    scored, kinds = int(counts.sum()), int(((counts > 0) & (weights != 0)).sum())
    if kinds < least:
        why = f"{kinds} different tokens of the list, at least {least} are needed"
        return [BiasDetection(mark, scored, kinds, abstained=why) for mark in marks]
    totals = signs @ weights
    own, others = totals[: len(marks)], np.sort(totals[len(marks) :])
    log10_p = sign_tail(own, weights)
    ranks = 1 + len(others) - np.searchsorted(others, own, side="left")
    return [
        BiasDetection(
            mark, scored, int((weights != 0).sum()), float(total), float(p),
            decoy_rank=int(rank) if len(others) else None, decoys=len(others),
        )
        for mark, total, p, rank in zip(marks, own, log10_p, ranks, strict=True)
    ]  # fmt: skip


def _corrected(found: list[list[BiasDetection]]) -> list[list[BiasDetection]]:
    """With Holm's correction over all that was tested; a mark that is given twice counts once."""
    tested: dict[tuple[int, BiasListMark], float] = {}
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
