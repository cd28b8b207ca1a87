"""What leaves: as it was previewed, the ledger told first; versions, taking back, the register."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stillwatch.errors import IntelError, OutputError, PolicyError, StorageError
from stillwatch.intel.exporting import Draft, Register, release, take_back
from stillwatch.intel.profile import (
    check_seal,
    validate,
)
from stillwatch.ledger import Ledger
from tests.intel.conftest import (
    MEMBERS,
    NOW,
    Provider,
)

Makes = Callable[..., Provider]


def let_go(own: Provider, out: Path, **options: Any) -> tuple[Draft, dict[str, Any]]:
    draft = own.draft(options.pop("now", NOW))
    with Ledger.open(own.state) as ledger, Register(own.state, create=True) as register:
        made = release(draft, register, ledger, out, by="ana", now=NOW, **options)
    return draft, made


def test_what_leaves_is_what_was_previewed_and_stands_in_the_ledger(
    provider: Makes, tmp_path: Path
) -> None:
    own, out = provider(), tmp_path / "out.json"
    preview = own.draft(NOW - timedelta(hours=1))
    draft, made = let_go(own, out, expected=preview.contents)
    assert [each["id"] for each in preview.objects] == [each["id"] for each in draft.objects]
    assert json.loads(out.read_text()) == made
    with Ledger.open(own.state, read_only=True) as ledger:
        *_, (_, entry) = ledger.entries()
    assert entry.kind == "export"
    assert entry.body["bundle"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert entry.body["contents"] == preview.contents
    assert entry.body["recipients"] == ["provider-b"]
    assert entry.body["policy"]["digest"] == draft.policy.digest
    assert not any(name in json.dumps(entry.body) for name in MEMBERS)


def test_another_content_than_was_agreed_to_does_not_leave(provider: Makes, tmp_path: Path) -> None:
    own, out = provider(), tmp_path / "out.json"
    agreed = own.draft(buckets="{accounts: 2}").contents
    with pytest.raises(PolicyError, match="previewed"):
        let_go(own, out, expected=agreed)
    assert not out.exists()
    with Register(own.state) as register:
        assert register.exports() == []


def test_a_file_is_never_overwritten(provider: Makes, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text("mine")
    with pytest.raises(OutputError):
        let_go(provider(), out)
    assert out.read_text() == "mine"


def test_a_second_export_is_a_later_version_of_the_same_objects(
    provider: Makes, tmp_path: Path
) -> None:
    own = provider()
    first, _ = let_go(own, tmp_path / "1.json")
    second, _ = let_go(own, tmp_path / "2.json", now=NOW + timedelta(days=1))
    before = {each["id"]: each for each in first.authored}
    assert before.keys() == {each["id"] for each in second.authored}
    for each in second.authored:
        earlier = before[each["id"]]
        assert each["created"] == earlier["created"]
        if each["type"] == "identity":
            assert each == earlier
        else:
            assert each["modified"] > earlier["modified"]


def test_what_left_is_taken_back_whole_and_nothing_twice(provider: Makes, tmp_path: Path) -> None:
    own = provider()
    draft, _ = let_go(own, tmp_path / "1.json")
    with Ledger.open(own.state) as ledger, Register(own.state) as register:
        taken = take_back(own.case, register, ledger, own.own.key, by="bo", now=NOW)
        *_, (_, entry) = ledger.entries()
        with pytest.raises(IntelError, match="nothing was exported"):
            take_back("case-other", register, ledger, own.own.key, by="bo", now=NOW)
    left = {each["id"]: each for each in draft.authored if each["type"] != "identity"}
    assert {each["id"] for each in taken} == left.keys()
    for each in taken:
        validate(each)
        check_seal(each, own.own.key.public)
        assert each["revoked"] is True
        assert each["modified"] > left[each["id"]]["modified"]
    assert (entry.kind, entry.body["revoked"]) == ("export", len(taken))
    again, _ = let_go(own, tmp_path / "2.json", now=NOW + timedelta(days=1))
    fresh = {each["id"] for each in again.authored if each["type"] != "identity"}
    assert not fresh & left.keys()


def test_one_indicator_is_taken_back_alone(provider: Makes, tmp_path: Path) -> None:
    own = provider()
    draft, _ = let_go(own, tmp_path / "1.json")
    one = next(each["id"] for each in draft.objects if each["type"] == "indicator")
    with Ledger.open(own.state) as ledger, Register(own.state) as register:
        (taken,) = take_back(one, register, ledger, own.own.key, by="bo", now=NOW)
        assert taken["id"] == one
        rest = take_back(own.case, register, ledger, own.own.key, by="bo", now=NOW)
    assert one not in {each["id"] for each in rest}


def test_the_register_forgets_what_nobody_may_keep(provider: Makes, tmp_path: Path) -> None:
    own = provider()
    let_go(own, tmp_path / "1.json")
    with Register(own.state) as register:
        assert register.tidy(NOW + timedelta(days=59)) == 0
        assert register.tidy(NOW + timedelta(days=61)) > 5
        kept = register.current(own.case).values()
    assert {each["type"] for each in kept} <= {"identity"}


def test_a_register_that_cannot_be_read_is_told(provider: Makes) -> None:
    own = provider()
    (own.state / "exports.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="register"), Register(own.state) as register:
        register.exports()
