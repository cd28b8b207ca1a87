"""Capability replicated, in a bundle: grades and digests, and neither tasks nor answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from stillwatch.errors import InputError, TranscriptError
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
from stillwatch.provenance.bundle.limits import CAPABILITY
from stillwatch.provenance.bundle.opened import Opened
from stillwatch.provenance.capability import (
    CapabilityReport,
    TaskSet,
    compare_capability,
    read_task_set,
)
from stillwatch.provenance.capability.report import recount
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.measurements import Measurement

__all__ = ["CapabilityKind", "capability_part"]


def capability_part(
    teacher: Path,
    suspect: Path,
    base: Path,
    *,
    tasks: Path,
    controls: Sequence[Path] = (),
    alpha: float = 0.001,
    plan: Measurement | None = None,
    commitment: Commitment | None = None,
) -> Draft:
    """What one suspect made up of its teacher's lead, to be sealed. Costs are not: nobody could
    check them.

    Args:
        controls: files of models that started from the base, and learnt nothing of the teacher;
            each is compared as the suspect is.
        plan, commitment: what was fixed beforehand, and where that stands on a ledger.

    Raises:
        InputError: something that cannot be read.
    """
    paths: list[tuple[Role, Path]] = [("teacher", teacher), ("suspect", suspect), ("base", base)]
    models, records, _ = recorded_models(
        [*paths, *(("control", each) for each in controls)], inside=False
    )
    settings = {"alpha": alpha, "set_sha256": read_task_set(tasks).digest}
    return Draft(
        "capability", models, {}, settings, registration=plan, commitment=commitment,
        outside=Outside.of(records, tasks),
    )  # fmt: skip


class CapabilityKind:
    """The protocol is :class:`.kind.Kind`."""

    name: Final = "capability"
    label: Final = "A MEASUREMENT of capability, no evidence of where a model comes from"
    limits: Final[Limits] = CAPABILITY

    def needed(self, place: Place) -> set[str]:
        return set()

    def plan(self, path: Path) -> Measurement:
        return Measurement.read(path)

    def check(self, place: Place) -> None:
        check_measured(place)

    def computed(self, place: Place, opened: Opened | None, outside: Outside) -> Computed | None:
        settings, records = place.part.settings, records_of(place, outside)
        tasks = found_set(
            settings.get("set_sha256"), outside, _read_tasks, lambda each: each.digest
        )
        if records is None or tasks is None:
            return None
        teacher, suspect, base, controls = models_of(place, records)
        if base is None:
            raise TranscriptError("there is no base that something was gained over")
        return compared(
            suspect, controls,
            lambda each: compare_capability(tasks, teacher, base, [each], alpha=settings["alpha"]),
        )  # fmt: skip

    def recounted(self, place: Place, value: Any) -> Computed | None:
        return recounted(place, value, CapabilityReport, recount, "the grades of each answer")

    def found(self, value: Any) -> int:
        return int(value["suspect"]["found"])


def _read_tasks(path: Path | None) -> TaskSet:
    if path is None:
        raise InputError("there is no set of tasks of ours")
    return read_task_set(path)
