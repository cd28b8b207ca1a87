"""Sealing: results are computed here, never taken from elsewhere; then all of it is signed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from stillwatch.errors import InputError, OutputError, StorageError
from stillwatch.ledger import SigningKey
from stillwatch.provenance.bundle.contents import (
    ENTRY,
    ENVIRONMENT,
    HEAD,
    OPENED,
    PLAN,
    PREDICATE_TYPE,
    PROBES,
    PROOF,
    REPORT,
    RESULTS,
    STATEMENT,
    Model,
    Opened,
    Predicate,
    json_file,
    transcript_root,
)
from stillwatch.provenance.bundle.envelope import Envelope, Statement, Subject
from stillwatch.provenance.bundle.environment import environment
from stillwatch.provenance.bundle.limits import LIMITS
from stillwatch.provenance.bundle.report import render
from stillwatch.provenance.code import code_digest
from stillwatch.provenance.committing import Commitment
from stillwatch.provenance.keyed import EnglishReader, KeyedMark, KeyedOutcome, Role, keyed_test
from stillwatch.provenance.probes import Probes
from stillwatch.provenance.registration import Registration
from stillwatch.provenance.transcripts import read_transcripts

__all__ = ["Sealed", "seal"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle that was written: where, what it says, and the SHA-256 of its signed statement."""

    path: Path
    outcomes: tuple[KeyedOutcome, ...]
    digest: str


def seal(
    out: Path,
    registration: Registration,
    marks: Sequence[KeyedMark],
    probes: Probes,
    *,
    salt: bytes,
    suspects: Sequence[Path],
    controls: Sequence[Path] = (),
    signing_key: SigningKey,
    commitment: Commitment | None = None,
    open_keys: bool = False,
    other_code: bool = False,
) -> Sealed:
    """Test recorded transcripts by a registered plan, and seal plan, records and results in `out`.

    The folder is written aside and renamed when it is whole.

    Args:
        suspects, controls: files of transcripts, a model each.
        commitment: where the plan stands on a ledger.
        open_keys: put salt and keys into the bundle, so that anybody can compute the results again.
            Whoever has them can write text that carries these keys: end their use first.

    Raises:
        OutputError: `out` is there already.
        PlanError, TranscriptError: as :func:`~stillwatch.provenance.keyed.keyed_test`.
        InputError: transcripts that cannot be read.
        StorageError: the bundle cannot be written.
    """
    if out.exists():
        raise OutputError("is there already, and a bundle is never overwritten", path=out)
    files: dict[str, bytes] = {}
    models: list[Model] = []
    answers: dict[Role, dict[str, Mapping[str, str]]] = {"suspect": {}, "control": {}}
    roles: tuple[tuple[Role, Sequence[Path]], ...] = (("suspect", suspects), ("control", controls))
    for role, paths in roles:
        for number, path in enumerate(paths, 1):
            found, data = read_transcripts(path), path.read_bytes()
            name = f"transcripts/{role}-{number}.jsonl"
            if found.model in answers[role]:
                raise InputError(f"is of {found.model}, as another file is", path=path)
            files[name], answers[role][found.model] = data, found.answers
            models.append(Model(found.model, role, name, len(found.answers), transcript_root(data)))
    reader = EnglishReader.of(probes.canaries)
    outcomes = keyed_test(
        answers["suspect"], registration, marks, probes, reader, salt=salt,
        controls=answers["control"], other_code=other_code,
    )  # fmt: skip
    predicate = Predicate(
        at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        registration=registration.digest(),
        models=tuple(models),
        code=code_digest(),
        opened=open_keys,
        ledger=None if commitment is None else commitment.head.ledger,
        limits=tuple(f"{head} {text}" for head, text in LIMITS),
    )
    files[PLAN] = registration.canonical() + b"\n"
    files[PROBES] = probes.encoded()
    files[RESULTS] = json_file([each.said() for each in outcomes])
    files[ENVIRONMENT] = json_file(environment())
    if commitment is not None:
        files[ENTRY] = commitment.entry + b"\n"
        files[HEAD], files[PROOF] = commitment.head.encoded(), commitment.proof.encoded()
    if open_keys:
        files[OPENED] = json_file(msgspec.to_builtins(Opened.of(list(marks), salt)))
    files[REPORT] = render(registration, predicate, outcomes, commitment, signing_key.public)
    statement = Statement(
        subject=tuple(
            Subject(name, {"sha256": hashlib.sha256(data).hexdigest()})
            for name, data in sorted(files.items())
        ),
        predicate_type=PREDICATE_TYPE,
        predicate=msgspec.to_builtins(predicate),
    )
    signed = Envelope.signed(statement, signing_key).encoded()
    _write(out, {**files, STATEMENT: signed})
    return Sealed(out, outcomes, hashlib.sha256(signed).hexdigest())


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    aside = out.with_name(out.name + ".new")
    try:
        if aside.exists():
            shutil.rmtree(aside)
        aside.mkdir(mode=0o700)  # answers stand in it
        for name, data in files.items():
            path = aside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        aside.rename(out)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise StorageError(f"cannot be written: {error.strerror}", path=out) from error
