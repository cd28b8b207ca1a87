"""Sealing: results are computed here, never taken from elsewhere; then all of it is signed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import msgspec

from stillwatch.durable import sync_folder
from stillwatch.errors import InputError, OutputError, PlanError, StorageError, TamperedError
from stillwatch.ledger import Entry, SigningKey
from stillwatch.provenance.bundle.contents import (
    ENTRY,
    ENVIRONMENT,
    HEAD,
    OPENED,
    PLAN,
    PREDICATE_TYPE,
    PROOF,
    REPORT,
    RESULTS,
    STATEMENT,
    Part,
    Place,
    Predicate,
    json_file,
)
from stillwatch.provenance.bundle.envelope import Envelope, Statement, Subject
from stillwatch.provenance.bundle.environment import environment
from stillwatch.provenance.bundle.files import digest_file, listed, write_file
from stillwatch.provenance.bundle.kinds import KINDS, Draft
from stillwatch.provenance.bundle.report import render
from stillwatch.provenance.code import code_digest
from stillwatch.provenance.committing import check_entry, check_order

__all__ = ["Sealed", "seal"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle that was written.

    Attributes:
        path: where.
        parts: what its statement says of each.
        found: how many findings about suspects its evidence holds.
        digest: SHA-256 of the signed statement.
    """

    path: Path
    parts: tuple[Part, ...]
    found: int
    digest: str


def seal(out: Path, drafts: Sequence[Draft], *, signing_key: SigningKey) -> Sealed:
    """Compute the results of each part, and seal them with all that they follow from in `out`.

    The folder is written aside and renamed when it is whole.

    Args:
        drafts: parts, made by :func:`.kinds.keyed_part` and its like.

    Raises:
        OutputError: `out` is there already.
        LatePlanError: a plan was put on the ledger after the first answer of a suspect.
        CommitmentError: what stands on the ledger is not what the plan says.
        PlanError, TranscriptError: a plan cannot be carried out with what was recorded.
        InputError: there is no part, or one that cannot be computed.
        StorageError: the bundle cannot be written.
    """
    if out.exists() or out.is_symlink():
        raise OutputError("is there already, and a bundle is never overwritten", path=out)
    if not drafts:
        raise InputError("there is no part to be sealed")
    try:
        # for its owner only: answers stand in it
        aside = Path(mkdtemp(prefix=f".{out.name}.", suffix=".new", dir=out.parent))
        try:
            sealed = _written(aside, drafts, signing_key)
            for folder, _, _ in os.walk(aside):
                sync_folder(Path(folder))
            aside.rename(out)
            sync_folder(out.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror}", path=out) from error
    parts, found, digest = sealed
    return Sealed(out, parts, found, digest)


def _written(
    aside: Path, drafts: Sequence[Draft], signing_key: SigningKey
) -> tuple[tuple[Part, ...], int, str]:
    order = {name: number for number, name in enumerate(KINDS)}
    places = [
        _part(aside, draft, f"{number}-{draft.kind}/")
        for number, draft in enumerate(sorted(drafts, key=lambda each: order[each.kind]), 1)
    ]
    parts = tuple(place.part for place in places)
    predicate = Predicate(
        at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        code=code_digest(), parts=parts,
    )  # fmt: skip
    write_file(aside / ENVIRONMENT, json_file(environment()))
    write_file(aside / REPORT, render(aside, predicate, signing_key.public))
    statement = Statement(
        subject=tuple(
            Subject(name, {"sha256": digest_file(aside / name)}) for name in sorted(listed(aside))
        ),
        predicate_type=PREDICATE_TYPE,
        predicate=msgspec.to_builtins(predicate),
    )
    write_file(aside / STATEMENT, Envelope.signed(statement, signing_key).encoded())
    found = sum(KINDS[each.part.kind].found(each.value(RESULTS)) for each in places)
    return parts, found, digest_file(aside / STATEMENT)


def _part(aside: Path, draft: Draft, folder: str) -> Place:
    """Write a part, and compute its results from what was written."""
    kind, registration, commitment = KINDS[draft.kind], draft.registration, draft.commitment
    part = Part(
        kind=draft.kind, folder=folder, label=kind.label,
        registration=None if registration is None else registration.digest(),
        ledger=None if commitment is None else commitment.head.ledger,
        opened=draft.open_keys, models=draft.models, settings=dict(draft.settings),
        limits=tuple(f"{head} {text}" for head, text in kind.limits),
    )  # fmt: skip
    place = Place(aside, part)
    for name, data in draft.files.items():
        write_file(place.path(name), data)
    if registration is not None:
        write_file(place.path(PLAN), registration.canonical() + b"\n")
    if commitment is not None and registration is not None:
        entry = Entry.parse(commitment.entry)
        check_entry(entry, registration)
        check_order(entry, place.earliest())
        write_file(place.path(ENTRY), commitment.entry + b"\n")
        write_file(place.path(HEAD), commitment.head.encoded())
        write_file(place.path(PROOF), commitment.proof.encoded())
    if draft.open_keys and draft.opened is not None:
        write_file(place.path(OPENED), json_file(msgspec.to_builtins(draft.opened)))
    try:
        kind.check(place)
        computed = kind.computed(place, draft.opened, draft.outside)
    except TamperedError as error:  # nobody did yet: what was handed in does not belong together
        raise PlanError(str(error)) from error
    except ValueError as error:
        raise PlanError(f"the plan cannot be carried out: {error}") from error
    if computed is None:
        raise InputError(f"the results of {draft.kind} do not follow from what was given")
    write_file(place.path(RESULTS), json_file(computed.value))
    return place
