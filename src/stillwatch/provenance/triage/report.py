"""TRIAGE: is a suspect more like the teacher than unrelated models? Where to look, no evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from stillwatch.errors import TooFewControlsError
from stillwatch.provenance.refusals.phrases import says_no
from stillwatch.provenance.transcripts import Transcripts, digest_of
from stillwatch.provenance.triage.styles import closeness, style
from stillwatch.statistics import conformal_p_values, holm

__all__ = ["LABEL", "LEAST_CONTROLS", "Similarity", "TriageReport", "recount", "triage"]

Floats = npt.NDArray[np.float64]

#: stands on every report and every line of it
LABEL = "TRIAGE, not evidence"
LEAST_CONTROLS = 5
#: a kind of similarity is not counted over fewer prompts
LEAST_PROMPTS = 20
#: teacher's errors, or refusals, on fewer prompts show nothing
_LEAST_MARKED = 5


class Similarity(msgspec.Struct, frozen=True):
    """One kind of similarity to the teacher.

    Attributes:
        kind: ``style``, ``errors`` or ``refusals``.
        prompts: over how many it was counted.
        suspect, controls: similarity of the suspect, and of each control in its order; more is more
            alike. Style: minus Burrows's Delta. Errors: of the prompts on which the teacher errs,
            the share with the same wrong answer. Refusals: Cohen's kappa of refusing.
        rank: of the suspect among suspect and controls, 1 the most alike, ties to its favour.
        p: rank / (1 + controls): under the open-set null that the suspect is no descendant and was
            drawn as the controls were. It cannot be below 1 / (1 + controls).
        corrected_p: by Holm over the kinds.
    """

    label: str
    kind: str
    prompts: int
    suspect: float
    controls: tuple[float, ...]
    rank: int
    p: float
    corrected_p: float


class TriageReport(msgspec.Struct, frozen=True):
    """What triage says. No field of it names a culprit, and none is a verdict.

    Attributes:
        teacher, suspect, controls: names of models.
        transcripts: their digests, in that order.
        least_p: the smallest p that so many controls allow.
        left_out: kind → why it was not counted.
    """

    label: str
    teacher: str
    suspect: str
    controls: tuple[str, ...]
    transcripts: tuple[str, ...]
    prompts_sha256: str
    least_p: float
    similarities: tuple[Similarity, ...]
    left_out: dict[str, str]


def triage(
    prompts: Sequence[str],
    teacher: Transcripts,
    suspect: Transcripts,
    controls: Sequence[Transcripts],
    *,
    expected: Mapping[str, str] | None = None,
    language: str = "en",
) -> TriageReport:
    """Rank a suspect among unrelated controls by its similarity to the teacher, kind by kind.

    Null: the suspect is no descendant of the teacher and exchangeable with the controls. All rests
    on their choice: they must be no students of the teacher either, and match the suspect in age,
    size, language and purpose. Nothing here asks *which* of several teachers it was: a closed list
    always has a nearest, and would accuse whoever has none of his own on it.

    Args:
        prompts: answered by all models.
        expected: prompt → right answer, short; answers are compared by their last number or word.

    Raises:
        TooFewControlsError: fewer than five controls that differ from each other and from the
            teacher.
        TranscriptError: prompts that a model was not asked.
        ValueError: fewer than 20 prompts.
    """
    if len(prompts) < LEAST_PROMPTS:
        raise ValueError(f"{len(prompts)} prompts show nothing; {LEAST_PROMPTS} are the least")
    models = [teacher, suspect, *controls]
    answers = [model.to(prompts) for model in models]
    different = {tuple(each) for each in (answers[0], *answers[2:])}
    if len(controls) < LEAST_CONTROLS or len(different) < 1 + len(controls):
        raise TooFewControlsError(
            f"{len(different) - 1} different unrelated models; at least {LEAST_CONTROLS} are "
            "needed to say anything, each once, and the teacher is none of them"
        )
    kinds: dict[str, tuple[int, Floats]] = {}
    left_out: dict[str, str] = {}
    styles = np.array([style(each) for each in answers])
    kinds["style"] = len(prompts), closeness(styles[0], styles[1:])
    refused = np.array([[says_no(a, language) for a in each] for each in answers])
    if min(refused[0].sum(), (~refused[0]).sum()) < _LEAST_MARKED:
        left_out["refusals"] = f"the teacher refuses {refused[0].sum()} of {len(prompts)} prompts"
    else:
        kinds["refusals"] = len(prompts), np.array([_kappa(refused[0], r) for r in refused[1:]])
    if expected is None:
        left_out["errors"] = "no right answers were given"
    else:
        _count_errors(prompts, answers, expected, kinds, left_out)
    return TriageReport(
        label=LABEL,
        teacher=teacher.model,
        suspect=suspect.model,
        controls=tuple(model.model for model in controls),
        transcripts=tuple(model.digest for model in models),
        prompts_sha256=digest_of("\0".join(prompts)),
        least_p=1 / (1 + len(controls)),
        similarities=_ranked([(kind, of, scores) for kind, (of, scores) in kinds.items()]),
        left_out=left_out,
    )


def recount(report: TriageReport) -> TriageReport:
    """The same report, its label, ranks and p-values anew from the similarities that it tells.

    Raises:
        ValueError: similarities that are not to as many controls as there are.
    """
    told = [
        (each.kind, each.prompts, np.array([each.suspect, *each.controls]))
        for each in report.similarities
    ]
    if any(len(scores) != 1 + len(report.controls) for _, _, scores in told):
        raise ValueError("there is one similarity for each control")
    return msgspec.structs.replace(
        report, label=LABEL, least_p=1 / (1 + len(report.controls)), similarities=_ranked(told)
    )


def _ranked(kinds: Sequence[tuple[str, int, Floats]]) -> tuple[Similarity, ...]:
    """Of kinds, numbers of prompts and similarities, the suspect's first."""
    ranks = [1 + int((scores[1:] >= scores[0]).sum()) for _, _, scores in kinds]
    p = [float(conformal_p_values(scores[:1], scores[1:])[0]) for _, _, scores in kinds]
    return tuple(
        Similarity(
            LABEL, kind, of, float(scores[0]), tuple(scores[1:].tolist()), rank, each, corrected
        )
        for (kind, of, scores), rank, each, corrected in zip(
            kinds, ranks, p, holm(p).tolist(), strict=True
        )
    )


