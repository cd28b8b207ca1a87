"""What the ledger takes, and what it refuses before anything is recorded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stillwatch.errors import EntryError
from stillwatch.ledger import KINDS, LARGEST_ENTRY, Entry, commit, with_commitments
from tests.ledger.conftest import verdict

SALT = bytes(range(32))


def but(**fields: Any) -> Entry:
    return msgspec.structs.replace(verdict(), **fields)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_taken(kind: str) -> None:
    assert but(kind=kind).encoded()


@pytest.mark.parametrize("at", ["2026-11-22T10:00:00.123456789Z", "2026-11-22T10:00:00+05:30"])
def test_a_time_may_have_fractions_and_an_offset(at: str) -> None:
    assert but(at=at).encoded()


def test_an_entry_is_read_back_as_it_was_written() -> None:
    entry = but(body={"text": "é€😀", "list": [1, 0.5, None, {"deep": True}]})
    assert Entry.parse(entry.encoded()) == entry


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"kind": "rumour"},
            "'rumour' is no kind of entry; there are: access, action, allowance, appeal",
        ),
        ({"kind": ["verdict"]}, "is no kind of entry"),
        ({"at": "2026-11-22"}, "at: '2026-11-22' is no time"),
        ({"at": "2026-11-22T10:00:00"}, "is no time"),
        ({"at": "2026-11-22 10:00:00Z"}, "is no time"),
        ({"at": "2026-02-30T10:00:00Z"}, "is no time"),
        ({"at": "٢٠٢٦-11-22T10:00:00Z"}, "is no time"),
        ({"at": 1_795_000_000}, "is no time"),
        ({"by": ""}, "by: give 1 to 200 characters"),
        ({"by": "a" * 201}, "by: give 1 to 200 characters"),
        ({"by": None}, "by: give 1 to 200 characters"),
        ({"body": ["no", "object"]}, "body: give a JSON object"),
        ({"body": {"n": 2**60}}, "body.n is 1.153e+18, beyond"),
        ({"body": {"x": float("nan")}}, "body.x is nan, which JSON does not have"),
        ({"body": {"x": "\ud800"}}, "half of a surrogate pair"),
        ({"body": {"account": "acme"}}, "body.account names somebody in the clear"),
        ({"body": {"a": [{"ip": "203.0.113.9"}]}}, "body.a[0].ip names somebody"),
        ({"body": {"accounts": ["c1-" + "0" * 64, "acme"]}}, "body.accounts names somebody"),
        ({"body": {"account": {"$commit": "acme"}}}, "body.account names somebody"),
        ({"body": {"who": [{"$commit": "acme"}]}}, "body.who[0] names somebody"),
        ({"body": {"$commit": "acme"}}, "body names somebody"),
        ({"body": {"who": ({"email": "a@b.example"},)}}, "body.who[0].email names somebody"),
    ],
)
def test_what_is_refused_says_where_and_why(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(EntryError) as refused:
        but(**fields).encoded()
    assert said in str(refused.value)


def test_numbers_and_commitments_may_stand_where_a_name_may_not() -> None:
    body = {"accounts": 12, "account": None, "org": commit("x", SALT, of="org"), "ip": {"n": 1}}
    assert but(body=body).encoded()


def test_the_largest_entry_is_taken_and_a_byte_more_is_not() -> None:
    rest = len(but(body={"text": ""}).encoded())
    assert len(but(body={"text": "a" * (LARGEST_ENTRY - rest)}).encoded()) == LARGEST_ENTRY
    with pytest.raises(EntryError, match=r"it has 65,537 bytes, 65,536 at most"):
        but(body={"text": "a" * (LARGEST_ENTRY - rest + 1)}).encoded()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "an entry is a JSON object of kind, at, by, body"),
        ('{"kind": "verdict"}', "what differs: at, body, by"),
        ('{"kind":"v","at":"","by":"","body":{},"more":1}', "what differs: more"),
        ("nonsense", "log.jsonl:3: this is no JSON"),
        ('{"kind":"v","kind":"w"}', "the name 'kind' is given twice"),
    ],
)
def test_a_text_that_is_no_entry_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(EntryError) as refused:
        Entry.parse(text, path="log.jsonl", line=3)
    assert said in str(refused.value)
    assert str(refused.value).startswith("log.jsonl:3: ")


def test_a_commitment_depends_on_the_name_the_salt_and_what_it_identifies() -> None:
    made = {
        commit("acme", SALT), commit("acme ", SALT), commit("acme", bytes(32)),
        commit("acme", SALT, of="org"),
    }  # fmt: skip
    assert len(made) == 4


def test_a_commitment_can_be_checked_with_openssl_alone() -> None:
    """printf 'stillwatch commitment 1\\0account\\0acme' | openssl dgst -sha256 -mac HMAC …"""
    assert commit("acme", SALT) == (
        "c1-fa8ffb787c1d0f6c10ea71075d9d3e47051422f9913f6cfb740665952fa37755"
    )


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
def test_a_salt_of_another_length_is_refused(salt: bytes) -> None:
    with pytest.raises(ValueError, match="a salt has 32 bytes"):
        commit("acme", salt)


def test_names_in_a_body_are_replaced_wherever_they_stand() -> None:
    body = {"account": {"$commit": "acme"}, "seen": [{"$commit": "x", "of": "org"}], "n": 1}
    assert with_commitments(body, lambda name, of: f"<{of} {name}>") == {
        "account": "<account acme>", "seen": ["<org x>"], "n": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "asked", [{"$commit": 5}, {"$commit": "a", "of": None}, {"$commit": "a", "salt": "b"}]
)
def test_a_commitment_that_is_asked_for_in_another_way_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"body\.a\[0\]: write"):
        with_commitments({"a": [asked]}, lambda name, of: name)
