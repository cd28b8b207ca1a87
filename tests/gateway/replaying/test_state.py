"""Who sent the rows of a log: from the gateway's own store of keys, actions and exchanges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stillwatch.access.actions import Action
from stillwatch.access.database import Database, open_database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.keys import KeyStore
from stillwatch.errors import InputError, KeyFileError
from stillwatch.events import EventStore
from stillwatch.exchange import SCHEMA
from stillwatch.gateway.replaying import ReplayOptions, replay
from stillwatch.sketches import SketchKey
from tests.gateway.replaying.conftest import NOON, Run, Silent, line, row

DAY = 86_400
LEVELS = "levels: {default: {max_tokens: 100}, open: {logprobs: 5}}\n"
KYC = "rules:\n  - {id: kyc, when: kyc_level < 1, deny: true, reason: r}\n"
Key = Callable[..., str]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def database(state: Path) -> Iterator[Database]:
    opened = open_database(state, create=True)
    yield opened
    opened.close()


@pytest.fixture
def key(database: Database) -> Key:
    """Make a key, `days` before noon; its id."""

    def make(account: str, *, days: float = 30, revoked: float | None = None, **fields: Any) -> str:
        store = KeyStore(database, lambda: NOON - days * DAY)
        _, caller = store.create(account=account, **fields)
        if revoked is not None:
            KeyStore(database, lambda: NOON + revoked).revoke(caller.key_id)
        return caller.key_id

    return make


def test_a_row_is_joined_by_its_key_or_else_by_its_account(ask: Run, state: Path, key: Key) -> None:
    named = key("acme", kyc_level=1, level="open")
    key("acme", kyc_level=0)
    key("beta", kyc_level=0)
    rows = [
        row(key=named, logprobs=True),
        row(),
        row(account="beta", key="a digest of somebody else's"),
        row(account="stranger"),
    ]
    report = ask(rows, LEVELS + KYC, state=str(state)).report
    assert report.outcomes == {
        "served": 1, "changed": 0, "refused": 1, "limited": 0, "unjudged": 2
    }  # fmt: skip
    assert line(report, "kyc").counts == {"matched": 1, "acted": 1, "unjudged": 2}
    assert any("has no key in the state: 1 accounts" in note for note in report.notes)


def test_what_all_keys_of_an_account_have_in_common_is_known(
    ask: Run, state: Path, key: Key
) -> None:
    for level in ("default", "open"):
        key("acme", kyc_level=0, level=level)
    assert ask([row()], LEVELS + KYC, state=str(state)).report.outcomes["refused"] == 1


def test_keys_of_different_levels_bound_nothing_where_nobody_knows_which_was_used(
    ask: Run, state: Path, key: Key
) -> None:
    for level, tier in (("default", "default"), ("open", "lane")):
        key("acme", level=level, tier=tier)
    tiers = "tiers: {lane: [{name: it, scope: account, unit: requests, amount: 1, period: 9}]}\n"
    rows = [row(logprobs=True, after=after) for after in (0, 1)]
    report = ask(rows, LEVELS + tiers, state=str(state)).report
    assert report.outcomes["served"] == 2
    assert any("keys of different levels or tiers: 1 accounts" in note for note in report.notes)


def test_a_key_that_was_revoked_later_was_good_then(ask: Run, state: Path, key: Key) -> None:
    later, before = key("a", revoked=60), key("b", revoked=-60)
    rows = [row(account="a", key=later), row(account="b", key=before)]
    report = ask(rows, KYC.replace("< 1", "> 1"), state=str(state)).report
    assert (report.outcomes["served"], report.outcomes["refused"]) == (1, 1)
    assert line(report, "keys").counts == {"matched": 1, "acted": 1}


def test_the_age_of_a_key_that_was_made_later_is_not_known(ask: Run, state: Path, key: Key) -> None:
    old, new = key("a", days=3), key("b", days=-3)
    young = "rules:\n  - {id: young, when: key_age_days < 7, deny: true, reason: r}\n"
    rows = [row(account="a", key=old), row(account="b", key=new)]
    report = ask(rows, young, state=str(state)).report
    assert (report.outcomes["refused"], report.outcomes["unjudged"]) == (1, 1)


def test_actions_count_while_they_were_in_force(
    ask: Run, state: Path, database: Database, key: Key
) -> None:
    key("acme")
    store = ActionStore(database, lambda: NOON)
    slow = Action(
        subject_kind="account", subject="acme", kind="slow", reason="case-1", message="wait",
        by="ann", person=True, seconds=2.0, expires_at=NOON + DAY,
    )  # fmt: skip
    slow = store.put(slow)
    ActionStore(database, lambda: NOON + 60).undo(slow.id, "ann")
    rows = [row(after=after) for after in (-5, 5, 65)]
    report = ask(rows, "rules: []\n", state=str(state)).report
    assert (report.outcomes["served"], report.effects) == (2, {"slow": 1})


def exchange(secret: SketchKey, key_id: str, at: int, n: int) -> pa.RecordBatch:
    """One row as the gateway's writer keeps it; what a replay never reads is nothing."""
    values: dict[str, Any] = {
        "at": at * 1_000_000, "account": secret.digest("account", "acme"),
        "key": secret.digest("key", key_id), "model": "small", "endpoint": "chat.completions",
        "stream": False, "n": n, "logprobs": False, "logit_bias": 0, "status": 200,
        "response_format": "json_schema", "prompt_tokens": 9, "completion_tokens": 5,
        "latency_ms": 10, "request": at,
    }  # fmt: skip
    empty: dict[bool, Any] = {True: None, False: 0}
    columns = []
    for field in SCHEMA:
        value = values.get(field.name, empty[field.nullable])
        if pa.types.is_list(field.type) and value == 0:
            value = []
        columns.append(pa.array([value], field.type))
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def recorded(state: Path, key_id: str) -> Path:
    """The event store of a gateway that served two requests, one of them rolled to a file."""
    secret = SketchKey.generate()
    state.mkdir(exist_ok=True)
    secret.write(state / "sketch.key")
    with EventStore.create(state / "events", key_id=secret.key_id) as store:
        store.append(exchange(secret, key_id, NOON, 3))
        store.roll()
        store.append(exchange(secret, key_id, NOON + DAY, 1))
    return state / "events"


