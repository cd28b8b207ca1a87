"""Safety removed, in a bundle: labels and digests alone; never a prompt, never an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stillwatch.errors import InputError
from stillwatch.provenance.bundle.contents import Place, Role
from stillwatch.provenance.bundle.kinds.kind import (
    Computed,
    Draft,
    Limits,
    Outside,
    recorded_models,
)
from stillwatch.provenance.bundle.kinds.measured import (
    check_measured,
    compared,
    found_set,
    models_of,
    records_of,
    recounted,
)
from stillwatch.provenance.bundle.limits import REFUSALS
from stillwatch.provenance.bundle.opened import Opened
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.measurements import Measurement
from stillwatch.provenance.refusals import RefusalReport, compare_refusals, read_prompt_set
from stillwatch.provenance.refusals.report import recount

__all__ = ["RefusalsKind", "refusals_part"]


def refusals_part(
    teacher: Path,
    suspect: Path,
    base: Path | None = None,
    *,
    controls: Sequence[Path] = (),
    prompts: Path | None = None,
    labels: Mapping[tuple[str, str], bool] | None = None,
    alpha: float = 0.001,
    plan: Measurement | None = None,
    commitment: Commitment | None = None,
) -> Draft:
    """A comparison of what models refuse, to be sealed; arguments as for
    :func:`.refusals.compare_refusals`.

    Args:
        controls: files of models whose safety nobody removed, each compared as the suspect is.

        plan, commitment: what was fixed beforehand, and where that stands on a ledger.

    Raises:
        InputError: something that cannot be read.
    """
    paths: list[tuple[Role, Path]] = [("teacher", teacher), ("suspect", suspect)]
    paths += [] if base is None else [("base", base)]
    models, records, _ = recorded_models(
        [*paths, *(("control", p) for p in controls)], inside=False
    )
    settings = {
        "alpha": alpha, "set_sha256": read_prompt_set(prompts).digest,
        "labelled": labels is not None,
    }  # fmt: skip
    outside = Outside({each.digest: each for each in records},
                      () if prompts is None else (prompts,), labels)  # fmt: skip
    return Draft(
        "refusals", models, {}, settings, registration=plan, commitment=commitment, outside=outside
    )


class RefusalsKind:
    """The protocol is :class:`.kind.Kind`."""

    name: Final = "refusals"
    label: Final = "A MEASUREMENT of refusals, no evidence of where a model comes from"
    limits: Final[Limits] = REFUSALS

    def needed(self, place: Place) -> set[str]:
        return set()

    def plan(self, path: Path) -> Measurement:
        return Measurement.read(path)

    def check(self, place: Place) -> None:
        check_measured(place)
        if any(each.file is not None for each in place.part.models):
            raise InputError("a record of what may be harmful stands in the bundle")

    def computed(self, place: Place, opened: Opened | None, outside: Outside) -> Computed | None:
        settings, records = place.part.settings, records_of(place, outside)
        prompts = found_set(
            settings.get("set_sha256"), outside, read_prompt_set, lambda each: each.digest
        )
        if records is None or prompts is None:
            return None
        if settings.get("labelled") and outside.labels is None:
            return None
        teacher, suspect, base, controls = models_of(place, records)
        return compared(
            suspect, controls,
            lambda each: compare_refusals(
                prompts, teacher, each, base, labels=outside.labels, alpha=settings["alpha"]
            ),
        )  # fmt: skip

    def recounted(self, place: Place, value: Any) -> Computed | None:
        return recounted(place, value, RefusalReport, recount, "the labels of each answer")

    def found(self, value: Any) -> int:
        return int(value["suspect"]["found"])
