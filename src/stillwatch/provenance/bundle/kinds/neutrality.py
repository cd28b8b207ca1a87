"""Neutrality removed, in a bundle: differences of each pair; answers where they are asked in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from stillwatch.provenance.bundle.contents import Place, Role
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
    compared,
    found_set,
    models_of,
    records_of,
    recounted,
)
from stillwatch.provenance.bundle.limits import NEUTRALITY
from stillwatch.provenance.bundle.opened import Opened
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.measurements import Measurement
from stillwatch.provenance.neutrality import (
    NeutralityReport,
    PairSet,
    compare_neutrality,
    read_pair_set,
)
from stillwatch.provenance.neutrality.report import recount

__all__ = ["NeutralityKind", "neutrality_part"]

_PAIRS: Final = "pairs.jsonl"


def neutrality_part(
    teacher: Path,
    suspect: Path,
    base: Path | None = None,
    *,
    controls: Sequence[Path] = (),
    pairs: Path | None = None,
    alpha: float = 0.001,
    with_transcripts: bool = False,
    plan: Measurement | None = None,
    commitment: Commitment | None = None,
) -> Draft:
    """A comparison of how models treat two sides of a question, to be sealed.

    Args:
        controls: files of other models, each compared as the suspect is.
        pairs: the mirrored prompts; ours without.
        with_transcripts: put pairs and answers into the bundle, so that anybody can compare again.

        plan, commitment: what was fixed beforehand, and where that stands on a ledger.

    Raises:
        InputError: something that cannot be read.
    """
    paths: list[tuple[Role, Path]] = [("teacher", teacher), ("suspect", suspect)]
    paths += [] if base is None else [("base", base)]
    paths += [("control", each) for each in controls]
    models, records, files = recorded_models(paths, inside=with_transcripts)
    found = read_pair_set(pairs)
    if with_transcripts:
        files[_PAIRS] = b"".join(msgspec.json.encode(each) + b"\n" for each in found.pairs)
    settings = {"alpha": alpha, "set": found.name, "set_sha256": found.digest}
    return Draft(
        "neutrality", models, files, settings, registration=plan, commitment=commitment,
        outside=Outside.of(records, pairs),
    )  # fmt: skip


class NeutralityKind:
    """The protocol is :class:`.kind.Kind`."""

    name: Final = "neutrality"
    label: Final = "A MEASUREMENT of asymmetry, no evidence of where a model comes from"
    limits: Final[Limits] = NEUTRALITY

    def needed(self, place: Place) -> set[str]:
        return {_PAIRS} if any(each.file for each in place.part.models) else set()

    def plan(self, path: Path) -> Measurement:
        return Measurement.read(path)

    def check(self, place: Place) -> None:
        check_measured(place)
        check_transcripts(place)

    def computed(self, place: Place, opened: Opened | None, outside: Outside) -> Computed | None:
        settings, records = place.part.settings, records_of(place, outside)
        inside = self.needed(place)
        if inside:
            outside = Outside(outside.records, (place.path(_PAIRS), *outside.prompts))
        pairs = found_set(
            settings.get("set_sha256"), outside, read_pair_set, lambda each: each.digest
        )
        if records is None or pairs is None:
            return None
        pairs = PairSet(str(settings["set"]), pairs.pairs, pairs.digest)
        teacher, suspect, base, controls = models_of(place, records)
        return compared(
            suspect, controls,
            lambda each: compare_neutrality(pairs, teacher, each, base, alpha=settings["alpha"]),
            "the answers" if inside else NOT_INSIDE,
        )  # fmt: skip

    def recounted(self, place: Place, value: Any) -> Computed | None:
        return recounted(place, value, NeutralityReport, recount, "the differences of each pair")

    def found(self, value: Any) -> int:
        return int(value["suspect"]["found"])
