"""`stillwatch simulate`: its files can be read back, and it says what it did."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from stillwatch.cli.simulate import command
from stillwatch.errors import InputError, SettingsError, StillwatchError
from stillwatch.lab.traffic import LABELS, PRESETS
from stillwatch.sources import open_log

SMALL = ["--accounts", "60", "--days", "0.5", "--seed", "3", "--quiet"]


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(command, arguments)
    if isinstance(result.exception, StillwatchError):
        raise result.exception
    return result


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl", "log.jsonl.gz"])
def test_the_log_is_read_back_without_a_reject(name: str, tmp_path: Path) -> None:
    log, labels = tmp_path / name, tmp_path / "labels.parquet"
    result = run("demo", "--out", str(log), "--labels", str(labels), *SMALL)
    assert result.exit_code == 0, result.output
    rows = []
    for batch in open_log([str(log)]).batches():
        assert not batch.rejects
        rows += batch.rows
    table = pq.read_table(labels)
    assert table.schema.equals(LABELS)
    assert [row.request_id for row in rows] == table["request_id"].to_pylist()
    assert {row.account for row in rows} == set(table["account"].to_pylist())


def test_it_prints_kinds_what_was_hidden_and_that_identity_is_simulated(tmp_path: Path) -> None:
    result = run(
        "demo", "--out", str(tmp_path / "a.parquet"), "--labels", str(tmp_path / "b"), *SMALL
    )
    assert "composed" in result.output
    assert "distinct" in result.output
    said = " ".join(result.output.split())
    assert re.search(r"hidden: reasoning-harvest \(reasoning_harvest, T1\), \d+ accounts", said)
    assert "Accounts and their infrastructure are simulated." in said


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        log = tmp_path / f"{name}.jsonl.gz"
        run("quiet", "--out", str(log), "--labels", str(tmp_path / name), *SMALL)
        made.append(gzip.decompress(log.read_bytes()))
    assert made[0] == made[1]


def test_no_campaign_hides_nothing(tmp_path: Path) -> None:
    labels = tmp_path / "labels.parquet"
    out = str(tmp_path / "log.parquet")
    result = run("demo", "--out", out, "--labels", str(labels), "--no-campaign", *SMALL)
    assert "hidden:" not in result.output
    assert pq.read_table(labels)["campaign"].null_count == pq.read_table(labels).num_rows


def test_prompts_of_the_user_are_sent(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    lines = [f"Pip has {n} marbles and loses {n // 2} on the way home." for n in range(400)]
    (prompts / "gsm8k.txt").write_text("\n".join(lines), encoding="utf-8")
    log = tmp_path / "log.parquet"
    labels = str(tmp_path / "labels")
    run("demo", "--out", str(log), "--labels", labels, "--prompts", str(prompts), *SMALL)
    sent = [str(m) for m in pq.read_table(log, columns=["messages"])["messages"].to_pylist()]
    assert sum("marbles" in text for text in sent) > 100


def test_the_list_names_every_preset() -> None:
    result = run("--list")
    assert result.exit_code == 0
    assert all(name in result.output for name in PRESETS)


def test_an_unknown_preset_is_refused_with_close_matches(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean quiet"):
        run("quite", "--out", str(tmp_path / "a.parquet"), "--labels", str(tmp_path / "b"))


def test_a_log_of_another_form_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"name a log \.jsonl"):
        run("quiet", "--out", str(tmp_path / "a.csv"), "--labels", str(tmp_path / "b"), *SMALL)
    assert list(tmp_path.iterdir()) == []


def test_the_help_teaches_with_examples() -> None:
    result = run("--help")
    assert "stillwatch simulate demo --out traffic.parquet --labels labels.parquet" in result.output
