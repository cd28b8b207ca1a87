"""A keyed test in a bundle: plan, probes, every answer; computed again where keys are opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stillwatch.errors import PlanError, TamperedError
from stillwatch.provenance.bundle.contents import PLAN, PROBES, Place, Role
from stillwatch.provenance.bundle.kinds.kind import (
    EVIDENCE,
    Computed,
    Draft,
    Limits,
    Outside,
    check_transcripts,
    recorded_models,
)
from stillwatch.provenance.bundle.kinds.unopened import Family, check_rows
from stillwatch.provenance.bundle.limits import KEYED
from stillwatch.provenance.bundle.opened import Opened, OpenedKey
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.keyed import SCHEME, EnglishReader, KeyedMark, keyed_test
from stillwatch.provenance.keyed.testing import count_answers
from stillwatch.provenance.probes import Probes
from stillwatch.provenance.registration import Registration
from stillwatch.statistics import choice_tail
from stillwatch.watermark import MarkKey

__all__ = ["KeyedKind", "keyed_part"]

_ROLES: Final[tuple[Role, Role]] = ("suspect", "control")
#: what rounding to six digits may change in a p-value, as log10
_ROUNDED: Final = 1e-5

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
    registration.check_code(other_code=other_code)
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
        """None: what the keys did cannot be told. What can be is held against the answers.

        Raises:
            ValueError: rows that no test by this plan leads to.
        """
        registration, probes = self.plan(place.path(PLAN)), Probes.read(place.path(PROBES))
        told, marks = check_transcripts(place), len(registration.marks)
        models: list[tuple[Role, str]] = [
            (role, name) for role in _ROLES for name in told.get(role, {})
        ]
        suspects = len(told.get("suspect", {})) * marks
        planned = registration.plan.suspects * marks
        if suspects > planned:
            raise ValueError("there are more suspects than the plan is for")
        check_rows(
            value, registration, [(*each, None) for each in models],
            [Family(suspects, planned), Family(controls := len(value) - suspects, controls)],
        )  # fmt: skip
        reader = EnglishReader.of(probes.canaries)
        for place_of, (role, name) in enumerate(models):
            contexts, read, silence = count_answers(
                name, told[role][name].answers, registration.plan, probes, reader
            )
            here = (read, contexts.sightings, len(contexts.names))
            for row in value[place_of * marks : (place_of + 1) * marks]:
                if (row["answers"], row["sightings"], row["contexts"]) != here:
                    raise ValueError(f"the answers of {name} do not have these contexts")
                if silence is not None and row["abstained"] != silence:
                    raise ValueError(f"of {name} nothing can be said: {silence}")
                if row["log10_p"] is not None and _plain(registration):
                    tail = choice_tail(row["hits"], 1 / contexts.options)
                    if abs(tail - row["log10_p"]) > _ROUNDED:
                        raise ValueError(f"a p-value of {name} does not follow from its hits")
        return None

    def found(self, value: Any) -> int:
        return sum(row["found"] for row in value if row["role"] == "suspect")


def _plain(registration: Registration) -> bool:
    """Whether a p-value follows from the hits alone."""
    return registration.plan.statistic == "keyed-majority" and registration.plan.looks == "one"
