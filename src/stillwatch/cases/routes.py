"""The routes of the API, one a line: method, path, who may, what is done.

``docs/cases-api.md`` lists them for people, and a test holds that page against this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from stillwatch.cases.automation import Rule, Version
from stillwatch.cases.case import Case
from stillwatch.cases.drafting import Draft
from stillwatch.cases.evidence import Item
from stillwatch.cases.findings import Finding
from stillwatch.cases.pool import Pool, pool_of
from stillwatch.cases.precision import Precision, measure
from stillwatch.cases.reasons import REASONS
from stillwatch.cases.standing import Allowance, Clause
from stillwatch.cases.statement import Statement, statement
from stillwatch.cases.states import State
from stillwatch.cases.store import Cases
from stillwatch.cases.tokens import APPROVES, WORKS, Role, Token
from stillwatch.cases.views import CaseView, redacted, view_of
from stillwatch.cases.working import Row
from stillwatch.errors import CaseError, NotAllowedError

__all__ = ["ROUTES", "Asked", "BodyError", "Route"]

T = TypeVar("T")
_ALL = frozenset(Role)
_NAMED = _ALL - {Role.READ_ONLY}
#: the character that no database takes, as JSON writes it
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
#: cases in one answer
_PAGE = 200
_MOST = 1_000


class BodyError(Exception):
    """A body that is not what a route takes."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, once it is known who asks. `names` stand in the places of the route's path."""

    token: Token
    names: tuple[str, ...]
    query: dict[str, str]
    body: bytes

    def read(self, kind: type[T]) -> T:
        """The body; no body is an empty object.

        Raises:
            BodyError: it is not of this kind.
        """
        if _NUL.search(self.body):
            raise BodyError("a text holds the character NUL")
        try:
            return msgspec.json.decode(self.body or b"{}", type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BodyError(str(error)) from error


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """`path` has ``{name}`` where any text may stand."""

    method: str
    path: str
    roles: frozenset[Role]
    handler: Callable[[Cases, Asked], Any]

    @property
    def writes(self) -> bool:
        return self.method == "POST"

    def names(self, parts: tuple[str, ...]) -> tuple[str, ...] | None:
        """What stands in the places of a path, or None where it is another one."""
        mine = self.path.strip("/").split("/")
        if len(mine) != len(parts):
            return None
        found = []
        for pattern, part in zip(mine, parts, strict=True):
            if pattern.startswith("{"):
                found.append(part)
            elif pattern != part:
                return None
        return tuple(found)


class _Page(msgspec.Struct):
    cases: list[Row]
    next: str | None


class _Findings(msgspec.Struct, forbid_unknown_fields=True):
    findings: list[Finding]
    segment: str | None = None


class _Taken(msgspec.Struct):
    opened: tuple[str, ...]
    updated: tuple[str, ...]
    automated: tuple[str, ...]


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    question: str
    of: str = "operator"


class _Evidence(msgspec.Struct, forbid_unknown_fields=True):
    item: Item
    answer: bool = False


class _Why(msgspec.Struct, forbid_unknown_fields=True):
    why: str


class _Approval(msgspec.Struct, forbid_unknown_fields=True):
    reaches: int | None = None
    proposal: str | None = None


class _Undo(msgspec.Struct, forbid_unknown_fields=True):
    why: str
    actions: tuple[str, ...] = ()


class _Appeal(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    through: str


class _Emergency(msgspec.Struct, forbid_unknown_fields=True):
    accounts: tuple[str, ...]
    lasting: int
    reason: str
    why: str
    source: str
    message: str = ""


class _Rule(msgspec.Struct, forbid_unknown_fields=True):
    rule: Rule
    lasting: int


class _Allow(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    purpose: str
    lasting: int
    why: str


def _list(cases: Cases, asked: Asked) -> _Page:
    query = asked.query
    if asked.token.role == Role.READ_ONLY and "claimed_by" in query:
        raise NotAllowedError("claimed_by: this role does not see names, nor asks for them")
    try:
        most = min(_MOST, max(1, int(query.get("limit", _PAGE))))
        state = State(query["state"]) if "state" in query else None
        score, _, last = query.get("after", "").partition("/")
        after = (float(score), last) if score else None
    except ValueError as error:
        raise CaseError(f"the query cannot be read: {error}") from error
    rows = list(cases.desk.queue(state, claimed_by=query.get("claimed_by"), after=after, most=most))
    following = f"{rows[-1].score!r}/{rows[-1].id}" if len(rows) == most else None
    if asked.token.role == Role.READ_ONLY:
        rows = [msgspec.structs.replace(row, claimed_by=None) for row in rows]
    return _Page(rows, following)


def _open(cases: Cases, asked: Asked) -> _Taken:
    body = asked.read(_Findings)
    taken = cases.intake.open(body.findings, asked.token.who, segment=body.segment)
    return _Taken(taken.opened, taken.updated, taken.automated)


def _shown(cases: Cases, asked: Asked, case: Case) -> CaseView:
    with cases.database.reading() as (connection, _):
        view = view_of(connection, case, int(cases.clock()))
    return redacted(view) if asked.token.role == Role.READ_ONLY else view


def _show(cases: Cases, asked: Asked) -> CaseView:
    return _shown(cases, asked, cases.desk.case(asked.names[0]))


def _events(cases: Cases, asked: Asked) -> object:
    return {"events": cases.desk.events(asked.names[0])}


def _statement(cases: Cases, asked: Asked) -> Statement:
    case = cases.desk.case(asked.names[0])
    with cases.database.reading() as (connection, _):
        return statement(connection, case, asked.query.get("account", ""))


def _pool(cases: Cases, asked: Asked) -> Pool:
    return pool_of(cases.database, asked.names[0])


def _claim(cases: Cases, asked: Asked) -> CaseView:
    return _shown(cases, asked, cases.desk.claim(asked.names[0], asked.token.who))


def _release(cases: Cases, asked: Asked) -> CaseView:
    return _shown(cases, asked, cases.desk.release(asked.names[0], asked.token.who))


def _ask(cases: Cases, asked: Asked) -> CaseView:
    body = asked.read(_Question)
    case = cases.desk.ask(asked.names[0], asked.token.who, body.question, body.of)
    return _shown(cases, asked, case)


def _add(cases: Cases, asked: Asked) -> CaseView:
    body = asked.read(_Evidence)
    case = cases.desk.add(asked.names[0], asked.token.who, body.item, answer=body.answer)
    return _shown(cases, asked, case)


def _propose(cases: Cases, asked: Asked) -> CaseView:
    case = cases.bench.propose(asked.names[0], asked.token.who, asked.read(Draft))
    return _shown(cases, asked, case)


def _approve(cases: Cases, asked: Asked) -> CaseView:
    body = asked.read(_Approval)
    case = cases.bench.approve(asked.names[0], asked.token.who, body.reaches, body.proposal)
    return _shown(cases, asked, case)


def _refuse(cases: Cases, asked: Asked) -> CaseView:
    body = asked.read(_Why)
    return _shown(cases, asked, cases.bench.refuse(asked.names[0], asked.token.who, body.why))


def _undo(cases: Cases, asked: Asked) -> CaseView:
    body = asked.read(_Undo)
    case = cases.bench.undo(asked.names[0], asked.token.who, body.why, body.actions)
    return _shown(cases, asked, case)


def _appeal(cases: Cases, asked: Asked) -> CaseView:
    body = asked.read(_Appeal)
    case = cases.desk.appeal(asked.names[0], asked.token.who, body.text, body.through)
    return _shown(cases, asked, case)


def _close(cases: Cases, asked: Asked) -> CaseView:
    body = asked.read(_Why)
    return _shown(cases, asked, cases.desk.close(asked.names[0], asked.token.who, body.why))


def _emergency(cases: Cases, asked: Asked) -> CaseView:
    body = asked.read(_Emergency)
    case = cases.emergencies.suspend(
        body.accounts, body.lasting, asked.token.who,
        reason=body.reason, why=body.why, source=body.source, message=body.message,
    )  # fmt: skip
    return _shown(cases, asked, case)


def _precision(cases: Cases, _: Asked) -> Precision:
    return measure(cases.database, cases.clock())


def _reasons(*_: object) -> object:
    return {"reasons": REASONS}


def _me(_: Cases, asked: Asked) -> Token:
    return asked.token


def _rules(cases: Cases, _: Asked) -> object:
    return {"rules": cases.rules.versions()}


def _rule(cases: Cases, asked: Asked) -> Version:
    body = asked.read(_Rule)
    return cases.rules.propose(body.rule, body.lasting, asked.token.who)


def _rule_approve(cases: Cases, asked: Asked) -> Version:
    return cases.rules.approve(asked.names[0], _number(asked.names[1]), asked.token.who)


def _rule_revoke(cases: Cases, asked: Asked) -> Version:
    return cases.rules.revoke(asked.names[0], _number(asked.names[1]), asked.token.who)


def _allowances(cases: Cases, _: Asked) -> object:
    return {"allowances": cases.registry.allowances()}


def _allow(cases: Cases, asked: Asked) -> Allowance:
    body = asked.read(_Allow)
    return cases.registry.allow(body.account, body.purpose, body.lasting, body.why, asked.token.who)


def _disallow(cases: Cases, asked: Asked) -> Allowance:
    return cases.registry.disallow(asked.names[0], asked.token.who)


def _clauses(cases: Cases, _: Asked) -> object:
    return {"clauses": cases.registry.clauses()}


def _clause(cases: Cases, asked: Asked) -> Clause:
    clause = asked.read(Clause)
    cases.registry.add_clause(clause)
    return clause


def _tokens(cases: Cases, _: Asked) -> object:
    return {"tokens": cases.tokens.all()}


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise CaseError(f"version: {text[:20]!r} is no number of a version")
    return int(text)


def _of(
    method: str, path: str, roles: frozenset[Role], handler: Callable[[Cases, Asked], Any]
) -> Route:
    return Route(method=method, path=path, roles=roles, handler=handler)


ROUTES: tuple[Route, ...] = (
    _of("GET", "/v1/me", _ALL, _me),
    _of("GET", "/v1/reasons", _ALL, _reasons),
    _of("GET", "/v1/precision", _ALL, _precision),
    _of("GET", "/v1/cases", _ALL, _list),
    _of("POST", "/v1/cases", WORKS, _open),
    _of("GET", "/v1/cases/{case}", _ALL, _show),
    _of("GET", "/v1/cases/{case}/events", _NAMED, _events),
    _of("GET", "/v1/cases/{case}/statement", _NAMED, _statement),
    _of("GET", "/v1/cases/{case}/pool", _NAMED, _pool),
    _of("POST", "/v1/cases/{case}/claim", WORKS, _claim),
    _of("POST", "/v1/cases/{case}/release", WORKS, _release),
    _of("POST", "/v1/cases/{case}/question", WORKS, _ask),
    _of("POST", "/v1/cases/{case}/evidence", WORKS, _add),
    _of("POST", "/v1/cases/{case}/proposal", WORKS, _propose),
    _of("POST", "/v1/cases/{case}/approval", APPROVES, _approve),
    _of("POST", "/v1/cases/{case}/refusal", WORKS, _refuse),
    _of("POST", "/v1/cases/{case}/undo", WORKS, _undo),
    _of("POST", "/v1/cases/{case}/appeal", WORKS, _appeal),
    _of("POST", "/v1/cases/{case}/close", WORKS, _close),
    _of("POST", "/v1/emergencies", WORKS, _emergency),
    _of("GET", "/v1/rules", _NAMED, _rules),
    _of("POST", "/v1/rules", WORKS, _rule),
    _of("POST", "/v1/rules/{name}/{version}/approval", APPROVES, _rule_approve),
    _of("POST", "/v1/rules/{name}/{version}/revocation", WORKS, _rule_revoke),
    _of("GET", "/v1/allowances", _NAMED, _allowances),
    _of("POST", "/v1/allowances", APPROVES, _allow),
    _of("POST", "/v1/allowances/{allowance}/end", APPROVES, _disallow),
    _of("GET", "/v1/clauses", _ALL, _clauses),
    _of("POST", "/v1/clauses", APPROVES, _clause),
    _of("GET", "/v1/tokens", frozenset({Role.AUDITOR, Role.APPROVER}), _tokens),
)
