"""A verdict reaches every gateway of the store within two seconds, and so does its undoing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stillwatch.access.keys import KeyStore
from stillwatch.cases import Cases, Measure, open_cases
from tests.cases.conftest import ANA, BO, DAY, LOOKED, SCAN, SUSPEND, draft, finding
from tests.gateway.engine import Engine, served
from tests.gateway.faults.conftest import Running, serving

SETTINGS = """
levels:
  default: {max_tokens: 64, seed: true}
backends:
  - {name: engine, url: "URL"}
gateway: {keys: "KEYS"}
"""
LIMIT = 2.0  # seconds


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[tuple[Cases, list[Running], str]]:
    """Cases, two gateway processes that use the same store, and a secret of acct-1."""
    with ExitStack() as stack:
        cases = stack.enter_context(open_cases(tmp_path / "shared", create=True))
        secret, _ = KeyStore(cases.database).create(account="acct-1")
        url = stack.enter_context(served(Engine()))
        settings = SETTINGS.replace("URL", url).replace("KEYS", str(tmp_path / "shared"))
        gateways = [
            stack.enter_context(serving(tmp_path / name, settings)) for name in ("one", "two")
        ]
        yield cases, gateways, secret


def soon(gateways: list[Running], secret: str, status: int) -> float:
    """Seconds until every gateway answers with a status."""
    began = time.monotonic()
    for gateway in gateways:
        while gateway.chat(secret).status != status:
            assert time.monotonic() - began < 30
    return time.monotonic() - began


@pytest.mark.slow
def test_a_verdict_and_its_undoing_are_obeyed_by_two_gateways_within_two_seconds(
    shared: tuple[Cases, list[Running], str],
) -> None:
    cases, gateways, secret = shared
    assert [gateway.chat(secret).status for gateway in gateways] == [200, 200]
    [case] = cases.intake.open([finding()], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    cases.bench.propose(case, ANA, draft(measures=SUSPEND))
    cases.bench.approve(case, BO)
    assert soon(gateways, secret, 403) < LIMIT
    refused = gateways[0].chat(secret).json()["error"]
    assert refused["code"] == "suspended"
    assert case in refused["message"]
    assert "coordinated-extraction" in refused["message"]
    cases.bench.undo(case, BO, "they verified")
    assert soon(gateways, secret, 200) < LIMIT


@pytest.mark.slow
def test_who_is_asked_to_verify_reads_it_in_a_header_and_is_refused_after_the_grace(
    shared: tuple[Cases, list[Running], str],
) -> None:
    cases, gateways, secret = shared
    [case] = cases.intake.open([finding()], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    verify = Measure(kind="verify", seconds=3.0, lasting=DAY)
    cases.bench.propose(case, ANA, draft(reason="identity-unclear", measures=(verify,)))
    cases.bench.approve(case, BO)
    began = time.monotonic()
    while "x-stillwatch-notice" not in (answer := gateways[1].chat(secret)).headers:
        assert answer.status == 200
        assert time.monotonic() - began < LIMIT
    assert "reason=identity-unclear" in answer.headers["x-stillwatch-notice"]
    while (answer := gateways[1].chat(secret)).status == 200:
        assert time.monotonic() - began < 30
    assert (answer.status, answer.json()["error"]["code"]) == (403, "challenge_verify")