def test_the_gateways_own_record_is_a_log_and_its_digests_meet_the_keys(
    tmp_path: Path, state: Path, key: Key
) -> None:
    events = recorded(state, key("acme", kyc_level=0))
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "rules:\n"
        "  - {id: kyc, when: kyc_level < 1 && n == 3, deny: true, reason: r}\n"
        "  - {id: form, when: structure == 'schema' && !tools && !prefill, slow: 1, reason: r}\n"
    )
    options = ReplayOptions(rules=rules, logs=(str(events),), state=str(state))
    report = replay(options, Silent()).report
    assert (report.outcomes["refused"], report.outcomes["changed"]) == (1, 1)
    assert [each.account for each in report.accounts] == ["acme"]
    assert (report.log.format, report.log.rows) == ("events", 2)
    without = replay(ReplayOptions(rules=rules, logs=(str(events),)), Silent()).report
    assert line(without, "kyc").counts == {"unjudged": 1}
    assert without.accounts[0].account != "acme"


def test_an_event_store_is_read_alone_and_with_its_own_key(
    tmp_path: Path, state: Path, key: Key
) -> None:
    events = recorded(state, key("acme"))
    rules = tmp_path / "rules.yaml"
    rules.write_text(KYC)
    with pytest.raises(InputError, match="read alone"):
        replay(ReplayOptions(rules=rules, logs=(str(events), "x.jsonl")), Silent())
    (state / "sketch.key").unlink()
    with pytest.raises(KeyFileError):
        replay(ReplayOptions(rules=rules, logs=(str(events),), state=str(state)), Silent())
