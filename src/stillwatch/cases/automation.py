"""Rules that the operator has allowed to act by themselves, and where they must not.

A rule is proposed by one person and approved by another, ends by itself, and may slow and narrow,
nothing else (design, law 8). It acts on a case that nobody has claimed yet. It is held back, with
the reason in the case, where an account is on the allow-list or registered for a purpose, where the
finding carries no promise, and where the null did not hold (law 2).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from stillwatch.access.database import Database
from stillwatch.cases.case import Case
from stillwatch.cases.events import Automated
from stillwatch.cases.evidence import check_text
from stillwatch.cases.measures import Measure, action_of, check_measures
from stillwatch.cases.outbox import put_entry
from stillwatch.cases.people import Who, folded
from stillwatch.cases.reasons import accusation
from stillwatch.cases.schema import PROPOSALS, RULES
from stillwatch.cases.standing import is_listed, standings
from stillwatch.cases.states import State
from stillwatch.cases.tokens import check_pair
from stillwatch.cases.transaction import Transaction, names_of, transaction
from stillwatch.errors import CaseError, ConflictError, ExpiredError, UnknownCaseError

__all__ = ["LASTS", "Rule", "RuleBook", "Version", "act", "active_rules"]

#: seconds that a proposal waits for its approval
PATIENCE = 7 * 86_400
#: seconds that a rule may act before it is decided anew
LASTS = 90 * 86_400
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to act, and what to do.

    `level_at_most` bounds the error rate at which the finding would have been reported,
    `families_at_least` how many independent families of evidence carry it (law 1: never below 2);
    `detections` must all be among its evidence; no `segments` are all of them.
    """

    name: str
    measures: tuple[Measure, ...]
    reason: str
    message: str
    why: str
    level_at_most: float = 0.01
    families_at_least: int = 2
    detections: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()

    def matches(self, case: Case) -> bool:
        """Whether a case is one that it is for."""
        named = {p.item.detection for p in case.pieces("inference")}
        return (
            case.level is not None
            and case.level <= self.level_at_most
            and len(case.families) >= self.families_at_least
            and named.issuperset(self.detections)
            and (not self.segments or case.opened.segment in self.segments)
        )


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it was proposed once. Times are seconds since the epoch, UTC."""

    rule: Rule
    version: int
    proposed_by: str
    proposed_at: int
    approved_by: str | None
    approved_at: int | None
    expires_at: int
    revoked_by: str | None
    revoked_at: int | None

    def in_force(self, at: float) -> bool:
        """Whether it may act at a time."""
        return self.approved_at is not None and self.revoked_at is None and at < self.expires_at


class RuleBook:
    """Writes and reads the rules. `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def propose(self, rule: Rule, lasting: int, who: Who) -> Version:
        """Write a new version of a rule, which does nothing until another person approves it.

        Raises:
            CaseError: it could not act, or would do what no rule may.
            FourEyesError: `who` is a program.
        """
        who.checked().needs_person("a rule that acts by itself")
        _check(rule)
        if not 0 < lasting <= LASTS:
            raise CaseError(f"a rule must end, within {LASTS // 86_400} days; decide again then")
        with transaction(self._database, self._clock()) as change:
            last = change.connection.execute(
                select(func.max(RULES.c.version)).where(RULES.c.name == rule.name)
            ).scalar()
            version = (last or 0) + 1
            now = change.now
            change.connection.execute(
                insert(RULES).values(
                    name=rule.name,
                    version=version,
                    body=msgspec.json.encode(rule, order="sorted").decode(),
                    proposed_by=who.name,
                    proposed_at=now,
                    expires_at=now + lasting,
                )
            )
            change.connection.execute(
                insert(PROPOSALS).values(
                    id=_proposal(rule.name, version),
                    proposer=folded(who.name),
                    four_eyes=True,
                    expires_at=min(now + PATIENCE, now + lasting),
                )
            )
            _record(change, "proposed", who, _one(change.connection, rule.name, version))
            return _one(change.connection, rule.name, version)

    def approve(self, name: str, version: int, who: Who) -> Version:
        """Let a version act from now on, in place of those before it.

        Raises:
            FourEyesError: `who` proposed it, or is a program.
            ExpiredError: it was proposed too long ago.
            ConflictError: it was decided already.
            UnknownCaseError: there is no such version.
        """
        who.checked()
        with transaction(self._database, self._clock()) as change:
            known = _one(change.connection, name, version)
            if known.approved_at is not None or known.revoked_at is not None:
                raise ConflictError(f"version {version} of {name} was approved or revoked already")
            check_pair(change.connection, known.proposed_by, who, "a rule that acts by itself")
            end = change.connection.execute(
                select(PROPOSALS.c.expires_at).where(PROPOSALS.c.id == _proposal(name, version))
            ).scalar_one()
            if change.now >= end:
                raise ExpiredError(f"version {version} of {name} waited too long; propose it again")
            change.connection.execute(
                update(PROPOSALS)
                .where(PROPOSALS.c.id == _proposal(name, version))
                .values(approver=folded(who.name), outcome="approved")
            )
            change.connection.execute(
                update(RULES)
                .where(RULES.c.name == name, RULES.c.version < version)
                .where(RULES.c.revoked_at.is_(None))
                .values(revoked_by=who.name, revoked_at=change.now)
            )
            change.connection.execute(
                update(RULES)
                .where(RULES.c.name == name, RULES.c.version == version)
                .values(approved_by=who.name, approved_at=change.now)
            )
            found = _one(change.connection, name, version)
            _record(change, "approved", who, found)
            return found

    def revoke(self, name: str, version: int, who: Who) -> Version:
        """End a version now; what it has done stays until it is undone.

        Raises:
            UnknownCaseError: there is no such version.
        """
        who.checked()
        with transaction(self._database, self._clock()) as change:
            if _one(change.connection, name, version).revoked_at is None:
                change.connection.execute(
                    update(RULES)
                    .where(RULES.c.name == name, RULES.c.version == version)
                    .values(revoked_by=who.name, revoked_at=change.now)
                )
                _record(change, "revoked", who, _one(change.connection, name, version))
            return _one(change.connection, name, version)

    def versions(self) -> list[Version]:
        """All versions of all rules."""
        with self._database.reading() as (connection, _):
            return _versions(connection)


def active_rules(connection: Connection, now: int) -> list[Version]:
    """Those that may act now."""
    return [each for each in _versions(connection) if each.in_force(now)]


def act(change: Transaction, case: Case, rules: Sequence[Version]) -> list[str]:
    """Let the rules act on a case that nobody has claimed; its id once for each that did.

    Accounts that are under an action of the case already are left as they are, and those that
    somebody freed stay free.
    """
    acted = []
    for each in rules:
        if case.state != State.OPEN or not each.rule.matches(case):
            continue
        rule = each.rule
        names = {
            number: name
            for number, name in names_of(change.connection, case.id).items()
            if name is not None
        }
        if held := _held_back(change, case, list(names.values())):
            if any(a.rule == rule.name and a.held_back == held for a in case.automated):
                continue
            done = Automated(rule=rule.name, version=each.version, held_back=held)
            case, _ = change.append(case, _author(each), done)
            continue
        under = {action.subject for action in change.in_force(case.actions)}
        under |= {action.subject for action in change.actions(case.lifted)}
        targets = {number: name for number, name in names.items() if name not in under}
        if not targets:
            continue
        ids = []
        for number, name in targets.items():
            for measure in rule.measures:
                action = action_of(
                    measure,
                    id=f"{case.id}.{case.events + 1}.{measure.kind}.{number}",
                    subject=name,
                    reason=rule.reason,
                    message=rule.message,
                    by=f"rule {rule.name}/{each.version}",
                    person=False,
                    now=change.now,
                )
                ids.append(change.put(action).id)
        done = Automated(rule=rule.name, version=each.version, actions=tuple(ids))
        case, event = change.append(case, _author(each), done)
        said = {
            "rule": rule.name,
            "version": each.version,
            "measures": [msgspec.to_builtins(measure) for measure in rule.measures],
            "reason": rule.reason,
        }
        hidden = change.commitments(case.id, tuple(targets))
        change.record(case.id, event, "action", said, accounts=hidden)
        acted.append(case.id)
    return acted


def _author(version: Version) -> Who:
    return Who(name=f"rule {version.rule.name}/{version.version}", person=False)


def _held_back(change: Transaction, case: Case, names: Sequence[str]) -> str:
    """Why no rule may act on a case about accounts of these names, or nothing."""
    if case.decisions:
        return "people decided it before, and an appeal is open"
    if case.opened.previous is not None:
        before = change.case(case.opened.previous)
        if before.verdict != "upheld":
            return f"people decided {before.id}, on the same campaign: {before.verdict}"
    known = standings(change.connection, names, change.now)
    if case.allowed or any(map(is_listed, known.values())):
        return "an account is on the allow-list, or its keys name a registered purpose"
    if not case.opened.promised:
        return "the finding is under review: nothing is promised of it"
    if case.opened.withheld:
        return f"the null did not hold in: {', '.join(case.opened.withheld)}"
    return "a later look withdrew the finding" if case.withdrawn else ""


def _check(rule: Rule) -> None:
    if not _NAME.fullmatch(rule.name):
        raise CaseError(f"name: {rule.name!r} is none such as coordinated-slow")
    if not rule.measures:
        raise CaseError("measures: a rule does something, such as slow")
    check_measures(rule.measures, automatic=True)
    accusation(rule.reason)
    check_text("message", rule.message)
    check_text("why", rule.why)
    if not 0 < rule.level_at_most <= 1:
        raise CaseError(f"level_at_most: {rule.level_at_most} is no error rate")
    if rule.families_at_least < 2:
        raise CaseError("families_at_least: a link is not a verdict; two families at least")


def _proposal(name: str, version: int) -> str:
    return f"rule {name}/{version}"


def _record(change: Transaction, outcome: str, who: Who, version: Version) -> None:
    body: dict[str, Any] = {
        "rule": version.rule.name,
        "version": version.version,
        "outcome": outcome,
        "proposed_by": version.proposed_by,
        "measures": [msgspec.to_builtins(m) for m in version.rule.measures],
        "expires_at": version.expires_at,
    }
    put_entry(change.connection, kind="rule_version", at=change.now, by=who.name, body=body)


def _versions(connection: Connection) -> list[Version]:
    rows = connection.execute(select(RULES).order_by(RULES.c.name, RULES.c.version)).mappings()
    found = []
    for row in rows:
        fields = {key: value for key, value in row.items() if key not in ("name", "body")}
        found.append(Version(rule=msgspec.json.decode(row["body"], type=Rule), **fields))
    return found


def _one(connection: Connection, name: str, version: int) -> Version:
    for each in _versions(connection):
        if (each.rule.name, each.version) == (name, version):
            return each
    raise UnknownCaseError(f"there is no version {version} of a rule {name!r}")
