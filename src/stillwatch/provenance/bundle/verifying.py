"""Verification, offline, by somebody who trusts nobody here: every file, every claim.

The signature binds all files. What it cannot bind is an honest signer, so that the rest is checked
as well: that each plan is the one on the ledger, probes and texts those of the plan, roots those of
the transcripts, that results follow from what is there, and that the report tells these results.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from jinja2 import TemplateError

from stillwatch.errors import InputError, PlanError, StillwatchError, TamperedError
from stillwatch.ledger import Entry, Head, InclusionProof, canonical, parse_proof
from stillwatch.ledger.timestamps import stamped_at
from stillwatch.provenance.bundle.contents import (
    ENTRY,
    ENVIRONMENT,
    HEAD,
    OPENED,
    PLAN,
    PROOF,
    REPORT,
    RESULTS,
    STATEMENT,
    Part,
    Place,
    Predicate,
    json_file,
    read_predicate,
)
from stillwatch.provenance.bundle.envelope import Envelope, Statement
from stillwatch.provenance.bundle.files import digest_file, is_plain, listed
from stillwatch.provenance.bundle.kinds import EVIDENCE, KINDS, Kind, Outside
from stillwatch.provenance.bundle.opened import Opened
from stillwatch.provenance.bundle.report import render
from stillwatch.provenance.code import code_digest
from stillwatch.provenance.committing import Plannable, check_entry, check_order

__all__ = ["Verified", "VerifiedPart", "verify"]


@dataclass(frozen=True, slots=True)
class VerifiedPart:
    """A part that is sound.

    Attributes:
        part: what the statement says of it.
        value: the results, as JSON has them.
        found: how many findings about suspects they hold.
        source: from what the results were computed again; None where they were not.
        entry_at: when the plan was put on the ledger, by the ledger's clock.
        head: that the plan was held against; None where it stands on no ledger.
        stamped: when an authority saw that head; None where that was not asked or there is none.
        first_at: when the first recorded answer of a suspect came; None where that is not known.
        program: the digest of the program that the plan is for; None where it names none.
    """

    part: Part
    value: Any
    found: int
    source: str | None
    entry_at: str | None
    head: Head | None
    stamped: datetime | None
    first_at: datetime | None
    program: str | None


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that is sound, and what was found on the way.

    Attributes:
        signer: the public key of the statement, 64 hexadecimal digits.
        code: the digest of the program that computed the results.
        parts: in the order of the statement.
        same_code: whether the program that verified is the one that sealed.
        page: the report that the program that verified makes of what is sealed, UTF-8; None where
            it can make none of what another release sealed.
        same_page: whether the report in the bundle is that one, byte by byte. It is, where the same
            release sealed; of another's report nothing is known, and `page` is to be read instead.
    """

    signer: str
    code: str
    parts: tuple[VerifiedPart, ...]
    same_code: bool
    page: bytes | None
    same_page: bool


def verify(
    bundle: Path,
    key: str | None = None,
    *,
    ledger_key: str | None = None,
    roots: list[x509.Certificate] | None = None,
    outside: Outside | None = None,
) -> Verified:
    """Check a bundle; nothing but the folder, and what is given here, is read.

    Args:
        key: the public key that it must be signed with; else the one that it names itself, which
            shows that it is whole, and nothing about whose it is.
        ledger_key: the public key of the ledger's heads, in the same way.
        roots: certificates of the authority that time-stamped the heads.
        outside: records and prompts that are not in the bundle, to compute from them, too.

    Raises:
        TamperedError: what is wrong first.
        InputError: it cannot be read, or is no bundle.
    """
    if not bundle.is_dir():
        raise InputError("is no folder, and so no bundle", path=bundle)
    here = listed(bundle)
    if STATEMENT not in here:
        raise InputError("there is no statement, and so no bundle", path=bundle / STATEMENT)
    envelope = Envelope.parse((bundle / STATEMENT).read_bytes(), path=bundle / STATEMENT)
    signer = envelope.check(key)
    statement = envelope.statement()
    predicate = _predicate(statement, bundle)
    _check_names(predicate, bundle)
    _check_files(bundle, here, statement, predicate)
    if roots is not None and not any(part.ledger for part in predicate.parts):
        raise InputError("no plan stands on a ledger, so that nothing is time-stamped")
    parts = tuple(
        _part(Place(bundle, part), ledger_key, roots, outside or Outside())
        for part in predicate.parts
    )
    page = _page(bundle, predicate, envelope.signatures[0].keyid)
    same_page = page == (bundle / REPORT).read_bytes()
    same_code = predicate.code == code_digest()
    if same_code and not same_page:
        raise TamperedError("does not tell what was sealed", path=bundle / REPORT)
    return Verified(signer, predicate.code, parts, same_code, page, same_page)


