"""What the kinds share that measure without a plan or a key: safety, neutrality, triage.

Their records may hold harmful text. They stay outside, unless they are asked into the bundle where
that cannot be; whoever holds them gives them to whoever verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec

from stillwatch.errors import InputError, PlanError, TamperedError, TranscriptError
from stillwatch.provenance.bundle.contents import PLAN, Model, Place, Role, rounded
from stillwatch.provenance.bundle.kinds.kind import Computed, Outside, check_transcripts
from stillwatch.provenance.measurements import Measurement
from stillwatch.provenance.transcripts import Transcripts

__all__ = [
    "NOT_INSIDE",
    "check_measured",
    "compared",
    "found_set",
    "models_of",
    "records_of",
    "recounted",
]

Set = TypeVar("Set")

#: where results come from that only those can compute again who hold the records
NOT_INSIDE: Final = "the answers, which are not in the bundle"


def check_measured(place: Place) -> None:
    """That what was measured is what a plan fixed beforehand, where there is one.

    Raises:
        TamperedError: it is something else.
    """
    if place.part.registration is None:
        return
    settings = place.part.settings
    try:
        Measurement.read(place.path(PLAN)).check(
            place.part.kind, settings.get("set_sha256"), settings.get("alpha"),
            [each.name for each in place.part.models if each.role == "control"],
            base=next((each.name for each in place.part.models if each.role == "base"), ""),
            labelled=bool(settings.get("labelled")),
        )  # fmt: skip
    except PlanError as error:
        raise TamperedError(str(error), path=place.path(PLAN)) from error


def compared(
    suspect: Transcripts,
    controls: Sequence[Transcripts],
    compare: Callable[[Transcripts], object],
    source: str = NOT_INSIDE,
) -> Computed:
    """A report on the suspect, and one on each control, as :func:`recounted` reads them."""
    value = {"suspect": compare(suspect), "controls": [compare(each) for each in controls]}
    return Computed(rounded(msgspec.to_builtins(value)), source)


def check_models(
    place: Place, reports: Sequence[tuple[Sequence[str], Sequence[str], str, float]]
) -> None:
    """That reports are about the models, prompts and error rate that the statement names.

    Args:
        reports: names of models, digests of their records, digest of the set, α: of the suspect's
            report, and then of each control's.

    Raises:
        ValueError: they are about others.
    """

    def those(role: Role) -> list[Model]:
        return [each for each in place.part.models if each.role == role]

    settings, beside = place.part.settings, those("base")
    compared = [*those("suspect"), *those("control")]
    if len(those("teacher")) != 1 or len(those("suspect")) != 1 or len(reports) != len(compared):
        raise ValueError("there is not one report for the suspect and for each control")
    for model, (names, digests, set_sha256, alpha) in zip(compared, reports, strict=True):
        here = [*those("teacher"), model, *beside]
        told = [(each.name, each.digest) for each in here], settings.get("set_sha256")
        if told != (list(zip(names, digests, strict=True)), set_sha256):
            raise ValueError(f"the report on {model.name} is about other records or prompts")
        if alpha != settings.get("alpha"):
            raise ValueError(f"the report on {model.name} has another error rate")


class Report(Protocol):
    """What reports on one suspect say of what they are about."""

    @property
    def models(self) -> tuple[str, ...]: ...

    @property
    def transcripts(self) -> tuple[str, ...]: ...

    @property
    def set_sha256(self) -> str: ...

    @property
    def alpha(self) -> float: ...


Told = TypeVar("Told", bound=Report)


def recounted(
    place: Place, value: Any, kind: type[Told], again: Callable[[Told], Told], source: str
) -> Computed:
    """Reports on suspect and controls, anew from what they tell themselves.

    Raises:
        ValueError: they are no such reports, or about others than the statement names.
    """
    told = msgspec.convert(value, dict[str, Any], strict=True)
    if told.keys() != {"suspect", "controls"}:
        raise ValueError("there is a report on the suspect, and one on each control")
    suspect = msgspec.convert(told["suspect"], kind, strict=True)
    controls = msgspec.convert(told["controls"], list[kind], strict=True)  # type: ignore[valid-type]
    check_models(
        place,
        [(each.models, each.transcripts, each.set_sha256, each.alpha)
         for each in (suspect, *controls)],
    )  # fmt: skip
    anew = {"suspect": again(suspect), "controls": [again(each) for each in controls]}
    return Computed(rounded(msgspec.to_builtins(anew)), source)


def records_of(place: Place, outside: Outside) -> dict[str, Transcripts] | None:
    """The records of all models by name, from the bundle or else from outside; None where one is
    missing.

    Raises:
        TamperedError: the statement says something else of one.
    """
    here = {
        name: each for models in check_transcripts(place).values() for name, each in models.items()
    }
    for model in place.part.models:
        if model.name not in here and model.digest and model.digest in outside.records:
            found = here[model.name] = outside.records[model.digest]
            first = None if found.first_at is None else found.first_at.isoformat()
            # a digest is over prompts and answers, and not over when they came
            if (found.model, len(found.answers), first, found.asked) != (
                model.name, model.answers, model.first_at, model.asked
            ):  # fmt: skip
                raise TamperedError(
                    f"what the statement says of {model.name} is not what its record holds"
                )
    return here if len(here) == len(place.part.models) else None


def models_of(
    place: Place, records: Mapping[str, Transcripts]
) -> tuple[Transcripts, Transcripts, Transcripts | None, list[Transcripts]]:
    """Teacher, suspect, base and controls.

    Raises:
        TranscriptError: there is not one teacher and one suspect.
    """

    def those(role: Role) -> list[Transcripts]:
        return [records[each.name] for each in place.part.models if each.role == role]

    teachers, suspects, bases = those("teacher"), those("suspect"), those("base")
    if len(teachers) != 1 or len(suspects) != 1 or len(bases) > 1:
        raise TranscriptError("there is one teacher, one suspect and one base at most")
    return teachers[0], suspects[0], bases[0] if bases else None, those("control")


def found_set(
    digest: object,
    outside: Outside,
    read: Callable[[Path | None], Set],
    digest_of: Callable[[Set], str],
) -> Set | None:
    """The set of this digest: ours, or of one of the files that are at hand."""
    for path in (None, *outside.prompts):
        try:
            found = read(path)
        except InputError:  # a file of another kind of prompts
            continue
        if digest_of(found) == digest:
            return found
    return None
