"""What a kind of part can do: the one protocol that sealing, verifying and the report build on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from stillwatch.errors import InputError, TamperedError
from stillwatch.provenance.bundle.contents import Model, Place, Role, transcript_root
from stillwatch.provenance.bundle.opened import Opened
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.measurements import Measurement
from stillwatch.provenance.registration import Registration
from stillwatch.provenance.transcripts import Transcripts, read_transcripts

__all__ = [
    "EVIDENCE", "Computed", "Draft", "Kind", "Limits", "Outside", "check_transcripts",
    "recorded_model", "recorded_models",
]  # fmt: skip

#: the label of kinds whose results are tests by a plan that was fixed beforehand
EVIDENCE = "evidence"

#: a heading and what it means
Limits = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outside:
    """What somebody holds that is not in the bundle.

    Attributes:
        records: transcripts by their digests.
        prompts: files of prompts or pairs.
        labels: what people say of answers; needed where a report was made with them.
        shards: folders of recorded probabilities (radioactivity of open suspects).
    """

    records: Mapping[str, Transcripts] = field(default_factory=dict)
    prompts: tuple[Path, ...] = ()
    labels: Mapping[tuple[str, str], bool] | None = None
    shards: tuple[Path, ...] = ()

    @classmethod
    def of(cls, records: list[Transcripts], *prompts: Path | None) -> Outside:
        return cls(
            {each.digest: each for each in records}, tuple(p for p in prompts if p is not None)
        )


class Computed(NamedTuple):
    """Results as JSON has them, and in words what they were computed from."""

    value: Any
    source: str


class Kind(Protocol):
    """A kind of part. Sealing and verifying compute results by the same call, from the same files.

    Attributes:
        name: as the statement has it.
        label: what it is, in words that stand on every page: ``evidence``, or what it is instead.
        limits: what it does not show.
    """

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    def needed(self, place: Place) -> set[str]:
        """Files without which the part is none, beside the models' and the ledger's."""
        ...

    def plan(self, path: Path) -> Registration | Measurement:
        """The plan in a file; raises InputError where it is none of this kind."""
        ...

    def check(self, place: Place) -> None:
        """That the files belong together, as far as that can be told without keys.

        Raises:
            TamperedError: they do not.
            InputError: one cannot be read.
        """
        ...

    def computed(self, place: Place, opened: Opened | None, outside: Outside) -> Computed | None:
        """The results; None where what they follow from is not at hand.

        Raises:
            StillwatchError, ValueError: the plan cannot be carried out with what is there.
        """
        ...

    def recounted(self, place: Place, value: Any) -> Computed | None:
        """What follows from sealed results themselves, as a whole to compare with them; None where
        nothing does."""
        ...

    def found(self, value: Any) -> int:
        """How many findings about suspects results hold."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A part that is to be sealed.

    Attributes:
        kind: its name.
        files: contents by name within the part's folder, beside those that sealing writes.
        models, settings: as in :class:`.contents.Part`.
        registration, opened, commitment: the plan, its keys, where it stands on a ledger.
        open_keys: whether the keys are put into the bundle.
        outside: what the results follow from and is not put into the bundle.
    """

    kind: str
    models: tuple[Model, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    registration: Registration | Measurement | None = None
    opened: Opened | None = field(default=None, repr=False)
    open_keys: bool = False
    commitment: Commitment | None = None
    outside: Outside = field(default_factory=Outside)


def recorded_model(role: Role, path: Path, file: str | None) -> tuple[Model, Transcripts, bytes]:
    """A model by its file of transcripts, which stands in the bundle as `file`, or not at all."""
    found, data = read_transcripts(path), path.read_bytes()
    first = found.first_at
    model = Model(
        name=found.model, role=role, file=file, answers=len(found.answers),
        root=None if file is None else transcript_root(data), digest=found.digest,
        first_at=None if first is None else first.isoformat(), asked=found.asked,
    )  # fmt: skip
    return model, found, data


def recorded_models(
    paths: list[tuple[Role, Path]], *, inside: bool
) -> tuple[tuple[Model, ...], list[Transcripts], dict[str, bytes]]:
    """Models, transcripts and, where they go into the bundle, files of all of these.

    Raises:
        InputError, TranscriptError: a file that cannot be read, or a model that is there twice.
    """
    models: list[Model] = []
    records: list[Transcripts] = []
    files: dict[str, bytes] = {}
    for role, path in paths:
        number = 1 + sum(each.role == role for each in models)
        name = f"transcripts/{role}-{number}.jsonl" if inside else None
        model, found, data = recorded_model(role, path, name)
        if model.name in (each.name for each in models):
            raise InputError(f"is of {model.name}, as another file is", path=path)
        models.append(model)
        records.append(found)
        if name is not None:
            files[name] = data
    return tuple(models), records, files


def check_transcripts(place: Place) -> dict[Role, dict[str, Transcripts]]:
    """The transcripts in the bundle, by role and name, held against what is said of them.

    Raises:
        TamperedError: they are not those; a model is there twice.
    """
    found: dict[Role, dict[str, Transcripts]] = {}
    for model in place.part.models:
        if model.file is None:
            continue
        path = place.path(model.file)
        if transcript_root(place.read(model.file)) != model.root:
            raise TamperedError(
                f"the answers of {model.name} do not have the root that the statement names",
                path=path,
            )
        here = read_transcripts(path)
        first = None if here.first_at is None else here.first_at.isoformat()
        said = (model.name, model.answers, model.digest, model.first_at, model.asked)
        true = (here.model, len(here.answers), here.digest, first, here.asked)
        # the first form says neither digest nor time
        if said != (true if place.part.folder else (*true[:2], None, None, None)):
            raise TamperedError(
                f"what the statement says of {model.name} is not what its file holds", path=path
            )
        if model.name in found.setdefault(model.role, {}):
            raise TamperedError(f"{model.name} is there twice", path=path)
        found[model.role][model.name] = here
    return found
