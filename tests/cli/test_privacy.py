"""`stillwatch privacy`: everything about one account and nothing about another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.actions import Action
from stillwatch.access.database import open_database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.keys import KeyStore
from stillwatch.cases import Role, Who, open_cases
from stillwatch.cases.periods import Periods
from stillwatch.exchange import Message, RawExchange
from stillwatch.gateway import privacy
from stillwatch.gateway.recording.state import prepare
from stillwatch.intel.exporting.register import Register
from stillwatch.ledger import Entry, Ledger, Salts
from stillwatch.sketches import Sketcher
from tests.access.conftest import server
from tests.cases.conftest import finding
from tests.cli.in_process import run

__all__ = ["server"]
DAY = 86_400_000_000
NOW = time.time_ns() // 1000


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two accounts with a key, an action, and exchanges of two days, one of them rolled."""
    monkeypatch.setattr(privacy, "SETTLED", 0.0)
    folder = tmp_path / "state"
    database = open_database(folder, create=True)
    for account in ("acme", "other"):
        _, caller = KeyStore(database).create(account=account)
        for kind, subject in (("account", account), ("key", caller.key_id)):
            ActionStore(database).put(
                Action(
                    subject_kind=kind,  # type: ignore[arg-type]
                    subject=subject, kind="slow", seconds=1.0, reason="r", message="m", by="ana",
                    expires_at=int(time.time()) + 3600,
                )
            )  # fmt: skip
    database.close()
    store, key = prepare(folder)
    sketcher = Sketcher(key)
    for days in (3, 0):
        rows = [
            RawExchange(
                at=NOW - days * DAY + number,
                account=account,
                messages=(Message("user", f"what is a still used for {account}"),),
                request_id=f"{account}-{days}-{number}",
            )
            for account in ("acme", "other")
            for number in range(5)
        ]
        store.append(sketcher.sketch(rows))
        if days:
            store.roll()
    store.close()
    return folder


def told(state: Path, account: str) -> list[dict[str, Any]]:
    ended = run("privacy", "export", account, "--state", state)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def kinds(records: list[dict[str, Any]]) -> list[str]:
    return [record["kind"] for record in records]


EVERYTHING = ["key", "action", "action", *["exchange"] * 10]


def test_everything_about_an_account_is_shown_and_nothing_about_another(state: Path) -> None:
    records = told(state, "acme")
    assert kinds(records) == EVERYTHING
    assert "other" not in json.dumps(records)
    assert "still used for" not in json.dumps(records)
    assert told(state, "nobody") == []


def test_what_is_erased_is_gone_and_the_rest_stays(state: Path) -> None:
    before = told(state, "other")
    ended = run("privacy", "erase", "acme", "--state", state)
    assert ended.returncode == 0
    assert "10 exchanges" in ended.stdout
    assert told(state, "acme") == []
    assert told(state, "other") == before


def test_entries_of_the_ledger_are_shown_and_are_of_nobody_once_the_salt_is_erased(
    state: Path,
) -> None:
    with Salts.open(state, create=True) as salts:
        names = [salts.commitment(account) for account in ("acme", "other")]
    with Ledger.open(state, create=True) as ledger:
        for name in names:
            ledger.append([Entry("verdict", "2026-11-22T10:00:00Z", "ana", {"account": name})])
        held = ledger.head()
    assert [each["held"] for each in told(state, "acme") if each["kind"] == "entry"] == [
        {"number": 0, "kind": "verdict", "at": "2026-11-22T10:00:00Z", "by": "ana",
         "body": {"account": names[0]}}
    ]  # fmt: skip
    ended = run("privacy", "erase", "acme", "--state", state)
    assert "and 1 salts of the ledger" in ended.stdout
    assert told(state, "acme") == []
    assert kinds(told(state, "other"))[-1] == "entry"
    with Ledger.open(state) as ledger:
        assert ledger.check([held]).size == 2


def test_cases_about_an_account_are_shown_and_name_it_no_more_once_erased(state: Path) -> None:
    with open_cases(state, create=True) as cases:
        cases.intake.open([finding(accounts=["acme", "other"])], Who(name="scan", person=False))
    assert {"case", "event"} <= set(kinds(told(state, "acme")))
    ended = run("privacy", "erase", "acme", "--state", state)
    assert "1 rows of cases" in ended.stdout
    assert told(state, "acme") == []
    assert "acme" not in json.dumps(told(state, "other"))


