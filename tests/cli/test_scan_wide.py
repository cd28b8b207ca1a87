"""Logs of very many rows: all from one account, or one from each of very many."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.campaigns.wide_logs import write_wide_log
from tests.cli.running import campaigns, scan, source


@pytest.mark.slow
def test_one_account_that_sends_everything_is_no_campaign(tmp_path: Path) -> None:
    log = write_wide_log(tmp_path / "log", 200_000, accounts=1)
    ended = scan(log, tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    about = source(tmp_path / "out")
    assert (about["rows"], about["rejected"]) == (200_000, 0)
    assert pq.read_table(tmp_path / "out" / "accounts.parquet").num_rows == 1


@pytest.mark.slow
def test_very_many_accounts_of_one_exchange_each_are_no_campaign(tmp_path: Path) -> None:
    """``benchmarks/scan_accounts.py`` says what millions of them take."""
    log = write_wide_log(tmp_path / "log", 300_000)
    ended = scan(log, tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    assert campaigns(tmp_path / "out") == []
    accounts = pq.read_table(tmp_path / "out" / "accounts.parquet")
    assert accounts.num_rows == 300_000
    assert accounts["account"].to_pylist() == sorted(accounts["account"].to_pylist())
