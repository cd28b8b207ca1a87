"""The main job, on small logs: what is found, who is left alone, what the files hold."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns import ScanOptions, scan
from stillwatch.errors import OutputError
from stillwatch.sketches import SketchKey
from tests.campaigns.logs import DAY, START, Log, campaigns

KEY = SketchKey(bytes(range(32)))


def run(log: Path, out: Path, **more: object) -> list[dict[str, object]]:
    scan(ScanOptions([log], out, key=KEY, **more))  # type: ignore[arg-type]
    return campaigns(out)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log = Log(1)
    log.people(250)
    log.pool(30)
    return log.write(tmp_path_factory.mktemp("log") / "log.parquet")


@pytest.fixture(scope="module")
def report(mixed: Path) -> Path:
    """What a scan of it wrote; nobody changes it."""
    run(mixed, mixed.parent / "out")
    return mixed.parent / "out"


def test_a_pool_is_found_and_nobody_else(report: Path) -> None:
    (found,) = campaigns(report)
    accounts = set(found["accounts"])  # type: ignore[call-overload]
    assert len(accounts & {f"pool-{i}" for i in range(30)}) >= 27
    assert not [account for account in accounts if not account.startswith("pool-")]
    families = {each["family"] for each in found["evidence"]}  # type: ignore[attr-defined]
    assert len(families) >= 2


@pytest.mark.slow
def test_a_campaign_in_chinese_is_found_like_one_in_english(tmp_path: Path) -> None:
    log = Log(2)
    log.people(250)
    log.pool(30, chinese=True)
    (found,) = run(log.write(tmp_path / "log.jsonl"), tmp_path / "out")
    accounts = set(found["accounts"])  # type: ignore[call-overload]
    assert len(accounts & {f"pool-{i}" for i in range(30)}) >= 27
    assert all(account.startswith("pool-") for account in accounts)


def test_honest_users_of_one_tool_are_left_alone(tmp_path: Path) -> None:
    log = Log(3)
    log.people(250)
    log.tool(120)
    assert run(log.write(tmp_path / "log.parquet"), tmp_path / "out") == []


def test_a_quiet_log_gives_every_file_and_no_campaign(tmp_path: Path) -> None:
    log = Log(4)
    log.people(80)
    assert run(log.write(tmp_path / "log.jsonl.gz"), tmp_path / "out") == []
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "campaigns.json",
        "accounts.parquet",
        "report.html",
        "rejects.jsonl",
    }
    table = pq.read_table(tmp_path / "out" / "accounts.parquet")
    assert table.num_rows == 80
    assert table["campaign"].null_count == 80


def test_a_log_without_rows_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("")
    assert run(tmp_path / "log.jsonl", tmp_path / "out") == []


def test_the_same_log_and_key_give_the_same_bytes(
    mixed: Path, report: Path, tmp_path: Path
) -> None:
    run(mixed, tmp_path / "again")
    for name in ("campaigns.json", "report.html", "accounts.parquet"):
        assert (report / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_accounts_parquet_scores_every_account(report: Path) -> None:
    (found,) = campaigns(report)
    table = pq.read_table(report / "accounts.parquet").to_pandas()
    assert table.account.is_unique
    assert set(table.account[table.campaign == found["id"]]) == set(found["accounts"])  # type: ignore[call-overload]
    assert table.score[table.campaign.notnull()].min() > table.score[table.campaign.isnull()].max()
    assert "score_echo" in table.columns


def test_what_was_masked_is_in_no_file(tmp_path: Path) -> None:
    secrets = ("jane.doe@example.org", "Zyxwvut", "73519284", "sk-9f8e7d6c5b4a3f2e1d0c")
    log = Log(5)
    log.people(250)
    log.pool(30)
    for number in range(30):
        for _ in range(2):
            log.add(
                f"pool-{number}",
                f"please solve the following task and write down every single step of the "
                f"reasoning for Zyxwvut at {secrets[0]} with {secrets[2]} and {secrets[3]} "
                + log.words(12),
            )
    assert run(log.write(tmp_path / "log.parquet"), tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        content = (
            json.dumps(pq.read_table(path).to_pylist(), default=str).encode()
            if path.suffix == ".parquet"
            else path.read_bytes()
        ).lower()
        for secret in secrets:
            assert secret.lower().encode() not in content, (path.name, secret)


def test_shared_wordings_can_be_read(report: Path) -> None:
    assert "write down every single step of the" in (report / "report.html").read_text()


def test_nothing_below_k_accounts_is_readable(mixed: Path, tmp_path: Path) -> None:
    run(mixed, tmp_path / "out", k=31)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "write down every single step" not in page


def test_pseudonyms_stand_in_for_names_everywhere(mixed: Path, tmp_path: Path) -> None:
    assert run(mixed, tmp_path / "out", pseudonymous=True)
    for path in (tmp_path / "out").iterdir():
        content = (
            json.dumps(pq.read_table(path).to_pylist(), default=str)
            if path.suffix == ".parquet"
            else path.read_text()
        )
        assert "pool-" not in content, path.name
        assert "person-" not in content, path.name


def test_a_campaign_that_the_reference_holds_too_is_still_found(
    mixed: Path, tmp_path: Path
) -> None:
    found = run(mixed, tmp_path / "out", reference_until=START + DAY)
    assert len(found) == 1
    assert "reference" in (tmp_path / "out" / "report.html").read_text()


def test_a_folder_that_holds_something_is_not_touched(mixed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="--force"):
        run(mixed, out)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_rejected_rows_are_listed_without_their_text(tmp_path: Path) -> None:
    log = Log(6)
    log.people(20)
    path = log.write(tmp_path / "log.jsonl")
    with path.open("a") as file:
        file.write('{"at": "soon", "account": "a", "prompt": "my secret prompt"}\n{broken\n')
    run(path, tmp_path / "out")
    lines = (tmp_path / "out" / "rejects.jsonl").read_text().splitlines()
    rejects = [json.loads(line) for line in lines]
    assert len(rejects) == 2
    assert {each["line"] for each in rejects} == {len(log.rows) + 1, len(log.rows) + 2}
    assert "secret" not in (tmp_path / "out" / "rejects.jsonl").read_text()
