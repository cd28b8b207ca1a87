"""What stands in a bundle: names of files, and the predicate of its statement.

A bundle holds parts, each of a kind and in a folder of its own. Bundles of the first form hold one
keyed test, whose files stand in the bundle's own folder: they are read as a bundle of one part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from stillwatch.errors import InputError
from stillwatch.ledger import canonical, merkle_root, parsed
from stillwatch.provenance.bundle.answer_times import earliest, first_time
from stillwatch.provenance.transcripts import Settings

__all__ = [
    "ENTRY", "ENVIRONMENT", "FIRST_TYPE", "HEAD", "OPENED", "PLAN", "PREDICATE_TYPE", "PROBES",
    "PROOF", "REPORT", "RESULTS", "STATEMENT", "Model", "Part", "Place", "Predicate", "Role",
    "json_file", "read_predicate", "rounded", "transcript_root",
]  # fmt: skip

PREDICATE_TYPE: Final = "urn:stillwatch:evidence:2"
FIRST_TYPE: Final = "urn:stillwatch:evidence:1"
# of the bundle
STATEMENT: Final = "statement.json"
ENVIRONMENT: Final = "environment.json"
REPORT: Final = "report.html"
# of a part
PLAN: Final = "plan.json"
PROBES: Final = "probes.jsonl"
RESULTS: Final = "results.json"
OPENED: Final = "opened.json"
#: what is left of a difference of two floats that are equal
_NOTHING: Final = 1e-12
ENTRY, HEAD, PROOF = "ledger/entry.json", "ledger/head.json", "ledger/proof.json"

#: a control is a model that is known not to have learnt from the teacher
Role: TypeAlias = Literal["teacher", "suspect", "base", "control"]


class Model(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model that answered.

    Attributes:
        name, role: what it is called, and what it is to the part.
        file: its record within the part's folder; None where the record stays with who has it.
        answers: how many were recorded.
        root: RFC 6962 root over the lines of a file of transcripts.
        digest: of a record that stays outside: :attr:`.transcripts.Transcripts.digest`, or SHA-256
            over the names and digests of recorded shards.
        first_at: when the first answer came, by the clock of who asked; RFC 3339, None if unknown.
        asked: with which settings, by the word of who asked; None if unknown.
    """

    name: str
    role: Role
    file: str | None = None
    answers: int = 0
    root: str | None = None
    digest: str | None = None
    first_at: str | None = None
    asked: Settings | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the statement says of one part.

    Attributes:
        kind: one of :data:`.kinds.KINDS`.
        folder: where its files stand in the bundle: empty, or a name with a slash at its end.
        label: what the kind calls itself; stands on every page about it.
        registration: the digest of the plan, of kinds that have one.
        ledger: the name of the ledger on which the plan stands; None where on none.
        opened: whether the keys are in the bundle, so that anybody can compute the results again.
        models: whose answers were used, in the order of the results.
        settings: what else the results follow from.
        limits: what the part does not show.
    """

    kind: str
    folder: str = ""
    label: str
    registration: str | None = None
    ledger: str | None = None
    opened: bool = False
    models: tuple[Model, ...] = ()
    settings: dict[str, Any] = {}
    limits: tuple[str, ...] = ()


class Predicate(msgspec.Struct, frozen=True, kw_only=True):
    """What the statement says of the files.

    Attributes:
        at: when it was sealed, by the clock of whoever sealed it; RFC 3339.
        code: the digest of the program that computed the results.
        parts: at least one.
    """

    at: str
    code: str
    parts: tuple[Part, ...]


class _First(msgspec.Struct, frozen=True, kw_only=True):
    """The predicate of the first form."""

    at: str
    registration: str
    models: tuple[Model, ...]
    code: str
    opened: bool
    ledger: str | None
    limits: tuple[str, ...]

    def now(self, label: str) -> Predicate:
        part = Part(
            kind="keyed", label=label, registration=self.registration, ledger=self.ledger,
            opened=self.opened, models=self.models, limits=self.limits,
        )  # fmt: skip
        return Predicate(at=self.at, code=self.code, parts=(part,))


@dataclass(frozen=True, slots=True)
class Place:
    """A part, and where its files are."""

    bundle: Path
    part: Part

    def path(self, name: str) -> Path:
        return self.bundle / (self.part.folder + name)

    def read(self, name: str) -> bytes:
        """The bytes of a file; raises InputError where it cannot be read."""
        try:
            return self.path(name).read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path=self.path(name)) from error

    def value(self, name: str) -> Any:
        """The value of a file of JSON; raises InputError where it is none."""
        try:
            return parsed(self.read(name))
        except ValueError as error:
            raise InputError(str(error), path=self.path(name)) from error

    def first_at(self) -> datetime | None:
        """When the first recorded answer of any suspect came; None where that is not known of all.

        Statements of the first form do not say it: there the records do.
        """
        suspects = [each for each in self.part.models if each.role == "suspect"]
        if self.part.folder:
            told = [each.first_at for each in suspects]
            times = [None if at is None else datetime.fromisoformat(at) for at in told]
        else:
            times = [first_time(self.path(each.file)) for each in suspects if each.file]
        known = [at for at in times if at is not None]
        return min(known) if known and len(known) == len(suspects) else None

    def earliest(self) -> datetime | None:
        """The earliest time of any answer of a suspect that anything here says; None of none.

        A line, or a suspect, without a time hides nothing of the others: one answer that is older
        than the plan is enough.
        """
        suspects = [each for each in self.part.models if each.role == "suspect"]
        times = [datetime.fromisoformat(each.first_at) for each in suspects if each.first_at]
        files = [each.file for each in suspects if each.file and each.file.endswith(".jsonl")]
        times += [at for file in files if (at := earliest(self.path(file))) is not None]
        return min(times, default=None)


def read_predicate(kind: str, value: Any, first_label: Callable[[], str]) -> Predicate:
    """The predicate of a statement; raises ValueError where it is none that this release knows."""
    if kind == FIRST_TYPE:
        return msgspec.convert(value, _First, strict=True).now(first_label())
    if kind != PREDICATE_TYPE:
        raise ValueError(f"its predicate is {kind}")
    found = msgspec.convert(value, Predicate, strict=True)
    if not found.parts:
        raise ValueError("it has no part")
    for part in found.parts:
        for model in part.models:
            if model.first_at is not None:
                datetime.fromisoformat(model.first_at)
    return found


def transcript_root(data: bytes) -> str:
    """The RFC 6962 root over the lines of a file of transcripts, without their ends."""
    return merkle_root(line for line in data.split(b"\n") if line.strip())


def json_file(value: Any) -> bytes:
    """A value as a file of canonical JSON."""
    return canonical(value) + b"\n"


def rounded(value: Any) -> Any:
    """With each float to nine digits, and what is next to nothing as nothing, so that two machines
    write the same; without tuples, as JSON has it."""
    if isinstance(value, float):
        return 0.0 if abs(value) < _NOTHING else float(f"{value:.9g}")
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return value
