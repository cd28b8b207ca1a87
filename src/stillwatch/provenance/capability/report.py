"""How much of its teacher's lead a suspect has made up, at which cost, stage by stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from stillwatch.errors import InputError
from stillwatch.provenance.capability.grading import Grade, grade
from stillwatch.provenance.capability.tasks import TaskSet
from stillwatch.provenance.transcripts import Transcripts, digest_of
from stillwatch.statistics import mcnemar_tail, recovered_share, share_interval

__all__ = [
    "LEVELS", "CapabilityReport", "Domain", "Reached", "Row", "Share", "Stage",
    "compare_capability", "recount",
]  # fmt: skip

Ints = npt.NDArray[np.int64]

#: shares of the lead whose cost is told
LEVELS = (0.5, 0.8, 0.95)
#: of fewer tasks nothing is said
LEAST_TASKS = 30
ALL = "all"


class Share(msgspec.Struct, frozen=True):
    """Tasks that a model has right. `none`: those it gives no answer to, which count as wrong.

    Attributes:
        right, none, of: numbers of tasks.
        interval: of the share that is right, exact, at 95 %.
    """

    right: int
    none: int
    of: int
    interval: tuple[float, float]


class Stage(msgspec.Struct, frozen=True):
    """A suspect on the tasks of one domain, beside teacher and base.

    Attributes:
        model: the suspect, or a version of it.
        share: what it has right.
        gained, lost: tasks that it has right and its base has not; the other way round.
        log10_p: that it is no better than its base (McNemar, exact, one-sided).
        ahead: tasks that the teacher has right and it has not.
        recovered: gain over the base, as a share of the teacher's lead; None without a lead.
        interval: of `recovered`, at 95 %; an end of -1 or 2 bounds nothing on that side.
    """

    model: str
    share: Share
    gained: int
    lost: int
    log10_p: float
    ahead: int
    recovered: float | None
    interval: tuple[float, float]


class Domain(msgspec.Struct, frozen=True):
    """The tasks of one domain, or all of them.

    Attributes:
        teacher, base: what these have right.
        lead_log10_p: that the teacher is no better than the base (McNemar, exact, one-sided).
        stages: each suspect, in the order given.
        abstained: why nothing is said of what was recovered, where nothing is.
    """

    name: str
    teacher: Share
    base: Share
    lead_log10_p: float
    stages: tuple[Stage, ...]
    abstained: str | None


class Reached(msgspec.Struct, frozen=True):
    """What it took to make up a share of the lead on all tasks.

    Attributes:
        level: the share.
        shown: the first stage whose whole interval lies at or above it: by then it was reached.
        possible: the first stage whose interval holds it or lies above: not before.
    """

    level: float
    shown: str | None
    possible: str | None


class Row(msgspec.Struct, frozen=True):
    """A task: digests and grades, no text. Grades in the order teacher, suspects, base."""

    prompt_sha256: str
    domain: str
    grades: tuple[Grade, ...]


class CapabilityReport(msgspec.Struct, frozen=True):
    """What was measured, as a vector; there is no score.

    Attributes:
        models, transcripts: names and digests, in the order teacher, suspects, base.
        set, set_sha256: the tasks.
        alpha: what counts as found.
        domains: all tasks first, then each domain.
        spent: for each suspect what it took to get there, by unit, as its caller says.
        reached: for each of :data:`LEVELS`, at which stage.
        found: a suspect is better than its base on all tasks, with a p-value of at most `alpha`
            divided by the number of suspects.
    """

    models: tuple[str, ...]
    transcripts: tuple[str, ...]
    set: str
    set_sha256: str
    alpha: float
    domains: tuple[Domain, ...]
    spent: tuple[dict[str, float], ...]
    reached: tuple[Reached, ...]
    found: bool
    rows: tuple[Row, ...]


def compare_capability(
    tasks: TaskSet,
    teacher: Transcripts,
    base: Transcripts,
    suspects: Sequence[Transcripts],
    *,
    spent: Sequence[Mapping[str, float]] = (),
    alpha: float = 0.001,
) -> CapabilityReport:
    """Compare what teacher, base and suspects have right of the same tasks.

    Args:
        suspects: one model, or versions of it in the order of what they took.
        spent: for each suspect what it took, by unit (``exchanges``, ``tokens``, ``usd``); none of
            any, or one of each.

    Raises:
        TranscriptError: a task was not asked.
        InputError: no suspect, or `spent` is not of as many.
    """
    if not suspects:
        raise InputError("there is no suspect to compare")
    if spent and len(spent) != len(suspects):
        raise InputError(f"{len(spent)} costs are given for {len(suspects)} suspects; one of each")
    records = (teacher, *suspects, base)
    answers = [each.to([task.prompt for task in tasks.tasks]) for each in records]
    rows = tuple(
        Row(
            digest_of(task.prompt),
            task.domain,
            tuple(grade(task.kind, task.expected, said) for said in given),
        )
        for task, given in zip(tasks.tasks, zip(*answers, strict=True), strict=True)
    )
    return _report(
        rows, models=tuple(each.model for each in records),
        transcripts=tuple(each.digest for each in records), name=tasks.name,
        set_sha256=tasks.digest, alpha=alpha, spent=tuple(dict(each) for each in spent),
    )  # fmt: skip


def recount(report: CapabilityReport) -> CapabilityReport:
    """The report again, from its rows alone."""
    return _report(
        report.rows, models=report.models, transcripts=report.transcripts, name=report.set,
        set_sha256=report.set_sha256, alpha=report.alpha, spent=report.spent,
    )  # fmt: skip


def _report(
    rows: tuple[Row, ...], *, models: tuple[str, ...], transcripts: tuple[str, ...], name: str,
    set_sha256: str, alpha: float, spent: tuple[dict[str, float], ...],
) -> CapabilityReport:  # fmt: skip
    suspects = models[1:-1]
    domains = [_domain(ALL, rows, suspects)]
    if len(names := list(dict.fromkeys(row.domain for row in rows))) > 1:
        domains += [_domain(name, [r for r in rows if r.domain == name], suspects)
                    for name in names]  # fmt: skip
    whole = domains[0]
    return CapabilityReport(
        models, transcripts, name, set_sha256, alpha, tuple(domains), spent,
        tuple(_reached(level, whole) for level in LEVELS),
        any(each.log10_p <= np.log10(alpha / len(suspects)) for each in whole.stages),
        rows,
    )  # fmt: skip


def _domain(name: str, rows: Sequence[Row], suspects: Sequence[str]) -> Domain:
    right = np.array([[each == "right" for each in row.grades] for row in rows]).T
    teacher, base = right[0].astype(np.int64), right[-1].astype(np.int64)
    lead = _log10_p(teacher, base)
    abstained = None
    if len(rows) < LEAST_TASKS:
        abstained = f"{len(rows)} tasks are too few, {LEAST_TASKS} are needed"
    elif lead > np.log10(0.025):
        abstained = "the teacher is not beyond doubt better than the base on these tasks"
    stages = []
    for number, model in enumerate(suspects, 1):
        suspect = right[number].astype(np.int64)
        made, of = int((suspect - base).sum()), int((teacher - base).sum())
        stages.append(
            Stage(
                model, _share(rows, number), int((suspect > base).sum()),
                int((suspect < base).sum()), _log10_p(suspect, base),
                int((teacher > suspect).sum()),
                None if abstained or not of else made / of,
                (-1.0, 2.0) if abstained else recovered_share(suspect - base, teacher - base),
            )
        )  # fmt: skip
    return Domain(name, _share(rows, 0), _share(rows, -1), lead, tuple(stages), abstained)


def _log10_p(one: Ints, other: Ints) -> float:
    return float(mcnemar_tail(int((one > other).sum()), int((one < other).sum())))


def _share(rows: Sequence[Row], number: int) -> Share:
    grades = Counter(row.grades[number] for row in rows)
    return Share(
        grades["right"], grades["none"], len(rows), share_interval(grades["right"], len(rows))
    )


def _reached(level: float, whole: Domain) -> Reached:
    def first(side: int) -> str | None:
        if whole.abstained:
            return None
        return next((e.model for e in whole.stages if e.interval[side] >= level), None)

    return Reached(level, first(0), first(1))
