"""Hypotheses come from behaviour: from files of campaigns, with a reference, and two members."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from stillwatch.errors import InputError
from stillwatch.watermark import ClusterHypothesis


def campaigns(tmp_path: Path, *accounts: list[str], format: str = "stillwatch.campaigns/1") -> Path:  # noqa: A002
    found = [{"id": f"k-{i}", "accounts": some, "score": 1.0} for i, some in enumerate(accounts)]
    file = tmp_path / "campaigns.json"
    file.write_text(json.dumps({"format": format, "source": {"rows": 3}, "campaigns": found}))
    return file


def test_each_campaign_is_a_hypothesis_that_names_the_file(tmp_path: Path) -> None:
    file = campaigns(tmp_path, ["b", "a", "b"], ["c", "d"])
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert ClusterHypothesis.from_campaigns(file) == [
        ClusterHypothesis("k-0", ("a", "b"), f"k-0 sha256:{digest}"),
        ClusterHypothesis("k-1", ("c", "d"), f"k-1 sha256:{digest}"),
    ]


def test_accounts_become_the_clusters_whose_keys_they_had(tmp_path: Path) -> None:
    file = campaigns(tmp_path, ["a", "b", "c"], ["d", "e"])
    clusters = {"a": "x", "b": "x", "c": "y", "d": "z", "e": "z"}
    [only] = ClusterHypothesis.from_campaigns(file, clusters)
    assert only.members == ("x", "y")
    with pytest.raises(InputError, match="'e' of campaign 'k-1' has no cluster"):
        ClusterHypothesis.from_campaigns(file, {**dict.fromkeys("abcd", "x")})


def test_a_hypothesis_needs_members_a_name_and_grounds() -> None:
    for wrong, arguments in (
        ("has 1 member", ("h", ("a", "a"), "s")),
        ("has 0 member", ("h", (), "s")),
        ("behaviour evidence", ("h", ("a", "b"), " ")),
        ("has a name", ("", ("a", "b"), "s")),
    ):
        with pytest.raises(ValueError, match=wrong):
            ClusterHypothesis(*arguments)  # type: ignore[arg-type]


def test_what_is_no_file_of_campaigns_is_named(tmp_path: Path) -> None:
    other = campaigns(tmp_path, ["a", "b"], format="stillwatch.campaigns/2")
    with pytest.raises(InputError, match=r"must be 'stillwatch\.campaigns/1'"):
        ClusterHypothesis.from_campaigns(other)
    other.write_text("{")
    with pytest.raises(InputError, match="no file of campaigns"):
        ClusterHypothesis.from_campaigns(other)
    with pytest.raises(InputError, match="cannot be read"):
        ClusterHypothesis.from_campaigns(tmp_path / "none")
