"""Radioactivity in a bundle: plan, texts, what the suspect gave; scored again with opened keys.

Of a closed suspect that is every answer. Of an open one it is what was gathered from the recorded
probabilities before any key was looked at, from which scores follow; of the probabilities, which
are large, a digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from stillwatch.errors import InputError, PlanError, TamperedError
from stillwatch.provenance.bundle.answer_times import first_time
from stillwatch.provenance.bundle.contents import PLAN, Model, Place, Role, transcript_root
from stillwatch.provenance.bundle.kinds.gathered import decoded, encoded, is_same
from stillwatch.provenance.bundle.kinds.kind import (
    EVIDENCE,
    Computed,
    Draft,
    Limits,
    Outside,
)
from stillwatch.provenance.bundle.kinds.unopened import Family, check_rows
from stillwatch.provenance.bundle.limits import RADIOACTIVITY
from stillwatch.provenance.bundle.opened import Opened, OpenedKey
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.radioactivity import Outcome, closed_test
from stillwatch.provenance.radioactivity.open_suspects import (
    Gathered,
    gather_registered,
    score_registered,
)
from stillwatch.provenance.radioactivity.recorded import RecordedSuspect, read_texts
from stillwatch.provenance.registration import RegisteredMark, Registration
from stillwatch.provenance.text_sets import TextSet
from stillwatch.watermark import (
    GreenListMark,
    GumbelMark,
    Mark,
    MarkKey,
    ServedSketch,
    TournamentMark,
)
from stillwatch.watermark.answer_files import read_answers
from stillwatch.watermark.served import SCHEME as SKETCH

__all__ = ["RadioactivityKind", "radioactivity_part"]

_SCHEMES: Final[dict[str, type[GumbelMark] | type[GreenListMark] | type[TournamentMark]]] = {
    "gumbel": GumbelMark, "green-list": GreenListMark, "tournament": TournamentMark,
}  # fmt: skip


def radioactivity_part(
    registration: Registration,
    marks: Sequence[Mark],
    texts: Sequence[TextSet],
    *,
    salt: bytes,
    suspect: Path,
    controls: Sequence[Path] = (),
    served: Sequence[tuple[Path, MarkKey]] = (),
    round_trip: float | None = None,
    commitment: Commitment | None = None,
    open_keys: bool = False,
    other_code: bool = False,
) -> Draft:
    """A test of radioactivity of what was recorded, to be sealed.

    Texts that clusters were served do not go into the bundle with an open suspect; the prompts of a
    closed one do, for they stand in its answers.

    Args:
        suspect, controls: what each gave, by the name of its file or folder: answers (closed), or a
            folder of shards of probabilities (open), with the reference's if the plan has one.
        served: files of sketches, and their keys, of each mark (closed-served).
        round_trip: as :func:`.radioactivity.closed_test`.
        commitment, open_keys, other_code: as :func:`.keyed.keyed_part`.

    Raises:
        PlanError: anything that is not what was registered.
        InputError: something that cannot be read.
    """
    plan = registration.plan
    registration.check_code(other_code=other_code)
    files: dict[str, bytes] = {}
    models: list[Model] = []
    paths: list[tuple[Role, Path]] = [("suspect", suspect), *(("control", p) for p in controls)]
    try:
        registration.check(plan.statistic, marks, texts, salt=salt)
        for role, path in paths:
            number = 1 + sum(each.role == role for each in models)
            if plan.statistic == "open":
                name = f"evidence/{role}-{number}.npz"
                files[name] = encoded(_gathered(path, registration, marks, texts))
                model = Model(name=path.name, role=role, file=name, digest=_shards(path))
            else:
                name = f"transcripts/{role}-{number}.jsonl"
                files[name] = data = path.read_bytes()
                model = Model(
                    name=path.stem, role=role, file=name, answers=len(list(read_answers(path))),
                    root=transcript_root(data), first_at=_first(path),
                )  # fmt: skip
            if model.name in (each.name for each in models):
                raise InputError("has the name of another model's record", path=path)
            models.append(model)
        for number, each in enumerate(texts, 1):
            if plan.statistic != "open" or not each.served_to:
                files[_texts(number)] = _lines(each)
        for number, (path, _) in enumerate(served, 1):
            files[_sketch(number)] = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=error.filename) from error
    except ValueError as error:
        raise PlanError(f"this is not what was registered: {error}") from error
    sketches: list[str | None] = [f"{key.value:016x}" for _, key in served]
    sketches = sketches or [None] * len(marks)
    keys = tuple(
        OpenedKey(m.key.epoch, m.key.cluster, f"{m.key.value:016x}", sketch=sketch)
        for m, sketch in zip(marks, sketches, strict=True)
    )
    return Draft(
        "radioactivity", tuple(models), files, {"round_trip": round_trip}, registration,
        Opened(salt.hex(), keys), open_keys, commitment,
    )  # fmt: skip


class RadioactivityKind:
    """The protocol is :class:`.kind.Kind`."""

    name: Final = "radioactivity"
    label: Final = EVIDENCE
    limits: Final[Limits] = RADIOACTIVITY

    def needed(self, place: Place) -> set[str]:
        registration = Registration.read(place.path(PLAN))
        numbers = [
            number for number, each in enumerate(registration.texts, 1)
            if registration.plan.statistic != "open" or not each.served
        ]  # fmt: skip
        sketches = range(1, len(registration.plan.served) + 1)
        return {PLAN, *map(_texts, numbers), *map(_sketch, sketches)}

    def plan(self, path: Path) -> Registration:
        return Registration.read(path)

    def check(self, place: Place) -> None:
        registration = Registration.read(place.path(PLAN))
        for model in place.part.models:
            if model.file is None:
                raise TamperedError(f"what {model.name} gave is not in the bundle")
            path = place.path(model.file)
            if registration.plan.statistic == "open":
                decoded(path)
                if model.first_at is not None:
                    raise TamperedError(
                        f"probabilities bear no times, and the statement gives {model.name} one"
                    )
                continue
            said = (model.root, model.answers, model.first_at)
            here = (transcript_root(path.read_bytes()), len(list(read_answers(path))))
            if said != (*here, _first(path)):
                raise TamperedError(
                    f"what the statement says of {model.name} is not what its file holds", path=path
                )
        for number, each in enumerate(registration.texts, 1):
            path = place.path(_texts(number))
            if path.exists() and read_texts(path).digest() != each.digest:
                raise TamperedError("is not the texts that the plan registers", path=path)

    def computed(self, place: Place, opened: Opened | None, outside: Outside) -> Computed | None:
        if opened is None:
            return None
        registration, salt = Registration.read(place.path(PLAN)), bytes.fromhex(opened.salt)
        if len(opened.keys) != len(registration.marks):
            raise PlanError("there is not one key for each mark of the plan")
        marks = [
            _mark(shown, key) for shown, key in zip(registration.marks, opened.keys, strict=True)
        ]
        suspects = [each for each in place.part.models if each.role == "suspect"]
        if len(suspects) != 1:
            raise PlanError(f"the plan is for one suspect, and there are {len(suspects)}")
        outcomes = [
            (model, each) for model in place.part.models
            for each in _tested(place, model, registration, marks, opened, salt)
        ]  # fmt: skip
        guilty = {
            (each.mark, model.name) for model, each in outcomes
            if model.role == "control" and each.found
        }  # fmt: skip
        rows = [
            {"model": model.name, "role": model.role}
            | (_in_doubt(each, guilty) if model.role == "suspect" else each).said()
            for model, each in outcomes
        ]
        source = "what the suspect gave"
        if registration.plan.statistic == "open" and _gathered_again(
            place, registration, marks, outside.shards
        ):
            source = "the recorded probabilities"
        return Computed(rows, f"{source} and the opened keys")

    def recounted(self, place: Place, value: Any) -> Computed | None:
        """None: what the keys did cannot be told; that there is a row for all, and how they are
        corrected, can.

        Raises:
            ValueError: rows that no test by this plan leads to.
        """
        registration, models = self.plan(place.path(PLAN)), place.part.models
        each = len(registration.texts) * len(registration.marks)
        check_rows(
            value, registration,
            [(m.role, m.name, texts.name) for m in models for texts in registration.texts],
            [Family(each, each)] * len(models),
        )  # fmt: skip
        return None

    def found(self, value: Any) -> int:
        return sum(row["found"] for row in value if row["role"] == "suspect")


def _gathered_again(
    place: Place, registration: Registration, marks: Sequence[Mark], shards: Sequence[Path]
) -> bool:
    """Whether all that was gathered was gathered again from shards that are at hand.

    Raises:
        TamperedError: it came out otherwise.
    """
    folders = {_shards(folder): folder for folder in shards}
    texts = [place.path(_texts(i)) for i in range(1, 1 + len(registration.texts))]
    models = place.part.models
    if not all(each.digest in folders for each in models) or not all(p.exists() for p in texts):
        return False
    sets = [
        replace(read_texts(path), name=each.name)
        for path, each in zip(texts, registration.texts, strict=True)
    ]
    for model in models:
        path = place.path(model.file or "")
        again = _gathered(folders[str(model.digest)], registration, marks, sets)
        if not all(map(is_same, again, decoded(path))):
            raise TamperedError("was not gathered from what was recorded", path=path)
    return True


def _tested(
    place: Place, model: Model, registration: Registration, marks: list[Mark], opened: Opened,
    salt: bytes,
) -> tuple[Outcome, ...]:  # fmt: skip
    path = place.path(model.file or "")
    if registration.plan.statistic == "open":
        return score_registered(decoded(path), registration, marks, salt=salt)
    sketches = [
        ServedSketch.read(
            place.path(_sketch(i)),
            MarkKey(int(key.sketch or "0", 16), key.epoch, key.cluster, SKETCH),
        )
        for i, key in enumerate(opened.keys, 1)
        if registration.plan.served
    ]  # fmt: skip
    texts = [
        replace(
            read_texts(place.path(_texts(number))), name=each.name,
            served_to=frozenset(marks[i].key.cluster for i in each.served),
        )
        for number, each in enumerate(registration.texts, 1)
    ]  # fmt: skip
    return closed_test(
        list(read_answers(path)), registration, marks, texts, salt=salt, served=sketches,
        round_trip=place.part.settings.get("round_trip"),
    )  # fmt: skip


def _in_doubt(outcome: Outcome, guilty: set[tuple[Mark, str]]) -> Outcome:
    """Silent, where a control is found under the same key, as keyed tests are."""
    for mark, name in sorted(guilty, key=lambda each: each[1]):
        if mark == outcome.mark and outcome.abstained is None:
            return replace(
                outcome, log10_p=None, log10_p_approximate=None, corrected_log10_p=None,
                found=False,
                abstained=f"the control {name} is found under this key, too: what carries it "
                "reached models that did not learn from the teacher, or the key is known",
            )  # fmt: skip
    return outcome


def _mark(shown: RegisteredMark, key: OpenedKey) -> Mark:
    """A mark from what a plan shows of it, and its key."""
    made = _SCHEMES.get("gumbel" if shown.scheme.startswith("gumbel") else shown.scheme)
    if made is None:
        raise InputError(f"marks of the scheme {shown.scheme} are not sealed by this release")
    try:
        return msgspec.convert(
            {**shown.settings,
             "key": {"value": int(key.value, 16), "epoch": key.epoch, "cluster": key.cluster,
                     "scheme": shown.scheme}},
            made, strict=True,
        )  # fmt: skip
    except ValueError as error:
        raise InputError(f"the plan's settings of a mark are none: {error}") from error


def _gathered(
    folder: Path, registration: Registration, marks: Sequence[Mark], texts: Sequence[TextSet]
) -> tuple[Gathered, ...]:
    size = registration.plan.vocabulary
    if size is None:
        raise PlanError("the plan names no vocabulary")
    reference = None if registration.plan.reference is None else RecordedSuspect(
        folder, "reference", size
    )  # fmt: skip
    suspect = RecordedSuspect(folder, "suspect", size)
    return gather_registered(suspect, registration, marks, texts, reference=reference)


def _shards(folder: Path) -> str:
    """SHA-256 over the names and digests of the shards, in their order."""
    whole = hashlib.sha256(b"stillwatch-shards-v1")
    for path in sorted(folder.glob("*.npz")):
        with path.open("rb") as file:
            whole.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _lines(texts: TextSet) -> bytes:
    return b"".join(
        msgspec.json.encode({"tokens": text.tolist(), "prompt": prompt}) + b"\n"
        for text, prompt in zip(texts.texts, texts.prompts, strict=True)
    )


def _texts(number: int) -> str:
    return f"texts/{number}.jsonl"


def _sketch(number: int) -> str:
    return f"served/{number}.served"


def _first(path: Path) -> str | None:
    """When the first of these answers came, RFC 3339; None where any line does not say."""
    at = first_time(path)
    return None if at is None else at.isoformat()
