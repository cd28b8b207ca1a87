"""`stillwatch scan --settings FILE`: the file sets defaults, options win, mistakes are one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stillwatch.cases import open_cases
from stillwatch.sketches import SketchKey
from tests.campaigns.logs import Log
from tests.cases.conftest import ANA, LOOKED, SCAN, draft, finding

SETTINGS = "sketches:\n  key_file: sketch.key\ncampaigns:\n  pseudonymous: true\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Log(seed=3)
    made.people(8)
    return made.write(tmp_path_factory.mktemp("settings") / "log.parquet")


def scan(log: Path, out: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stillwatch", "scan", log, "--out", out, "-q", *options]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=120
    )


def accounts(out: Path) -> set[str]:
    return set(pq.read_table(out / "accounts.parquet")["account"].to_pylist())


def test_the_file_sets_what_no_option_says(log: Path, tmp_path: Path) -> None:
    (tmp_path / "stillwatch.yaml").write_text(SETTINGS)
    key = SketchKey.generate()
    key.write(tmp_path / "sketch.key")
    ended = scan(log, tmp_path / "out", "--settings", tmp_path / "stillwatch.yaml")
    assert ended.returncode == 0, ended.stderr
    digest = key.digest("account", "person-0") & 0xFFFFFFFFFFFFFFFF
    assert f"{digest:016x}" in accounts(tmp_path / "out")


@pytest.mark.slow
def test_an_option_wins_over_the_file(log: Path, tmp_path: Path) -> None:
    (tmp_path / "stillwatch.yaml").write_text("campaigns:\n  pseudonymous: true\n")
    options = ("--settings", tmp_path / "stillwatch.yaml", "--no-pseudonymous")
    assert scan(log, tmp_path / "out", *options).returncode == 0
    assert "person-0" in accounts(tmp_path / "out")


def test_a_key_that_nobody_knows_is_one_line_with_its_code(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "stillwatch.yaml"
    file.write_text("engines:\n  memory: 900\n")
    ended = scan(log, tmp_path / "out", "--settings", file)
    assert ended.returncode == 2
    assert ended.stderr.strip() == (
        f"stillwatch: {file}:2: section 'engines' has no setting 'memory'; did you mean "
        "'memory_mb'? (it knows: engine, memory_mb) [SW200]"
    )
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there_is_named(log: Path, tmp_path: Path) -> None:
    ended = scan(log, tmp_path / "out", "--settings", tmp_path / "absent.yaml")
    assert ended.returncode == 2
    assert "absent.yaml: cannot read the settings" in ended.stderr
    assert "[SW200]" in ended.stderr


@pytest.mark.slow
def test_what_analysts_found_of_each_detection_stands_in_the_report(
    log: Path, tmp_path: Path
) -> None:
    with open_cases(tmp_path / "state", create=True) as cases:
        [case] = cases.intake.open([finding()], SCAN).opened
        cases.desk.claim(case, ANA)
        cases.desk.add(case, ANA, LOOKED)
        cases.bench.propose(case, ANA, draft())
    settings = tmp_path / "stillwatch.yaml"
    settings.write_text("campaigns: {cases: state}\n")
    ended = scan(log, tmp_path / "out", "--settings", settings)
    assert ended.returncode == 0, ended.stderr
    told = json.loads((tmp_path / "out" / "campaigns.json").read_text())["track_record"]
    assert {"detection": "echo", "segment": "*", "upheld": 1, "dismissed": 0,
            "least": pytest.approx(0.025), "most": 1.0} in told  # fmt: skip
    assert "How often each detection was right" in (tmp_path / "out" / "report.html").read_text()


def test_a_state_of_cases_that_is_not_there_is_named(log: Path, tmp_path: Path) -> None:
    ended = scan(log, tmp_path / "out", "--cases", tmp_path / "nowhere")
    assert (ended.returncode, "there is no store of keys here" in ended.stderr) == (2, True)
    assert not (tmp_path / "out").exists()
