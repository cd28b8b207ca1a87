"""What somebody wants decided, and whether it can stand: weighed, carried, aimed, under terms."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from stillwatch.cases.automation import PATIENCE
from stillwatch.cases.case import Case
from stillwatch.cases.events import Proposed, Target, Verdict
from stillwatch.cases.evidence import check_text
from stillwatch.cases.measures import LONGEST_MESSAGE, Measure, check_measures, four_eyes
from stillwatch.cases.people import folded
from stillwatch.cases.reach import parties_of, targets
from stillwatch.cases.reasons import REASONS, check_reason, sentence
from stillwatch.cases.schema import CLAUSES
from stillwatch.cases.standing import Standing, is_listed, standings
from stillwatch.cases.transaction import Transaction
from stillwatch.errors import CaseError

__all__ = ["Draft", "proposal_of"]

#: kinds of evidence, or sources of facts, that shutting out must rest on
_LEAST_FAMILIES = 2


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants decided.

    `accounts` are names; none are all of the case, but for those on the allow-list or registered
    for a purpose, which must be named. `clause` is of the terms that the accounts accepted;
    `without_terms` says why the verdict stands where no accepted terms are recorded. `message` is
    for the owner; `summary`, why it is so, is not. Where `orgs` (names) or `keys` (ids) are given
    the measures are for them, and for no account but those that are named. `second` asks for a
    second person where none is needed.
    """

    verdict: Verdict
    reason: str
    summary: str
    message: str = ""
    measures: tuple[Measure, ...] = ()
    accounts: tuple[str, ...] = ()
    orgs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    clause: str | None = None
    without_terms: str = ""
    second: bool = False


def proposal_of(change: Transaction, case: Case, draft: Draft) -> Proposed:
    """A draft that can stand.

    Raises:
        CaseError: it cannot, or nobody has looked for counter-evidence.
    """
    if not case.weighed():
        raise CaseError(
            "counter-evidence: nobody has looked for what speaks for the accounts"
            f"{' since the appeal' if case.appeals else ''}; look, and add what you found "
            "(`stillwatch cases add --counter`), be it that there is nothing"
        )
    sentence(draft.reason)
    check_measures(draft.measures)
    if draft.measures and draft.verdict != "upheld":
        raise CaseError(f"measures: a verdict '{draft.verdict}' has none")
    if four_eyes(draft.measures):
        _check_carried(case)
    if (draft.orgs or draft.keys) and not draft.measures:
        raise CaseError("orgs, keys: a verdict without measures is about accounts; leave them out")
    check_reason(draft.reason, upheld=draft.verdict == "upheld")
    wider = targets(change.connection, case.id, draft.orgs, draft.keys)
    numbers, on_list, known = _targets(change, case, draft, wider)
    terms: tuple[str, ...] = ()
    if draft.verdict == "upheld":
        terms = _terms(change.connection, draft, known)
    message = draft.message.strip() or REASONS[draft.reason]
    if len(message) > LONGEST_MESSAGE:
        raise CaseError(f"message: {LONGEST_MESSAGE:,} characters at most")
    return Proposed(
        proposal=f"{case.id}.{case.events + 1}",
        verdict=draft.verdict,
        reason=draft.reason,
        summary=check_text("summary", draft.summary),
        message=message,
        measures=draft.measures,
        accounts=numbers,
        four_eyes=draft.second
        or bool(draft.orgs)
        or four_eyes(draft.measures)
        or (case.emergency is not None and draft.verdict == "upheld"),
        expires_at=max(change.now, case.changed_at) + PATIENCE,
        terms=terms,
        clause=draft.clause,
        without_terms=draft.without_terms.strip(),
        wider=wider,
        listed=on_list,
    )


def _check_carried(case: Case) -> None:
    """Refuse to shut out on one kind of evidence alone."""
    if len(case.families) >= _LEAST_FAMILIES:
        return
    if case.emergency is None:
        raise CaseError(
            "suspend: a link is not a verdict; it needs two independent families of "
            f"evidence, and there is {', '.join(case.families) or 'none'}"
        )
    sources = {folded(p.item.source) for p in case.pieces("fact") if p.person}
    if len(sources) < _LEAST_FAMILIES:
        raise CaseError(
            "suspend: no detection speaks in this case, so that it needs facts from two sources; "
            "look, and add what you found (`stillwatch cases add --fact --source`)"
        )


def _targets(
    change: Transaction, case: Case, draft: Draft, wider: Sequence[Target]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Standing, ...]]:
    """The numbers of the accounts that a draft is for, those of them that are on the allow-list or
    registered, and what is known of all and of those whose orgs or keys it is for."""
    parties = parties_of(change.connection, case.id)
    if unknown := [name for name in draft.accounts if name not in parties]:
        raise CaseError(f"accounts: {unknown[0]!r} is none of {case.id}")
    named = draft.accounts or wider
    now = standings(change.connection, list(parties), change.now)
    on_list = {number for name, (number, _) in parties.items() if is_listed(now[name])}
    on_list |= set(case.allowed)
    chosen = {
        number: standing
        for name, (number, standing) in parties.items()
        if (name in draft.accounts if named else number not in on_list)
    }
    if draft.measures and not chosen and not wider:
        raise CaseError(
            "accounts: all of this case are allow-listed, registered for a purpose, or erased; "
            "name those that you mean"
        )
    meant = chosen.keys() | {each.account for each in wider}
    known = tuple(standing for number, standing in parties.values() if number in meant)
    return tuple(chosen), tuple(sorted(on_list & chosen.keys())), known


def _terms(connection: Connection, draft: Draft, known: Sequence[Standing]) -> tuple[str, ...]:
    """The versions of the terms that the accounts accepted; each must have the clause."""
    accepted = tuple(sorted({each.terms for each in known if each.terms is not None}))
    if any(each.terms is None for each in known) and not draft.without_terms.strip():
        raise CaseError(
            "without_terms: for some accounts no accepted terms are recorded; say why the verdict "
            "stands all the same"
        )
    if accepted and draft.clause is None:
        raise CaseError(f"clause: name the clause of the terms {', '.join(accepted)}")
    if draft.clause is not None:
        written = set(
            connection.scalars(select(CLAUSES.c.terms).where(CLAUSES.c.clause == draft.clause))
        )
        if missing := [each for each in accepted if each not in written] or (
            [] if written else ["any version"]
        ):
            raise CaseError(
                f"clause: {draft.clause} is not written down for the terms {missing[0]}; "
                "`stillwatch cases terms` does it"
            )
    return accepted
