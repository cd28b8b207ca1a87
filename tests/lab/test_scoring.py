"""What a scan found, beside what was planted."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.lab.scoring import Score, score_folder


def scored(
    folder: Path, reports: dict[str, list[str]], *rows: tuple[str, str, str | None]
) -> Score:
    """Rows are (account, kind, campaign); what has a campaign is its attack."""
    labels = pa.table(
        {
            "account": [account for account, _, _ in rows],
            "kind": [kind for _, kind, _ in rows],
            "campaign": [campaign for _, _, campaign in rows],
            "attack": [campaign is not None for _, _, campaign in rows],
        }
    )
    pq.write_table(labels, folder / "labels.parquet")
    found = [{"id": name, "accounts": accounts} for name, accounts in reports.items()]
    (folder / "campaigns.json").write_text(json.dumps({"campaigns": found}), "utf-8")
    return score_folder(folder, folder / "labels.parquet")


PLANTED = [("a", "harvest", "one"), ("b", "harvest", "one"), ("c", "chat", None)]


def test_a_report_half_of_whose_members_attack_together_is_found(tmp_path: Path) -> None:
    score = scored(tmp_path, {"r": ["a", "c"]}, *PLANTED)
    (hidden,) = score.hidden
    assert (hidden.found, hidden.named, hidden.accused, hidden.recall) == ("r", 1, 1, 0.5)
    assert score.false_campaigns == ()


def test_a_report_with_more_innocents_than_attackers_is_false(tmp_path: Path) -> None:
    score = scored(tmp_path, {"r": ["a", "c", "d"]}, *PLANTED, ("d", "etl", None))
    assert score.false_campaigns == ("r",)
    assert score.hidden[0].found is None


def test_an_account_of_two_kinds_counts_with_each_and_once_among_the_wrong(tmp_path: Path) -> None:
    score = scored(tmp_path, {"r": ["a", "b", "c"]}, *PLANTED, ("c", "new_tool", None))
    assert score.accused == {"chat": 1, "new_tool": 1}
    assert score.innocents == {"chat": 1, "new_tool": 1}
    assert score.wrong == 1


def test_the_cover_traffic_of_attackers_makes_them_no_innocents(tmp_path: Path) -> None:
    score = scored(tmp_path, {"r": ["a", "b"]}, *PLANTED, ("a", "chat", None))
    assert score.innocents == {"chat": 1}
    assert score.accused == {}
