"""Cases to test on: a store on each database, a clock that stands, a finding, people."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stillwatch.access.keys import KeyStore
from stillwatch.cases import Cases, Clause, Draft, Finding, Item, Measure, Who, open_cases
from tests.access.conftest import DAY, NOW, Clock, clock, server, state

__all__ = ["ANA", "BO", "CAM", "DAY", "NOW", "Clock", "clock", "server", "state"]

ANA, BO, CAM = Who(name="ana"), Who(name="bo"), Who(name="cam")
SCAN = Who(name="scan", person=False)
#: counter-evidence that somebody looked for
LOOKED = Item(kind="counter", text="asked sales: no contract covers this use")
SUSPEND = (Measure(kind="suspend", lasting=7 * DAY),)


def finding(**fields: Any) -> Finding:
    """A campaign as a scan reports it, with other fields where they are given."""
    usual: dict[str, Any] = {
        "id": "c-430249290c",
        "accounts": ["acct-1", "acct-2"],
        "score": 17.5,
        "level": 0.001,
        "first_seen": "2026-09-01T00:00:00Z",
        "last_seen": "2026-09-20T00:00:00Z",
        "exchanges": 4000,
        "at": "2026-09-20T00:00:00Z",
        "evidence": [
            {"family": "content", "detection": "echo", "value": 0.9, "base_rate": 0.001,
             "text": "share of exchanges with a wording of the group"},
            {"family": "time", "detection": "load_balance", "value": 1.1, "base_rate": None,
             "text": "spread of the work over accounts"},
        ],
        "counter_evidence": [{"text": "others used the wording before", "value": 3.0}],
    }  # fmt: skip
    return msgspec.convert(usual | fields, Finding)


def draft(**fields: Any) -> Draft:
    """A verdict that may be proposed, with other fields where they are given."""
    usual: dict[str, Any] = {
        "verdict": "upheld",
        "reason": "coordinated-extraction",
        "summary": "one template, two accounts in turns, no product that would explain it",
        "message": "Your accounts collect answers in bulk. Write to us to appeal.",
        "measures": (Measure(kind="slow", seconds=5.0, lasting=DAY),),
        "without_terms": "keys are kept elsewhere; the contract is in the file",
    }
    return Draft(**(usual | fields))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds nothing: to make one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty") / "state"
    open_cases(folder, create=True).close()
    return folder


@pytest.fixture
def cases(state: str, empty: Path, clock: Clock) -> Iterator[Cases]:
    if "://" not in state:
        shutil.copytree(empty, state)
    with open_cases(state, create=True, clock=clock) as opened:
        yield opened


@pytest.fixture
def keys(cases: Cases, clock: Clock) -> KeyStore:
    """Two accounts with keys, who accepted terms; a clause of them is written down."""
    store = KeyStore(cases.database, clock)
    for account in ("acct-1", "acct-2"):
        store.create(account=account, tier="free", terms_version="2026-03")
    cases.registry.add_clause(Clause(terms="2026-03", clause="4.2", text="No training on answers."))
    return store


@pytest.fixture
def opened(cases: Cases) -> str:
    """A case that nobody has claimed."""
    return cases.intake.open([finding()], SCAN).opened[0]


@pytest.fixture
def claimed(cases: Cases, opened: str) -> str:
    """A case that ana has, with counter-evidence that she has looked for."""
    cases.desk.claim(opened, ANA)
    cases.desk.add(opened, ANA, LOOKED)
    return opened


@pytest.fixture
def suspended(cases: Cases, claimed: str) -> str:
    """A case whose accounts ana and bo have suspended."""
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    cases.bench.approve(claimed, BO)
    return claimed


@pytest.fixture
def in_force(cases: Cases, clock: Clock) -> Callable[[], set[tuple[str, str]]]:
    """The account and the kind of every action in force."""
    from stillwatch.access.enforcement import ActionStore

    actions = ActionStore(cases.database, clock)
    return lambda: {(each.subject, each.kind) for each in actions.in_force()}