def test_erasing_again_changes_nothing(state: Path) -> None:
    run("privacy", "erase", "acme", "--state", state)
    ended = run("privacy", "erase", "acme", "--state", state)
    assert ended.stdout == (
        "erased 0 keys, links and actions, 0 exchanges, 0 rows of cases, 0 of indicators, "
        "and 0 salts of the ledger\n"
    )


def test_a_folder_without_a_store_is_named(tmp_path: Path) -> None:
    ended = run("privacy", "export", "acme", "--state", tmp_path)
    assert ended.returncode == 2
    assert "there is no store of keys here" in ended.stderr


def rows(state: Path, *options: str | Path) -> dict[str, int]:
    ended = run("privacy", "expire", "--state", state, "--json", *options)
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return {line["name"]: line["found"] for line in lines}


def test_what_is_over_is_counted_and_goes_only_when_it_is_asked_for(
    state: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "stillwatch.yaml"
    settings.write_text("retention: {exchanges: 1}\n")
    before = told(state, "acme")
    assert rows(state) == {"exchanges": 0, "actions": 0, "keys": 0}
    assert rows(state, "--settings", settings)["exchanges"] == 10
    assert told(state, "acme") == before
    assert not (state / "ledger.db").exists(), "counting is no run"
    said = run("privacy", "expire", "--state", state, "-c", settings, "--apply")
    assert "DELETED" in said.stdout
    assert rows(state, "--settings", settings)["exchanges"] == 0
    assert kinds(told(state, "acme")) == ["key", "action", "action", *["exchange"] * 5]
    checked = run("ledger", "verify", "--state", state)
    assert checked.stdout.startswith("sound: 2 ")


def test_a_folder_in_which_nothing_is_kept_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    for words in ((), ("--apply",)):
        ended = run("privacy", "expire", "--state", tmp_path, *words)
        assert (ended.returncode, "nothing is kept here" in ended.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


SINGLE: dict[str, Callable[[Path], Any]] = {
    "exports": lambda folder: Register(folder, create=True).close(),
    "salts": lambda folder: Salts.open(folder, create=True).close(),
    "exchanges": lambda folder: prepare(folder)[0].close(),
    "keys": lambda folder: open_database(folder, create=True).close(),
}


@pytest.mark.parametrize("store", SINGLE)
def test_a_folder_with_one_store_is_expired_and_says_what_is_not_there(
    tmp_path: Path, store: str
) -> None:
    SINGLE[store](tmp_path / "state")
    for words in ((), ("--apply",)):
        ended = run("privacy", "expire", "--state", tmp_path / "state", "--json", *words)
        assert ended.returncode == 0, ended.stderr
        there = {json.loads(line)["name"] for line in ended.stdout.splitlines()}
        assert store in there
        [said] = [line for line in ended.stderr.splitlines() if "not kept here: " in line]
        missing = set(said.partition(": ")[2].split(", "))
        assert missing | there == {*Periods.__struct_fields__, "exports"}
        assert not missing & there


def test_cases_that_nobody_closes_are_pointed_out(state: Path) -> None:
    long_ago = time.time() - 800 * 86_400
    with open_cases(state, create=True, clock=lambda: long_ago) as cases:
        cases.intake.open([finding()], Who(name="scan", person=False))
    ended = run("privacy", "expire", "--state", state)
    assert "1 cases wait, untouched for 730 days: close them" in ended.stderr


@pytest.mark.service
def test_keys_and_cases_on_a_server_are_reached_too(
    state: Path, server: Callable[[], str], tmp_path: Path
) -> None:
    address, long_ago = server(), time.time() - 900 * 86_400
    with open_cases(address, create=True, clock=lambda: long_ago) as cases:
        KeyStore(cases.database, lambda: long_ago).create(
            account="gone", expires_at=int(long_ago) + 60
        )
        cases.tokens.create("ana", Role.ANALYST, 60)
    settings = tmp_path / "stillwatch.yaml"
    settings.write_text(f"gateway: {{keys: '{address}'}}\n")
    found = rows(state, "--settings", settings, "--apply")
    assert {name for name, count in found.items() if count} == {"keys", "tokens"}
    assert set(rows(state, "--keys", address).values()) == {0}
