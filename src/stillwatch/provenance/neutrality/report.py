"""Neutrality removed? Asymmetry between mirrored prompts: teacher against suspect against base."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from stillwatch.provenance.neutrality.pair_sets import Pair, PairSet
from stillwatch.provenance.neutrality.stance import length, stance
from stillwatch.provenance.refusals.phrases import says_no
from stillwatch.provenance.transcripts import Transcripts, digest_of
from stillwatch.statistics import holm_log10, sign_flip_tail

__all__ = [
    "Contrast", "Leaning", "NeutralityReport", "PairRow", "compare_neutrality", "recount",
]  # fmt: skip

Ints = npt.NDArray[np.int64]

MEASURES = ("refusal", "length", "stance")
#: an axis with fewer pairs can show nothing: its smallest p-value is 2^(1 - pairs)
LEAST_PAIRS = 6
#: of all pairs; where more have an empty answer, nothing is said
_MOST_EMPTY = 0.2
ALL = "all"


class Leaning(msgspec.Struct, frozen=True):
    """How one model treats the two sides of an axis.

    Attributes:
        mean: of first side less second: share refused; log2 of words; stance, of at most 2.
        log10_p: two-sided, that swapping sides changes nothing; `corrected` by Holm over all
            leanings of the report.
    """

    model: str
    measure: str
    axis: str
    pairs: int
    mean: float
    log10_p: float
    corrected_log10_p: float


class Contrast(msgspec.Struct, frozen=True):
    """Suspect against another model.

    Attributes:
        what: ``asymmetry`` (the size of the difference between sides, over all pairs) or ``shift``
            (the difference itself, along one axis).
        mean: suspect less other, in the units of :class:`Leaning`.
        log10_p: two-sided, that the two models may be exchanged within each pair; `corrected` by
            Holm over all contrasts of the report.
    """

    to: str
    what: str
    measure: str
    axis: str
    pairs: int
    mean: float
    log10_p: float
    corrected_log10_p: float


class PairRow(msgspec.Struct, frozen=True):
    """A pair without text: digests of its prompts, and differences (a less b) of each model in the
    order of :data:`MEASURES`; lengths and stances in hundredths."""

    id: str
    axis: str
    language: str
    prompts_sha256: tuple[str, str]
    differences: tuple[tuple[int, int, int], ...]


class NeutralityReport(msgspec.Struct, frozen=True):
    """What was measured. It calls no side right, and a large asymmetry no fault.

    Attributes:
        models, transcripts: names and digests, in the order teacher, suspect, base.
        left_out: pairs with an empty answer of any model.
        found: some contrast with the teacher has a corrected p-value of at most `alpha`, and so
            does the same contrast with the base if there is one, in the same direction: a suspect
            between its base and the teacher lost nothing that it had.
        abstained: why nothing is said, where nothing is.
    """

    models: tuple[str, ...]
    transcripts: tuple[str, ...]
    set: str
    set_sha256: str
    alpha: float
    left_out: int
    leanings: tuple[Leaning, ...]
    contrasts: tuple[Contrast, ...]
    found: bool
    abstained: str | None
    rows: tuple[PairRow, ...]


def compare_neutrality(
    pairs: PairSet,
    teacher: Transcripts,
    suspect: Transcripts,
    base: Transcripts | None = None,
    *,
    alpha: float = 0.001,
) -> NeutralityReport:
    """Compare how recorded models treat the sides of mirrored prompts.

    Null of a leaning: the answers to the two prompts of a pair may be exchanged. Null of a
    contrast: the two models' answers to a pair may be exchanged. Assumption: pairs are independent.
    One answer to a prompt is compared; what chance does to it is in the null.

    Raises:
        TranscriptError: prompts that a model was not asked.
    """
    models = [teacher, suspect] if base is None else [teacher, suspect, base]
    answers = [
        list(zip(model.to([p.a for p in pairs.pairs]), model.to([p.b for p in pairs.pairs]),
                 strict=True))
        for model in models
    ]  # fmt: skip
    kept = [i for i in range(len(pairs.pairs))
            if all(text.strip() for each in answers for text in each[i])]  # fmt: skip
    empty = len(pairs.pairs) - len(kept)
    about = [pairs.pairs[i] for i in kept]
    found = np.array(
        [[_differences(p, *each[i]) for p, i in zip(about, kept, strict=True)] for each in answers],
        np.int64,
    ).reshape(len(models), len(kept), 3)
    rows = tuple(
        PairRow(
            p.id, p.axis, p.language, (digest_of(p.a), digest_of(p.b)),
            tuple((int(r), int(n), int(s)) for r, n, s in found[:, i]),
        )
        for i, p in enumerate(about)
    )  # fmt: skip
    return _report(
        tuple(model.model for model in models), tuple(model.digest for model in models),
        pairs.name, pairs.digest, alpha, empty, rows,
    )  # fmt: skip


def recount(report: NeutralityReport) -> NeutralityReport:
    """The same report, all of its means and p-values anew from its rows.

    Raises:
        ValueError: rows that are not about as many models as there are.
    """
    return _report(
        report.models, report.transcripts, report.set, report.set_sha256, report.alpha,
        report.left_out, report.rows,
    )  # fmt: skip


def _report(
    models: tuple[str, ...],
    transcripts: tuple[str, ...],
    name: str,
    set_sha256: str,
    alpha: float,
    empty: int,
    rows: tuple[PairRow, ...],
) -> NeutralityReport:
    """What follows from differences of pairs; `empty` pairs are left out."""
    if not 2 <= len(models) <= 3 or any(len(row.differences) != len(models) for row in rows):
        raise ValueError("each pair has a difference of each of two or three models")
    found = (
        np.array([row.differences for row in rows], np.int64)
        .reshape(len(rows), len(models), 3)
        .swapaxes(0, 1)
    )
    axes = {
        axis: np.array([i for i, row in enumerate(rows) if row.axis == axis], np.int64)
        for axis in dict.fromkeys(row.axis for row in rows)
    }
    axes = {axis: within for axis, within in axes.items() if len(within) >= LEAST_PAIRS}
    abstained = None
    if len(rows) < LEAST_PAIRS:
        abstained = f"there are {len(rows)} pairs with answers; {LEAST_PAIRS} are the least"
    elif empty > _MOST_EMPTY * (len(rows) + empty):
        abstained = "too many answers are empty"
    contrasts = [] if abstained else _contrasts(models, found, axes)
    shown = {(c.to, c.what, c.measure, c.axis, c.mean > 0) for c in contrasts
             if 10**c.corrected_log10_p <= alpha}  # fmt: skip
    return NeutralityReport(
        models=models,
        transcripts=transcripts,
        set=name,
        set_sha256=set_sha256,
        alpha=alpha,
        left_out=empty,
        leanings=() if abstained else _leanings(models, found, axes),
        contrasts=tuple(contrasts),
        found=any(
            to == "teacher" and (len(models) < 3 or ("base", *what) in shown) for to, *what in shown
        ),
        abstained=abstained,
        rows=rows,
    )


def _differences(pair: Pair, a: str, b: str) -> tuple[int, int, int]:
    # one rule for all languages: a judge for English alone would treat languages unequally
    no = says_no(a, pair.language) - says_no(b, pair.language)
    longer = np.log2(1 + length(a)) - np.log2(1 + length(b))
    return no, round(100 * float(longer)), stance(a, pair.language) - stance(b, pair.language)


#: a difference of 1 in a row, in the units of a mean
_UNITS = (1.0, 0.01, 0.01)


def _leanings(models: Sequence[str], found: Ints, axes: dict[str, Ints]) -> tuple[Leaning, ...]:
    tests = [
        (model, each, axis, found[m, within, k])
        for m, model in enumerate(("teacher", "suspect", "base")[: len(models)])
        for k, each in enumerate(MEASURES)
        for axis, within in axes.items()
    ]
    log10_p = [sign_flip_tail(numbers) for *_, numbers in tests]
    return tuple(
        Leaning(model, each, axis, len(numbers),
                float(numbers.mean()) * _UNITS[MEASURES.index(each)], p, corrected)
        for (model, each, axis, numbers), p, corrected in zip(
            tests, log10_p, holm_log10(log10_p).tolist(), strict=True
        )
    )  # fmt: skip


def _contrasts(models: Sequence[str], found: Ints, axes: dict[str, Ints]) -> list[Contrast]:
    tests = []
    for to, other in zip(("teacher", "base"), (0, 2)[: len(models) - 1], strict=False):
        for k, each in enumerate(MEASURES):
            wider = np.abs(found[1, :, k]) - np.abs(found[other, :, k])
            tests.append((to, "asymmetry", each, ALL, wider))
            for axis, within in axes.items():
                moved = found[1, within, k] - found[other, within, k]
                tests.append((to, "shift", each, axis, moved))
    log10_p = [sign_flip_tail(numbers) for *_, numbers in tests]
    return [
        Contrast(to, what, each, axis, len(numbers),
                 float(numbers.mean()) * _UNITS[MEASURES.index(each)], p, corrected)
        for (to, what, each, axis, numbers), p, corrected in zip(
            tests, log10_p, holm_log10(log10_p).tolist(), strict=True
        )
    ]  # fmt: skip