#: what results of a shape that no release wrote lead to
_ODD = (StopIteration, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def _page(bundle: Path, predicate: Predicate, signer: str) -> bytes | None:
    """The report of what is sealed; None where another release sealed what has none here."""
    try:
        return render(bundle, predicate, signer)
    except (*_ODD, TemplateError) as error:
        if predicate.code != code_digest():
            return None
        raise TamperedError(
            f"no report can be made of what is sealed: {error}", path=bundle / REPORT
        ) from error


def _predicate(statement: Statement, bundle: Path) -> Predicate:
    try:
        return read_predicate(
            statement.predicate_type, statement.predicate, lambda: KINDS["keyed"].label
        )
    except ValueError as error:
        raise InputError(f"is no evidence bundle: {error}", path=bundle) from error


def _check_names(predicate: Predicate, bundle: Path) -> None:
    """Parts are of known kinds, labelled as their kinds are; no name leads out of the bundle."""
    for part in predicate.parts:
        if part.kind not in KINDS:
            raise InputError(f"has a part of the unknown kind {part.kind!r}", path=bundle)
        if part.label != KINDS[part.kind].label:
            raise TamperedError(
                f"a part of the kind {part.kind} is labelled {part.label!r}", path=bundle
            )
        if KINDS[part.kind].label == EVIDENCE and part.registration is None:
            raise TamperedError(f"a part of the kind {part.kind} names no plan", path=bundle)
        folder = [part.folder.removesuffix("/")] if part.folder else []
        for name in (*folder, *(each.file for each in part.models)):
            if name is not None and not is_plain(name):
                raise TamperedError(f"the statement names a file outside: {name!r}", path=bundle)
    folders = [part.folder for part in predicate.parts]
    apart = all(each.endswith("/") and each.count("/") == 1 for each in folders)
    if len(set(folders)) < len(folders) or not (apart or folders == [""]):
        raise TamperedError("its parts do not each have a folder of their own", path=bundle)


def _check_files(bundle: Path, here: set[str], statement: Statement, predicate: Predicate) -> None:
    """Every file is as it was sealed, none is missing, none was added."""
    sealed = {each.name: each.digest.get("sha256") for each in statement.subject}
    here = here - {STATEMENT}
    if len(sealed) < len(statement.subject):
        raise TamperedError("the statement names a file twice", path=bundle / STATEMENT)
    if missing := sorted(sealed.keys() - here):
        raise TamperedError("was sealed, and is missing", path=bundle / missing[0])
    if added := sorted(here - sealed.keys()):
        raise TamperedError("was not sealed: it was added since", path=bundle / added[0])
    for name, digest in sorted(sealed.items()):
        if digest_file(bundle / name) != digest:
            raise TamperedError("is not what was sealed: it was changed", path=bundle / name)
    _need({ENVIRONMENT, REPORT}, here, bundle)
    for part in predicate.parts:
        place = Place(bundle, part)
        needed = {RESULTS, *(each.file for each in part.models if each.file is not None)}
        needed |= {PLAN} if part.registration is not None else set()
        needed |= {ENTRY, HEAD, PROOF} if part.ledger is not None else set()
        needed |= {OPENED} if part.opened else set()
        _need({part.folder + name for name in needed}, here, bundle)
        _need({part.folder + name for name in KINDS[part.kind].needed(place)}, here, bundle)


def _need(needed: set[str], here: set[str], bundle: Path) -> None:
    if left := needed - here:
        raise TamperedError("was left out when it was sealed", path=bundle / min(left))


def _part(
    place: Place, ledger_key: str | None, roots: list[x509.Certificate] | None, outside: Outside
) -> VerifiedPart:
    part, kind = place.part, KINDS[place.part.kind]
    head, stamped, entry_at, program = None, None, None, None
    if part.registration is not None:
        registration = kind.plan(place.path(PLAN))
        if registration.digest() != part.registration:
            raise TamperedError(
                "the plan is not the one that the statement names", path=place.path(PLAN)
            )
        program = registration.told().get("code")
        if part.ledger is not None:
            entry, head = _on_ledger(place, registration, ledger_key)
            entry_at = entry.at
            stamped = None if roots is None or head.timestamp is None else stamped_at(head, roots)
    kind.check(place)
    if head is not None and entry_at is not None:
        try:
            check_order(entry, place.earliest())
        except PlanError as error:
            raise TamperedError(str(error), path=place.path(ENTRY)) from error
    value = place.value(RESULTS)
    source = _again(place, kind, value, outside)
    try:
        found = kind.found(value)
    except _ODD as error:
        raise InputError("holds no results", path=place.path(RESULTS)) from error
    return VerifiedPart(
        part, value, found, source, entry_at, head, stamped, place.first_at(), program
    )


def _on_ledger(place: Place, registration: Plannable, key: str | None) -> tuple[Entry, Head]:
    head = Head.parse(place.read(HEAD), path=place.path(HEAD))
    head.check(key)
    proof = parse_proof(place.read(PROOF), path=place.path(PROOF))
    if not isinstance(proof, InclusionProof):
        raise InputError("is no proof of an entry", path=place.path(PROOF))
    entry = canonical(place.value(ENTRY))
    proof.check(entry, head)
    found = Entry.parse(entry, path=place.path(ENTRY))
    if head.ledger != place.part.ledger:
        raise TamperedError("the head is of another ledger than the statement names")
    try:
        check_entry(found, registration)
    except PlanError as error:
        raise TamperedError(
            f"what stands on the ledger is another plan than this one: {error}",
            path=place.path(ENTRY),
        ) from error
    return found, head


def _again(place: Place, kind: Kind, value: Any, outside: Outside) -> str | None:
    """From what the results were computed again, and came out the same; None where they were not.

    Raises:
        TamperedError: they came out otherwise.
    """
    path = place.path(RESULTS)
    opened = None
    if place.part.opened:
        opened = Opened.parse(place.read(OPENED), place.path(OPENED))
    try:
        computed = kind.computed(place, opened, outside)
        if computed is None:
            if kind.label != EVIDENCE and any(each.file for each in place.part.models):
                raise TamperedError(  # noqa: TRY301
                    "the results do not follow from the answers", path=path
                )
            computed = kind.recounted(place, value)
    except TamperedError:
        raise
    except (StillwatchError, *_ODD) as error:
        raise TamperedError(
            f"the plan cannot be carried out with what is sealed: {error}", path=path
        ) from error
    if computed is None:
        return None
    if json_file(computed.value) != json_file(value):
        raise TamperedError(f"the results do not follow from {computed.source}", path=path)
    return computed.source
