"""From a state folder, a log and a policy to a draft; nothing is changed by it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from stillwatch.cases import open_cases
from stillwatch.detections import Family
from stillwatch.errors import IntelError, StoreFormatError
from stillwatch.intel.exporting.describing import Choice
from stillwatch.intel.exporting.draft import Draft, make_draft
from stillwatch.intel.exporting.known import Known, known_of
from stillwatch.intel.exporting.observed import Observed, observe
from stillwatch.intel.exporting.own import Own
from stillwatch.intel.exporting.register import Register
from stillwatch.intel.identifiers import FIELDS
from stillwatch.intel.policy import Policy
from stillwatch.intel.received import open_received
from stillwatch.ledger import Ledger
from stillwatch.sources import open_log

__all__ = ["prepare"]

_FROM_LOG = frozenset({*FIELDS, "template", "linkage", "parameters", "infrastructure"})


def prepare(
    state: str, folder: Path, case: str, own: Own, policy: Policy, now: datetime, *,
    logs: Sequence[str] = (), format: str = "auto", choice: Choice | None = None,  # noqa: A002
) -> Draft:  # fmt: skip
    """The draft of an export of `case`.

    Args:
        state: where the cases are, a folder or an address.
        folder: where the ledger and the register of exports are.
        logs: the raw log that holds the exchanges of the case, and those of everybody else.

    Raises:
        UnknownCaseError: there is no such case.
        InputError: the log cannot be read, or none of the accounts is in it.
        IntelError: there is nothing that could be told, or a key is missing.
    """
    with open_cases(state) as cases:
        known = known_of(cases, case, now)
    if Family.OUTSIDE in known.families:
        known = replace(known, told=_told(state))
    seen = _observed(known, own, policy, logs, format) if logs else None
    choice = choice or Choice()
    if "evidence_head" in policy.fields:
        choice = replace(choice, evidence_head=_head(folder))
    with Register(folder) as register:
        earlier = register.current(case)
        if (identity := register.version(own.identity)) is not None:
            earlier[own.identity] = identity
        return make_draft(
            known, seen, policy, own, now,
            choice=choice, earlier=earlier, generation=register.generation(case),
            after=register.last_number(case),
        )  # fmt: skip


def _observed(
    known: Known, own: Own, policy: Policy, logs: Sequence[str], format_: str
) -> Observed | None:
    if not _FROM_LOG & policy.fields:
        return None
    if own.community is None:
        raise IntelError(
            "what a log shows is told under a community key; name one with --community FILE "
            "(`stillwatch intel keygen` makes one)"
        )
    log = open_log(logs, format=format_)
    seen = observe(log, known.accounts, aside=known.aside, community=own.community, k=policy.k)
    if not seen.members:
        raise IntelError(
            f"none of the {len(known.accounts):,} accounts of {known.case} is in the log: give the "
            "one that the case was found in"
        )
    return seen


def _told(state: str) -> frozenset[str]:
    """Every pattern that members told us of."""
    try:
        with open_received(state) as received:
            return received.patterns()
    except StoreFormatError:  # nothing was ever received
        return frozenset()


def _head(folder: Path) -> str | None:
    """SHA-256 of the last signed head of the ledger; None where there is none."""
    try:
        with Ledger.open(folder, read_only=True) as ledger:
            heads = ledger.heads()
    except StoreFormatError:
        return None
    return hashlib.sha256(heads[-1].encoded()).hexdigest() if heads else None
