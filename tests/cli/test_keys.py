"""`stillwatch keys`: a secret that can be captured, lists that can be read, errors that help."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.facts import Caller
from stillwatch.access.keys import KeyStore
from stillwatch.access.secret import digest_of, is_well_formed
from tests.cli import running
from tests.cli.in_process import run

DAY = 86_400


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def create(state: Path, *options: str, account: str = "acme") -> tuple[str, str]:
    """The secret and the id of a new key."""
    ended = run("keys", "create", "--state", state, "--account", account, *options)
    assert ended.returncode == 0, ended.stderr
    found = re.match(r"(key-\w+): a new key", ended.stderr)
    assert found
    return ended.stdout.removesuffix("\n"), found[1]


def stored(state: Path, secret: str) -> Caller:
    database = open_database(state)
    caller = KeyStore(database).find(secret)
    database.close()
    assert caller is not None
    return caller


def listed(state: Path, *options: str) -> list[dict[str, Any]]:
    ended = run("keys", "list", "--state", state, "--json", *options)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_secret_stands_alone_on_standard_output(state: Path) -> None:
    ended = running.run("keys", "create", "--state", state, "--account", "acme")
    assert is_well_formed(ended.stdout.removesuffix("\n"))
    key_id = stored(state, ended.stdout.removesuffix("\n")).key_id
    assert ended.stderr.startswith(f"{key_id}: a new key for acme, which never expires.")


def test_every_option_reaches_the_key(state: Path) -> None:
    secret, _ = create(
        state,
        *("--org", "group", "--tier", "large", "--level", "full", "--kyc-level", "2"),
        *("--kyc-country", "CH", "--purpose", "research", "--purpose", "evaluator"),
        *("--terms", "2026-03", "--expires", "90d"),
    )
    caller = stored(state, secret)
    assert (caller.org, caller.tier, caller.level) == ("group", "large", "full")
    assert (caller.kyc_level, caller.kyc_country) == (2, "CH")
    assert caller.purposes == ("evaluator", "research")
    assert (caller.terms_version, caller.terms_accepted_at) == ("2026-03", caller.created_at)
    assert caller.expires_at is not None
    assert abs(caller.expires_at - caller.created_at - 90 * DAY) <= 2


def test_a_list_shows_every_key_and_no_secret(state: Path) -> None:
    secret, key_id = create(state)
    ended = run("keys", "list", "--state", state)
    [heads, row] = ended.stdout.splitlines()
    assert heads.split()[:2] == ["KEY", "ACCOUNT"]
    assert row.split()[:2] == [key_id, "acme"]
    assert row.endswith("valid")
    assert secret not in ended.stdout


def test_a_list_as_json_holds_every_field_and_may_be_of_one_account(state: Path) -> None:
    create(state)
    create(state, account="other")
    assert [set(each) for each in listed(state)] == [set(Caller.__struct_fields__)] * 2
    assert [each["account"] for each in listed(state, "--account", "other")] == ["other"]


def test_a_rotated_key_has_two_secrets_until_the_overlap_ends(state: Path) -> None:
    old, key_id = create(state)
    ended = run("keys", "rotate", key_id, "--state", state, "--overlap", "2h")
    new = ended.stdout.removesuffix("\n")
    assert is_well_formed(new)
    assert stored(state, new).key_id == stored(state, old).key_id == key_id
    assert stored(state, new).expires_at is None
    assert stored(state, old).expires_at is not None
    assert len(listed(state)) == 2


def test_a_key_is_revoked_by_its_id_or_by_a_leaked_secret_on_standard_input(state: Path) -> None:
    (first, key_id), (second, _) = create(state), create(state)
    assert run("keys", "revoke", key_id, "--state", state).returncode == 0
    ended = run("keys", "revoke", "-", "--state", state, input=second + "\n")
    assert ended.returncode == 0
    assert "of acme: revoked 20" in ended.stderr
    assert second not in ended.stderr
    assert stored(state, first).revoked_at
    assert stored(state, second).revoked_at
    assert run("keys", "list", "--state", state).stdout.count("revoked\n") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "--account", ""], "account: give 1 to 200 characters, not 0 [SW100]"),
        (["create", "--account", "a", "--kyc-country", "UK"], "the United Kingdom is GB) [SW100]"),
        (["create", "--account", "a", "--purpose", "fun"], "'fun' is not one of"),
        (["create", "--account", "a", "--expires", "soon"], "is no duration such as"),
        (["create", "--account", "a", "--expires", "0s"], "is in the past"),
        (["create"], "Missing option '--account'"),
        (["revoke", "key-x"], "there is no key 'key-x'"),
        (["revoke", "-"], "no key has this secret"),
        (["rotate", "key-x"], "there is no key 'key-x'"),
        (["import", "absent.jsonl"], "absent.jsonl: cannot be read: No such file"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_says_why(
    state: Path, arguments: list[str], said: str
) -> None:
    create(state)
    command, *rest = arguments
    ended = run("keys", command, "--state", state, *rest, input="sw-nobody\n")
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stdout == ""
    assert len(listed(state)) == 1


def test_a_state_that_is_not_there_is_named_and_not_made(state: Path) -> None:
    ended = run("keys", "list", "--state", state)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"{state}: there is no store of keys here" in ended.stderr
    assert "[SW301]" in ended.stderr
    assert not state.exists()


def test_the_state_may_stand_in_the_environment(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(state)
    monkeypatch.setenv("STILLWATCH_STATE", str(state))
    assert "acme" in run("keys", "list").stdout


def test_imported_keys_are_listed(state: Path, tmp_path: Path) -> None:
    line = {"sha256": digest_of("sk-old").hex(), "account": "old"}
    (tmp_path / "keys.jsonl").write_text(json.dumps(line))
    ended = run("keys", "import", tmp_path / "keys.jsonl", "--state", state)
    assert "1 keys taken" in ended.stderr
    assert stored(state, "sk-old").account == "old"
