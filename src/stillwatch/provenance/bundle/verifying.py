"""Verification, offline, by somebody who trusts nobody here: every file, every claim.

The signature binds all files. What it cannot bind is an honest signer, so that the rest is checked
as well: that the plan is the one on the ledger, the probes those of the plan, the roots those of
the transcripts, and, where keys were opened, that the results follow from the transcripts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509

from stillwatch.errors import InputError, PlanError, StillwatchError, TamperedError
from stillwatch.ledger import Entry, Head, InclusionProof, canonical, parse_proof, parsed
from stillwatch.ledger.timestamps import stamped_at
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
    Opened,
    Predicate,
    json_file,
    transcript_root,
)
from stillwatch.provenance.bundle.envelope import Envelope, Statement
from stillwatch.provenance.code import code_digest
from stillwatch.provenance.committing import KIND
from stillwatch.provenance.keyed import EnglishReader, KeyedOutcome, keyed_test
from stillwatch.provenance.probes import Probes
from stillwatch.provenance.registration import Registration
from stillwatch.provenance.transcripts import read_transcripts

__all__ = ["Verified", "verify"]


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that is sound, and what was found on the way.

    Attributes:
        signer: the public key of the statement, 64 hexadecimal digits.
        registration: the digest of the plan.
        head: that the plan was held against; None where it stands on no ledger.
        stamped: when an authority saw that head; None where that was not asked or there is none.
        outcomes: the results, computed again; None where the keys are not opened.
        same_code: whether the program that verified is the one that sealed.
    """

    signer: str
    registration: str
    head: Head | None
    stamped: datetime | None
    outcomes: tuple[KeyedOutcome, ...] | None
    same_code: bool


def verify(
    bundle: Path,
    key: str | None = None,
    *,
    ledger_key: str | None = None,
    roots: list[x509.Certificate] | None = None,
) -> Verified:
    """Check a bundle; nothing but the folder is read.

    Args:
        key: the public key that it must be signed with; else the one that it names itself, which
            shows that it is whole, and nothing about whose it is.
        ledger_key: the public key of the ledger's heads, in the same way.
        roots: certificates of the authority that time-stamped the head.

    Raises:
        TamperedError: what is wrong first.
        InputError: it cannot be read, or is no bundle.
    """
    envelope = Envelope.parse(_read(bundle, STATEMENT), path=bundle / STATEMENT)
    signer = envelope.check(key)
    statement = envelope.statement()
    predicate = _predicate(statement, bundle)
    _check_files(bundle, statement, predicate)
    registration = Registration.read(bundle / PLAN)
    if registration.digest() != predicate.registration:
        raise TamperedError("the plan is not the one that the statement names", path=bundle / PLAN)
    for model in predicate.models:
        if transcript_root(_read(bundle, model.file)) != model.root:
            raise TamperedError(
                f"the answers of {model.name} do not have the root that the statement names",
                path=bundle / model.file,
            )
    probes = Probes.read(bundle / PROBES)
    try:
        probes.check(registration)
    except PlanError as error:
        raise TamperedError(str(error), path=bundle / PROBES) from error
    head, stamped = None, None
    if predicate.ledger is not None:
        head = _check_ledger(bundle, registration, predicate, ledger_key)
        stamped = None if roots is None else stamped_at(head, roots)
    elif roots is not None:
        raise InputError("the plan stands on no ledger, so that nothing is time-stamped")
    outcomes = _again(bundle, registration, predicate, probes) if predicate.opened else None
    return Verified(
        signer, registration.digest(), head, stamped, outcomes, predicate.code == code_digest()
    )


def _read(bundle: Path, name: str) -> bytes:
    try:
        return (bundle / name).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=bundle / name) from error


def _predicate(statement: Statement, bundle: Path) -> Predicate:
    try:
        if statement.predicate_type != PREDICATE_TYPE:
            raise ValueError(f"its predicate is {statement.predicate_type}")  # noqa: TRY301
        return msgspec.convert(statement.predicate, Predicate, strict=True)
    except ValueError as error:
        raise InputError(f"is no evidence bundle: {error}", path=bundle) from error


def _check_files(bundle: Path, statement: Statement, predicate: Predicate) -> None:
    """Every file is as it was sealed, none is missing, none was added."""
    sealed = {each.name: each.digest.get("sha256") for each in statement.subject}
    here = {
        str(path.relative_to(bundle)) for path in bundle.rglob("*") if not path.is_dir()
    } - {STATEMENT}  # fmt: skip
    if missing := sorted(sealed.keys() - here):
        raise TamperedError("was sealed, and is missing", path=bundle / missing[0])
    if added := sorted(here - sealed.keys()):
        raise TamperedError("was not sealed: it was added since", path=bundle / added[0])
    for name, digest in sorted(sealed.items()):
        if hashlib.sha256(_read(bundle, name)).hexdigest() != digest:
            raise TamperedError("is not what was sealed: it was changed", path=bundle / name)
    needed = {PLAN, PROBES, RESULTS, ENVIRONMENT, REPORT, *(each.file for each in predicate.models)}
    if left := needed - sealed.keys():
        raise TamperedError("was left out when it was sealed", path=bundle / min(left))


def _check_ledger(
    bundle: Path, registration: Registration, predicate: Predicate, key: str | None
) -> Head:
    head = Head.parse(_read(bundle, HEAD), path=bundle / HEAD)
    head.check(key)
    proof = parse_proof(_read(bundle, PROOF), path=bundle / PROOF)
    if not isinstance(proof, InclusionProof):
        raise InputError("is no proof of an entry", path=bundle / PROOF)
    try:
        entry = canonical(parsed(_read(bundle, ENTRY)))
    except ValueError as error:
        raise InputError(str(error), path=bundle / ENTRY) from error
    proof.check(entry, head)
    found = Entry.parse(entry, path=bundle / ENTRY)
    if head.ledger != predicate.ledger:
        raise TamperedError("the head is of another ledger than the statement names")
    if found.kind != KIND or found.body.get("registration") != registration.digest():
        raise TamperedError(
            "what stands on the ledger is another plan than this one", path=bundle / ENTRY
        )
    return head


def _again(
    bundle: Path, registration: Registration, predicate: Predicate, probes: Probes
) -> tuple[KeyedOutcome, ...]:
    """The results, from the transcripts and the opened keys."""
    opened = Opened.parse(_read(bundle, OPENED), bundle / OPENED)
    answers = {
        role: {
            each.name: read_transcripts(bundle / each.file).answers
            for each in predicate.models if each.role == role
        }
        for role in ("suspect", "control")
    }  # fmt: skip
    try:
        outcomes = keyed_test(
            answers["suspect"], registration, opened.marks(), probes,
            EnglishReader.of(probes.canaries), salt=bytes.fromhex(opened.salt),
            controls=answers["control"], other_code=True,
        )  # fmt: skip
    except (StillwatchError, ValueError) as error:
        raise TamperedError(
            f"the plan cannot be carried out with what is sealed: {error}"
        ) from error
    if json_file([each.said() for each in outcomes]) != _read(bundle, RESULTS):
        raise TamperedError(
            "the results do not follow from the transcripts and the keys", path=bundle / RESULTS
        )
    return outcomes
