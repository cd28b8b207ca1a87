"""TRIAGE in a bundle: where somebody looked, and why. No evidence, and labelled so on each page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from stillwatch.errors import InputError
from stillwatch.provenance.bundle.contents import Place, Role, rounded
from stillwatch.provenance.bundle.kinds.kind import (
    Computed,
    Draft,
    Limits,
    Outside,
    check_transcripts,
    recorded_models,
)
from stillwatch.provenance.bundle.kinds.measured import (
    NOT_INSIDE,
    check_measured,
    models_of,
    records_of,
)
from stillwatch.provenance.bundle.limits import TRIAGE
from stillwatch.provenance.bundle.opened import Opened
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.measurements import Measurement, questions_digest
from stillwatch.provenance.questions import read_questions
from stillwatch.provenance.triage import LABEL, LEAST_CONTROLS, TriageReport, triage
from stillwatch.provenance.triage.report import recount

__all__ = ["TriageKind", "triage_part"]

_PROMPTS: Final = "prompts.jsonl"


def triage_part(
    teacher: Path,
    suspect: Path,
    controls: Sequence[Path],
    *,
    prompts: Path,
    with_transcripts: bool = False,
    plan: Measurement | None = None,
    commitment: Commitment | None = None,
) -> Draft:
    """A triage of one suspect among controls, to be sealed.

    Args:
        prompts: as :func:`.questions.read_questions` takes them; all models were asked these.
        with_transcripts: put prompts and answers into the bundle, so that anybody can rank again;
            never where prompts ask for harm.

        plan, commitment: what was fixed beforehand, and where that stands on a ledger.

    Raises:
        InputError: something that cannot be read.
    """
    paths: list[tuple[Role, Path]] = [("teacher", teacher), ("suspect", suspect)]
    models, records, files = recorded_models(
        [*paths, *(("control", each) for each in controls)], inside=with_transcripts
    )
    questions = read_questions(prompts)
    written = b"".join(
        msgspec.json.encode({"prompt": prompt, "expected": right}) + b"\n"
        for prompt, right in questions.items()
    )
    if with_transcripts:
        files[_PROMPTS] = written
    settings = {"set_sha256": questions_digest(questions)}
    return Draft(
        "triage", models, files, settings, registration=plan, commitment=commitment,
        outside=Outside.of(records, prompts),
    )  # fmt: skip


class TriageKind:
    """The protocol is :class:`.kind.Kind`."""

    name: Final = "triage"
    label: Final = LABEL
    limits: Final[Limits] = TRIAGE

    def needed(self, place: Place) -> set[str]:
        return {_PROMPTS} if any(each.file for each in place.part.models) else set()

    def plan(self, path: Path) -> Measurement:
        return Measurement.read(path)

    def check(self, place: Place) -> None:
        check_measured(place)
        check_transcripts(place)

    def computed(self, place: Place, opened: Opened | None, outside: Outside) -> Computed | None:
        records, inside = records_of(place, outside), self.needed(place)
        paths = (*(place.path(each) for each in inside), *outside.prompts)
        questions = _questions(place.part.settings.get("set_sha256"), paths)
        if records is None or questions is None:
            return None
        teacher, suspect, _, controls = models_of(place, records)
        right = {prompt: answer for prompt, answer in questions.items() if answer is not None}
        report = triage(list(questions), teacher, suspect, controls, expected=right or None)
        source = "the answers" if inside else NOT_INSIDE
        # ranks are those of what is told: what is equal to so many digits is a tie
        told = msgspec.convert(rounded(msgspec.to_builtins(report)), TriageReport, strict=True)
        return Computed(rounded(msgspec.to_builtins(recount(told))), source)

    def recounted(self, place: Place, value: Any) -> Computed | None:
        """Ranks and p-values from the similarities that are told."""
        report = msgspec.convert(value, TriageReport, strict=True)
        models = [
            next(each for each in place.part.models if each.role == "teacher"),
            next(each for each in place.part.models if each.role == "suspect"),
            *(each for each in place.part.models if each.role == "control"),
        ]
        told = zip(
            (report.teacher, report.suspect, *report.controls), report.transcripts, strict=True
        )
        if [(each.name, each.digest) for each in models] != list(told):
            raise ValueError("the report is about other records than those of the statement")
        if len(report.controls) < LEAST_CONTROLS:
            raise ValueError("there are fewer controls than triage needs to say anything")
        return Computed(rounded(msgspec.to_builtins(recount(report))), "the similarities told")

    def found(self, value: Any) -> int:
        """None: triage finds nothing."""
        return 0


def _questions(digest: object, paths: Sequence[Path]) -> dict[str, str | None] | None:
    for path in paths:
        try:
            found = read_questions(path)
        except InputError:
            continue
        if questions_digest(found) == digest:
            return found
    return None
