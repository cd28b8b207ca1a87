"""Taking back reaches everybody, whatever broke: lost files, two people at once, one indicator."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stillwatch.errors import PolicyError
from stillwatch.intel.exporting import Register, release, take_back
from stillwatch.intel.profile import check_seal
from stillwatch.ledger import Ledger
from tests.intel.conftest import NOW, Provider
from tests.intel.test_leaving import let_go

Makes = Callable[..., Provider]


def taken_back(own: Provider, what: str) -> tuple[dict[str, Any], ...]:
    with Ledger.open(own.state) as ledger, Register(own.state) as register:
        return take_back(what, register, ledger, own.own.key, by="bo", now=NOW)


def test_a_retraction_whose_file_was_lost_can_be_had_again(provider: Makes, tmp_path: Path) -> None:
    own = provider()
    let_go(own, tmp_path / "1.json")
    first = taken_back(own, own.case)  # killed before the bundle was written
    with Ledger.open(own.state, read_only=True) as ledger:
        entries = len(list(ledger.entries()))
    assert taken_back(own, own.case) == first
    assert taken_back(own, first[0]["id"]) == first[:1]
    for each in first:
        check_seal(each, own.own.key.public)
    with Ledger.open(own.state, read_only=True) as ledger:
        assert len(list(ledger.entries())) == entries  # it happened once


@pytest.mark.parametrize("kind", ["indicator", "relationship", "note"])
def test_what_was_taken_back_alone_does_not_leave_again(
    provider: Makes, tmp_path: Path, kind: str
) -> None:
    own = provider()
    draft, _ = let_go(own, tmp_path / "1.json")
    one = [each for each in draft.authored if each["type"] == kind][-1]
    taken_back(own, one["id"])
    again, _ = let_go(own, tmp_path / "2.json", now=NOW + timedelta(days=1))
    assert one.get("pattern", one["id"]) not in json.dumps(again.objects)
    assert one["id"] not in json.dumps(again.objects)  # nor in what points to it
    assert [each.why for each in again.dropped if "taken back" in each.why]


def test_a_case_whose_campaign_was_taken_back_alone_does_not_leave(
    provider: Makes, tmp_path: Path
) -> None:
    own = provider()
    draft, _ = let_go(own, tmp_path / "1.json")
    taken_back(own, next(each["id"] for each in draft.authored if each["type"] == "campaign"))
    with pytest.raises(PolicyError, match="campaign was taken back"):
        let_go(own, tmp_path / "2.json", now=NOW + timedelta(days=1))


def test_what_was_taken_back_while_somebody_looked_at_the_preview_does_not_leave(
    provider: Makes, tmp_path: Path
) -> None:
    own = provider()
    let_go(own, tmp_path / "1.json")
    draft = own.draft(NOW + timedelta(hours=1))
    taken_back(own, own.case)
    with (
        Ledger.open(own.state) as ledger,
        Register(own.state) as register,
        pytest.raises(PolicyError, match="since it was previewed"),
    ):
        release(draft, register, ledger, tmp_path / "2.json", by="ana", now=NOW)
    assert not (tmp_path / "2.json").exists()


@pytest.mark.parametrize("told", ["100-999", "1-9999"])
def test_no_rate_tells_how_many_accounts_a_provider_has(provider: Makes, told: str) -> None:
    """With no other account that matches, an upper end of 0.0053 says 693 to 706 accounts."""
    own = provider()
    draft = own.draft(buckets="{accounts: 4}") if told == "1-9999" else own.draft()
    text = json.dumps(draft.objects)
    assert f"({told} accounts)" in text
    assert '"false_positive_rate": 0.01' in text
    assert "0.005" not in text
