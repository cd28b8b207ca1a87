"""Keys: what is stored, and what rotating, revoking, linking and importing do; on each database."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from stillwatch.access.database import Database
from stillwatch.access.facts import Caller
from stillwatch.access.keys import KeyStore
from stillwatch.access.schema import METADATA, SECRETS
from stillwatch.access.secret import digest_of
from stillwatch.errors import InputError

NOW = 1_790_000_000
DAY = 86_400


def listed(keys: KeyStore, account: str | None = None) -> list[Caller]:
    return list(keys.list(account))


def test_a_key_speaks_for_what_was_registered(keys: KeyStore) -> None:
    secret, caller = keys.create(
        account="acme",
        org="acme-group",
        tier="large",
        level="full",
        kyc_level=2,
        kyc_country="CH",
        purposes=["research", "evaluator", "research"],
        terms_version="2026-03",
        terms_accepted_at=NOW - DAY,
        expires_at=NOW + 90 * DAY,
    )
    assert keys.find(secret) == caller
    assert caller == Caller(
        key_id=caller.key_id,
        account="acme",
        org="acme-group",
        cluster="acme",
        tier="large",
        level="full",
        kyc_level=2,
        kyc_country="CH",
        purposes=("evaluator", "research"),
        terms_version="2026-03",
        terms_accepted_at=NOW - DAY,
        created_at=NOW,
        expires_at=NOW + 90 * DAY,
    )


def test_nothing_is_assumed_about_an_account_that_only_has_a_name(keys: KeyStore) -> None:
    _, caller = keys.create(account="acme")
    assert (caller.kyc_level, caller.kyc_country, caller.purposes) == (0, "unknown", ())
    assert (caller.org, caller.terms_version, caller.expires_at) == (None, None, None)
    assert caller.cluster == "acme"


def test_terms_without_a_time_are_accepted_now(keys: KeyStore) -> None:
    assert keys.create(account="acme", terms_version="v1")[1].terms_accepted_at == NOW


def test_no_table_holds_a_secret(keys: KeyStore, database: Database) -> None:
    secret, _ = keys.create(account="acme")
    with database.reading() as (connection, _):
        cells = [
            cell
            for table in METADATA.sorted_tables
            for row in connection.execute(select(table))
            for cell in row
        ]
    assert digest_of(secret) in [bytes(c) for c in cells if isinstance(c, bytes | memoryview)]
    assert not any(secret[3:] in str(cell) for cell in cells)
    assert not any(isinstance(c, bytes) and secret.encode() in c for c in cells)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"account": ""}, "account: give 1 to 200 characters, not 0"),
        ({"account": " acme"}, "account: ' acme' begins or ends with a blank"),
        ({"account": "ac\nme"}, "control characters"),
        ({"account": "a" * 201}, "not 201"),
        ({"org": ""}, "org: give 1"),
        ({"cluster": "\x00"}, "cluster: "),
        ({"tier": ""}, "tier: "),
        ({"level": "a\u2028b"}, "level: "),
        ({"kyc_level": -1}, "kyc_level: -1 is not between 0 and 9"),
        ({"kyc_country": "ch"}, "write it as CH"),
        ({"kyc_country": "UK"}, "the United Kingdom is GB"),
        ({"kyc_country": "ZZ"}, "no country code of ISO 3166"),
        ({"kyc_country": "Unknown"}, "and not unknown"),
        ({"purposes": ["evaluater"]}, "did you mean evaluator?"),
        ({"purposes": ["mining"]}, "it is one of evaluator"),
        ({"terms_accepted_at": NOW}, "terms: give both"),
        ({"terms_version": "v", "terms_accepted_at": NOW * 1000}, "milliseconds"),
        ({"expires_at": NOW}, "in the past"),
        ({"expires_at": (NOW + DAY) * 1000}, "milliseconds"),
    ],
)
def test_a_field_that_cannot_stand_is_refused_and_named(
    keys: KeyStore, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        keys.create(**({"account": "acme"} | fields))
    assert said in str(refused.value)
    assert listed(keys) == []


def test_a_rotated_key_keeps_its_id_and_both_secrets_for_the_overlap(keys: KeyStore) -> None:
    old, before = keys.create(account="acme", expires_at=NOW + 90 * DAY)
    new, after = keys.rotate(before.key_id, 3600)
    assert after == before
    assert keys.find(new) == before
    found = keys.find(old)
    assert found is not None
    assert (found.key_id, found.expires_at) == (before.key_id, NOW + 3600)


def test_an_overlap_never_prolongs_the_old_secret(keys: KeyStore) -> None:
    old, caller = keys.create(account="acme", expires_at=NOW + 60)
    keys.rotate(caller.key_id, 3600, expires_at=NOW + DAY)
    assert (found := keys.find(old)) is not None
    assert found.expires_at == NOW + 60


def test_rotating_twice_ends_all_older_secrets(keys: KeyStore) -> None:
    first, caller = keys.create(account="acme")
    second, _ = keys.rotate(caller.key_id, DAY)
    third, _ = keys.rotate(caller.key_id, 0)
    ends = [found.expires_at for s in (first, second, third) if (found := keys.find(s))]
    assert ends == [NOW, NOW, None]


def test_an_expired_key_is_rotated_only_with_a_new_end(keys: KeyStore, clock: Any) -> None:
    _, caller = keys.create(account="acme", expires_at=NOW + 60)
    clock.now += 61
    with pytest.raises(InputError, match="has expired; say when"):
        keys.rotate(caller.key_id, 0)
    assert keys.rotate(caller.key_id, 0, expires_at=NOW + DAY)[1].expires_at == NOW + DAY


def test_a_revoked_key_is_found_and_says_when_and_cannot_be_rotated(keys: KeyStore) -> None:
    first, caller = keys.create(account="acme")
    second, _ = keys.rotate(caller.key_id, DAY)
    assert keys.revoke(caller.key_id).revoked_at == NOW
    assert [f.revoked_at for s in (first, second) if (f := keys.find(s))] == [NOW, NOW]
    with pytest.raises(InputError, match="is revoked; make a new key for acme"):
        keys.rotate(caller.key_id, 0)


def test_revoking_again_keeps_the_first_time(keys: KeyStore, clock: Any) -> None:
    _, caller = keys.create(account="acme")
    keys.revoke(caller.key_id)
    clock.now += 100
    assert keys.revoke(caller.key_id).revoked_at == NOW


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_a_key_that_does_not_exist_is_named(keys: KeyStore, what: str) -> None:
    arguments = ("key-x", 0) if what == "rotate" else ("key-x",)
    with pytest.raises(InputError, match="there is no key 'key-x'"):
        getattr(keys, what)(*arguments)


def test_keys_are_listed_by_account_and_age(keys: KeyStore, clock: Any) -> None:
    for account in ("b", "a", "b"):
        keys.create(account=account)
        clock.now += 1
    assert [(c.account, c.created_at - NOW) for c in listed(keys)] == [("a", 1), ("b", 0), ("b", 2)]
    assert [c.account for c in listed(keys, "b")] == ["b", "b"]


def test_linked_accounts_share_a_cluster_also_with_keys_made_later(keys: KeyStore) -> None:
    keys.create(account="a")
    keys.create(account="b")
    keys.relink({"a": "ring", "b": "ring", "c": "ring"})
    keys.create(account="c")
    keys.create(account="d")
    assert [c.cluster for c in listed(keys)] == ["ring", "ring", "ring", "d"]
    keys.relink({"a": "other", "b": None})
    assert [c.cluster for c in listed(keys)] == ["other", "b", "ring", "d"]


def test_more_accounts_than_one_statement_holds_are_linked(keys: KeyStore) -> None:
    keys.create(account="a1234")
    keys.relink({f"a{i}": "ring" for i in range(1_500)})
    assert [c.cluster for c in listed(keys)] == ["ring"]


def test_many_who_write_at_once_each_get_a_number_of_their_own(
    keys: KeyStore, database: Database
) -> None:
    ready, failed = threading.Barrier(4), []

    def write(name: str) -> None:
        ready.wait()
        try:
            for i in range(10):
                keys.create(account=f"{name}-{i}", cluster="ring")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(str(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with database.reading() as (connection, version):
        numbers = connection.execute(select(SECRETS.c.version)).scalars().all()
    assert sorted(numbers) == list(range(1, 41))
    assert version.changes == 40


def lines(path: Path, *objects: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in objects))
    return path


def hashed(secret: str) -> str:
    return digest_of(secret).hex()


def test_imported_keys_work_with_the_secrets_that_customers_have(
    keys: KeyStore, tmp_path: Path
) -> None:
    path = lines(
        tmp_path / "keys",
        {"sha256": hashed("sk-one"), "account": "a", "created_at": NOW - DAY, "cluster": "ring"},
        {"sha256": hashed("sk-two").upper(), "account": "b", "key_id": "old-7", "tier": "large"},
    )
    assert keys.import_file(path) == 2
    one, two = keys.find("sk-one"), keys.find("sk-two")
    assert one is not None
    assert two is not None
    assert (one.account, one.created_at, one.cluster) == ("a", NOW - DAY, "ring")
    assert (two.key_id, two.created_at, two.tier) == ("old-7", NOW, "large")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"account": "b"}, "sha256"),
        ({"sha256": "abc", "account": "b"}, "64 hexadecimal digits"),
        ({"sha256": hashed("x"), "account": "b", "kyc_country": "UK"}, "GB"),
        ({"sha256": hashed("x"), "account": "b", "colour": "red"}, "colour"),
        ({"sha256": hashed("x"), "account": "b", "kyc_level": "2"}, "kyc_level"),
        ({"sha256": hashed("sk-one"), "account": "b"}, "registered already"),
        ({"sha256": hashed("x"), "account": "b", "key_id": "k1"}, "key_id: k1 is taken"),
        ({"sha256": hashed("sk-old"), "account": "b"}, "registered already"),
    ],
)
def test_one_bad_line_and_nothing_of_a_list_is_taken(
    keys: KeyStore, tmp_path: Path, bad: dict[str, Any], said: str
) -> None:
    keys.import_file(lines(tmp_path / "old", {"sha256": hashed("sk-old"), "account": "z"}))
    good = {"sha256": hashed("sk-one"), "account": "a", "key_id": "k1"}
    with pytest.raises(InputError) as refused:
        keys.import_file(lines(tmp_path / "keys", good, bad))
    assert f"{tmp_path}/keys:2: " in str(refused.value)
    assert said in str(refused.value)
    assert [c.account for c in listed(keys)] == ["z"]


def test_a_list_that_is_not_there_or_no_json_is_an_error(keys: KeyStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        keys.import_file(tmp_path / "keys")
    (tmp_path / "keys").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"keys:1: .*nothing of the file counts"):
        keys.import_file(tmp_path / "keys")


def test_accounts_are_listed_once_each_and_only_when_something_changed(keys: KeyStore) -> None:
    keys.create(account="a")
    _, caller = keys.create(account="b")
    keys.create(account="b")
    keys.revoke(caller.key_id)
    version, accounts = keys.accounts()
    assert sorted(accounts or ()) == ["a", "b"]
    assert keys.accounts(version) == (version, None)
    keys.create(account="c")
    _, accounts = keys.accounts(version)
    assert sorted(accounts or ()) == ["a", "b", "c"]