def _kappa(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    """Cohen's kappa (Educational and Psychological Measurement 20, 1960), of no spread 0."""
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return 0.0 if chance == 1 else float(((a == b).mean() - chance) / (1 - chance))


def _count_errors(
    prompts: Sequence[str],
    answers: Sequence[Sequence[str]],
    expected: Mapping[str, str],
    kinds: dict[str, tuple[int, Floats]],
    left_out: dict[str, str],
) -> None:
    given = [[final(answer) for answer in each] for each in answers]
    wrong = [
        i for i, prompt in enumerate(prompts)
        if prompt in expected and given[0][i] not in ("", final(expected[prompt]))
    ]  # fmt: skip
    if len(wrong) < _LEAST_MARKED:
        left_out["errors"] = f"the teacher errs on {len(wrong)} prompts"
        return
    same = [[each[i] == given[0][i] for i in wrong] for each in given[1:]]
    kinds["errors"] = len(wrong), np.mean(same, axis=1)


def final(answer: str) -> str:
    """What an answer comes to: its last number, or its last word where it has none."""
    numbers = re.findall(r"-?\d+(?:[.,]\d+)*", answer)
    if numbers:
        return str(numbers[-1]).replace(",", "")
    words = re.findall(r"[^\W_]+", answer.lower())
    return str(words[-1]) if words else ""
