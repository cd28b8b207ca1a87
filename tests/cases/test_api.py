"""The JSON API: who may do what through it, and what an answer looks like."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stillwatch.cases import Cases, Role
from stillwatch.cases.api import LARGEST_BODY, CasesAPI
from stillwatch.cases.routes import ROUTES
from stillwatch.errors import CaseError
from stillwatch.ledger import Ledger
from tests.cases.conftest import DAY, Clock, finding

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def state(tmp_path: Path) -> str:
    """The routes are the same on either database."""
    return str(tmp_path / "state")


@pytest.fixture
def tokens(cases: Cases) -> dict[str, str]:
    """A secret for each role, and a second approver."""
    made = {str(role): cases.tokens.create(f"a {role}", role, DAY)[0] for role in Role}
    chief = cases.tokens.bearer(made["approver"])
    made["second"] = cases.tokens.create("bo", Role.APPROVER, DAY, by=chief)[0]
    made["program"] = cases.tokens.create("scan", Role.ANALYST, DAY, person=False, by=chief)[0]
    return made


@pytest.fixture
def call(cases: Cases, tokens: dict[str, str], tmp_path: Path) -> Iterator[Call]:
    """Ask as a role: method, path, body → status, answer."""
    api = CasesAPI(cases, tmp_path / "ledger")
    loop = asyncio.new_event_loop()

    def ask(role: str | None, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = []
        if role is not None:
            headers.append((b"authorization", f"Bearer {tokens.get(role, role)}".encode()))
        route, _, query = path.partition("?")
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": route, "headers": headers,
                 "query_string": query.encode()}  # fmt: skip
        loop.run_until_complete(api(scope, receive, send))
        assert int(dict(sent[0]["headers"])[b"content-length"]) == len(sent[1]["body"])
        return sent[0]["status"], json.loads(sent[1]["body"])

    yield ask
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def case(call: Call) -> str:
    status, answer = call("program", "POST", "/v1/cases",
                          {"findings": [msgspec.to_builtins(finding())]})  # fmt: skip
    assert status == 200, answer
    [opened] = answer["opened"]
    return str(opened)


COUNTER = {"item": {"kind": "counter", "text": "asked sales: nothing"}}
PROPOSAL = {
    "verdict": "upheld", "reason": "coordinated-extraction", "summary": "one template",
    "without_terms": "kept elsewhere", "measures": [{"kind": "suspend", "lasting": DAY}],
}  # fmt: skip


def test_a_case_is_worked_on_decided_by_two_and_undone(
    call: Call, case: str, tmp_path: Path
) -> None:
    at = f"/v1/cases/{case}"
    assert call("analyst", "POST", f"{at}/claim")[1]["claimed_by"] == "a analyst"
    assert call("analyst", "POST", f"{at}/question", {"question": "who pays?"})[0] == 200
    answer = COUNTER | {"answer": True}
    assert call("analyst", "POST", f"{at}/evidence", answer)[1]["state"] == "claimed"
    status, proposed = call("analyst", "POST", f"{at}/proposal", PROPOSAL)
    assert (status, proposed["pending"]["proposed_by"]) == (200, "a analyst")
    status, decided = call("second", "POST", f"{at}/approval")
    assert (status, decided["state"], decided["verdict"]) == (200, "decided", "upheld")
    assert [m["kind"] for m in decided["measures"]] == ["suspend", "suspend"]
    status, undone = call("analyst", "POST", f"{at}/undo", {"why": "they verified"})
    assert all(measure["undone_at"] for measure in undone["measures"])
    status, told = call("auditor", "GET", f"{at}/statement?account=acct-1")
    assert (status, told["reason"]) == (200, "coordinated-extraction")
    with Ledger.open(tmp_path / "ledger") as ledger:
        kinds = [entry.kind for _, entry in ledger.entries() if entry.kind != "access"]
    assert kinds == ["approval", "verdict", "action"]


def test_one_suspends_at_once_and_others_see_it_first(
    call: Call, case: str, tmp_path: Path
) -> None:
    body = {"accounts": ["acme"], "lasting": 3600, "reason": "identity-unclear",
            "why": "its key is public", "source": "ticket 4711"}  # fmt: skip
    status, opened = call("analyst", "POST", "/v1/emergencies", body)
    assert (status, [m["kind"] for m in opened["measures"]]) == (200, ["suspend"])
    assert call("program", "POST", "/v1/emergencies", body | {"accounts": ["shop"]})[0] == 403
    assert call("second", "POST", "/v1/emergencies", body)[0] == 409
    rows = call("auditor", "GET", "/v1/cases")[1]["cases"]
    assert [row["id"] for row in rows] == [opened["id"], case]
    with Ledger.open(tmp_path / "ledger") as ledger:
        assert [e.body["emergency"] for _, e in ledger.entries() if e.kind == "action"] == [True]


def test_an_approval_names_what_was_read_where_something_else_was_proposed(
    call: Call, case: str
) -> None:
    at = f"/v1/cases/{case}"
    call("analyst", "POST", f"{at}/claim")
    call("analyst", "POST", f"{at}/evidence", COUNTER)
    read = call("analyst", "POST", f"{at}/proposal", PROPOSAL)[1]["pending"]["proposal"]
    call("analyst", "POST", f"{at}/refusal", {"why": "longer"})
    waits = call("analyst", "POST", f"{at}/proposal", PROPOSAL)[1]["pending"]["proposal"]
    assert call("second", "POST", f"{at}/approval")[0] == 422
    assert call("second", "POST", f"{at}/approval", {"proposal": read})[0] == 409
    assert call("second", "POST", f"{at}/approval", {"proposal": waits})[0] == 200


def test_an_approver_does_not_approve_what_is_their_own(call: Call, case: str) -> None:
    at = f"/v1/cases/{case}"
    call("approver", "POST", f"{at}/claim")
    call("approver", "POST", f"{at}/evidence", COUNTER)
    call("approver", "POST", f"{at}/proposal", PROPOSAL)
    status, refused = call("approver", "POST", f"{at}/approval")
    assert (status, refused["error"]["code"]) == (403, "SW502")
    status, refused = call("analyst", "POST", f"{at}/approval")
    assert (status, refused["error"]["code"]) == (403, "SW505")


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_every_route_is_closed_to_roles_that_are_not_named(
    call: Call, case: str, route: Any
) -> None:
    path = re.sub(r"\{\w+\}", case, route.path)
    assert call(None, route.method, path)[0] == 401
    for role in Role:
        status, answer = call(str(role), route.method, path)
        refused = status == 403 and answer["error"]["code"] == "SW505"
        assert refused == (role not in route.roles), (role, status, answer)


def test_reading_changes_nothing_and_writing_is_for_analysts_and_approvers() -> None:
    for route in ROUTES:
        if route.method == "POST":
            assert route.roles <= {Role.ANALYST, Role.APPROVER}


def test_who_only_reads_sees_no_name_anywhere(call: Call, case: str) -> None:
    call("analyst", "POST", f"/v1/cases/{case}/claim")
    for path in ("/v1/cases", f"/v1/cases/{case}", "/v1/precision", "/v1/clauses"):
        status, answer = call("read-only", "GET", path)
        assert status == 200
        assert "acct-" not in json.dumps(answer)
        assert "a analyst" not in json.dumps(answer)
    assert call("read-only", "GET", "/v1/cases?claimed_by=ana")[0] == 403
    assert "acct-1" in json.dumps(call("auditor", "GET", f"/v1/cases/{case}")[1])


def test_a_list_goes_on_where_the_page_before_ended(call: Call, case: str) -> None:
    more = [msgspec.to_builtins(finding(id=f"c-{n}", score=10.0 + n // 2)) for n in range(6)]
    call("analyst", "POST", "/v1/cases", {"findings": more})
    seen, path = [], "/v1/cases?limit=3"
    while True:
        status, page = call("auditor", "GET", path)
        assert status == 200
        seen += [row["id"] for row in page["cases"]]
        if page["next"] is None:
            break
        path = f"/v1/cases?limit=3&after={page['next']}"
    assert len(seen) == len(set(seen)) == 7
    assert len(call("auditor", "GET", "/v1/cases?state=claimed")[1]["cases"]) == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/nothing", None, 404, "SW500"),
        ("DELETE", "/v1/cases", None, 405, "SW500"),
        ("GET", "/v1/cases/case-0", None, 404, "SW504"),
        ("GET", "/v1/cases?state=lost", None, 422, "SW500"),
        ("GET", "/v1/cases?limit=many", None, 422, "SW500"),
        ("POST", "/v1/cases", b"{", 400, "SW500"),
        ("POST", "/v1/cases", {"findings": [], "colour": "red"}, 400, "SW500"),
        ("POST", "/v1/cases", {"findings": [{"id": "c"}]}, 400, "SW500"),
        ("POST", "/v1/rules/slow/one/approval", None, 422, "SW500"),
        ("POST", "/v1/rules/slow/1/approval", None, 404, "SW504"),
        ("POST", "/v1/cases", b"x" * (LARGEST_BODY + 1), 413, "SW500"),
        ("POST", f"/v1/rules/slow/{'9' * 30}/approval", None, 422, "SW500"),
        ("POST", "/v1/cases", {"findings": [], "segment": "a\0"}, 400, "SW500"),
        ("GET", "/v1/cases/case\0", None, 404, "SW500"),
        ("GET", "/v1/cases?claimed_by=%00", None, 400, "SW500"),
        (
            "POST",
            "/v1/emergencies",
            {"accounts": ["a"], "lasting": 1, "reason": "spite", "why": "w", "source": "s"},
            422,
            "SW500",
        ),
    ],
)
def test_what_cannot_be_answered_says_why_with_a_code(
    call: Call, method: str, path: str, body: Any, status: int, code: str
) -> None:
    got, answer = call("approver", method, path, body)
    assert (got, answer["error"]["code"]) == (status, code)


def test_a_token_ends_by_itself_and_by_being_revoked(
    call: Call, cases: Cases, clock: Clock, tokens: dict[str, str]
) -> None:
    assert call("auditor", "GET", "/v1/me")[1]["role"] == "auditor"
    assert call("sw-" + "0" * 36, "GET", "/v1/me")[0] == 401
    known = {token.name: token.id for token in cases.tokens.all()}
    cases.tokens.revoke(known["a auditor"], cases.tokens.bearer(tokens["approver"]))
    assert call("auditor", "GET", "/v1/me")[0] == 401
    clock.now += DAY
    assert call("analyst", "GET", "/v1/me")[0] == 401


def test_no_secret_of_a_token_is_in_the_store(
    cases: Cases, tokens: dict[str, str], tmp_path: Path
) -> None:
    stored = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert not any(secret.encode() in stored for secret in tokens.values())
    assert b"a auditor" in stored


def test_a_program_gets_no_token_to_approve_with(cases: Cases) -> None:
    with pytest.raises(CaseError, match="a program approves nothing"):
        cases.tokens.create("bot", Role.APPROVER, DAY, person=False)


def test_every_route_stands_on_the_page_with_its_roles(project: Path) -> None:
    page = (project / "docs" / "cases-api.md").read_text()
    rows = re.findall(r"^\| (GET|POST) \| `(/v1/[^`]*)` \| ([^|]+) \|", page, re.MULTILINE)
    every = {str(role) for role in Role}

    def spoken(route: Any) -> str:
        roles = {str(role) for role in route.roles}
        return "all" if roles == every else ", ".join(r for r in map(str, Role) if r in roles)

    assert [(m, p, r.strip()) for m, p, r in rows] == [
        (route.method, route.path, spoken(route)) for route in ROUTES
    ]
