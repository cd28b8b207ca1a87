"""A keyed test in a bundle: plan, probes, every answer; computed again where keys are opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stillwatch.errors import PlanError, TamperedError
from stillwatch.provenance.bundle.contents import PLAN, PROBES, Place
from stillwatch.provenance.bundle.kinds.kind import (
    EVIDENCE,
    Computed,
    Draft,
    Limits,
    Outside,
    check_code,
    check_transcripts,
    recorded_models,
)
from stillwatch.provenance.bundle.limits import KEYED
from stillwatch.provenance.bundle.opened import Opened, OpenedKey
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.keyed import SCHEME, EnglishReader, KeyedMark, keyed_test
from stillwatch.provenance.probes import Probes
from stillwatch.provenance.registration import Registration
from stillwatch.watermark import MarkKey

__all__ = ["KeyedKind", "keyed_part"]

#: what results held in the first form of bundles; a later release may say more
_FIRST: Final = (
    "model", "role", "epoch", "cluster", "answers", "sightings", "contexts", "hits", "expected",
    "seconds", "seconds_of", "log10_p", "log10_e", "corrected_log10_p", "decoy_rank", "decoys",
    "found", "abstained", "registration",
)  # fmt: skip


def keyed_part(
    registration: Registration,
    marks: Sequence[KeyedMark],
    probes: Probes,
    *,
    salt: bytes,
    suspects: Sequence[Path],
    controls: Sequence[Path] = (),
    commitment: Commitment | None = None,
    open_keys: bool = False,
    other_code: bool = False,
) -> Draft:
    """A keyed test of recorded transcripts, to be sealed.

    Args:
        suspects, controls: files of transcripts, a model each.
        commitment: where the plan stands on a ledger.
        open_keys: put salt and keys into the bundle, so that anybody can compute the results again.
            Whoever has them can write text that carries these keys: end their use first.

    Raises:
        PlanError: the plan was made for another release.
        InputError, TranscriptError: transcripts that cannot be read.
    """
    check_code(registration, other_code=other_code)
    models, _, files = recorded_models(
        [*(("suspect", p) for p in suspects), *(("control", p) for p in controls)], inside=True
    )
    keys = tuple(
        OpenedKey(each.key.epoch, each.key.cluster, f"{each.key.value:016x}", each.reader)
        for each in marks
    )
    return Draft(
        "keyed", models, {**files, PROBES: probes.encoded()}, registration=registration,
        opened=Opened(salt.hex(), keys), open_keys=open_keys, commitment=commitment,
    )  # fmt: skip


class KeyedKind:
    """The protocol is :class:`.kind.Kind`."""

    name: Final = "keyed"
    label: Final = EVIDENCE
    limits: Final[Limits] = KEYED

    def needed(self, place: Place) -> set[str]:
        return {PLAN, PROBES}

    def plan(self, path: Path) -> Registration:
        return Registration.read(path)

    def check(self, place: Place) -> None:
        check_transcripts(place)
        try:
            Probes.read(place.path(PROBES)).check(Registration.read(place.path(PLAN)))
        except PlanError as error:
            raise TamperedError(str(error), path=place.path(PROBES)) from error

    def computed(self, place: Place, opened: Opened | None, outside: Outside) -> Computed | None:
        if opened is None:
            return None
        probes = Probes.read(place.path(PROBES))
        marks = [
            KeyedMark(MarkKey(int(key.value, 16), key.epoch, key.cluster, SCHEME), key.reader)
            for key in opened.keys
        ]
        told = check_transcripts(place)
        answers: dict[str, dict[str, Mapping[str, str]]] = {
            role: {name: each.answers for name, each in models.items()}
            for role, models in told.items()
        }
        outcomes = keyed_test(
            answers.get("suspect", {}), Registration.read(place.path(PLAN)), marks, probes,
            EnglishReader.of(probes.canaries), salt=bytes.fromhex(opened.salt),
            controls=answers.get("control", {}), other_code=True,
        )  # fmt: skip
        rows = [each.said() for each in outcomes]
        if not place.part.folder:
            rows = [{name: row[name] for name in _FIRST} for row in rows]
        return Computed(rows, "the answers and the opened keys")

    def recounted(self, place: Place, value: Any) -> Computed | None:
        return None

    def found(self, value: Any) -> int:
        return sum(row["found"] for row in value if row["role"] == "suspect")
