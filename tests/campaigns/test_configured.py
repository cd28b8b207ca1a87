"""What stillwatch.yaml may say of a scan, and how a mistake in it is reported."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from stillwatch.campaigns import ScanOptions, ScanSettings, read_scan_settings
from stillwatch.errors import SettingsError

EVERYTHING = """
sketches:
  key_file: keys/sketch.key
sources:
  format: otel
engines:
  engine: polars
  memory_mb: 900
campaigns:
  k: 7
  pseudonymous: true
"""


def read(text: str, folder: Path) -> ScanSettings:
    file = folder / "stillwatch.yaml"
    file.write_text(text, "utf-8")
    return read_scan_settings(file)


def test_every_setting_is_read_and_a_key_file_is_looked_for_beside_the_settings(
    tmp_path: Path,
) -> None:
    assert read(EVERYTHING, tmp_path) == ScanSettings(
        key_file=tmp_path / "keys" / "sketch.key",
        format="otel",
        engine="polars",
        memory_mb=900,
        k=7,
        pseudonymous=True,
    )


def test_an_absolute_key_file_stays_where_it_is(tmp_path: Path) -> None:
    text = "sketches: {key_file: /etc/stillwatch/sketch.key}"
    assert read(text, tmp_path).key_file == Path("/etc/stillwatch/sketch.key")


def test_without_a_file_or_with_an_empty_one_the_defaults_hold(tmp_path: Path) -> None:
    assert read_scan_settings(None) == read("", tmp_path) == ScanSettings()


def test_the_defaults_are_those_of_a_scan() -> None:
    usual = {each.name: each.default for each in dataclasses.fields(ScanOptions)}
    settings = dataclasses.asdict(ScanSettings())
    del settings["key_file"], settings["cases"]  # what they name is read before the scan
    assert settings == {name: usual[name] for name in settings}


def test_what_is_given_wins_and_what_is_not_given_stays(tmp_path: Path) -> None:
    chosen = read(EVERYTHING, tmp_path).but({"k": 9, "pseudonymous": False, "engine": None})
    assert (chosen.k, chosen.pseudonymous, chosen.engine) == (9, False, "polars")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scan: {k: 5}", ":1: the file has no setting 'scan'"),
        ("campaigns:\n  kk: 5", ":2: section 'campaigns' has no setting 'kk'; did you mean 'k'"),
        ("engines:\n  memory: 5", ":2: .*did you mean 'memory_mb'"),
        ("campaigns:\n  k: 1", ":2: 'campaigns.k' must be 2 or more, not 1"),
        ("campaigns:\n  k: five", ":2: 'campaigns.k' must be a whole number"),
        ("campaigns:\n  pseudonymous: yes", ":2: 'campaigns.pseudonymous' must be true or false"),
        ("engines:\n  engine: mysql", ":2: 'engines.engine' must be one of duckdb, polars"),
        ("engines:\n  memory_mb: 10", ":2: 'engines.memory_mb' must be 500 or more"),
        ("sources:\n  format: csv", ":2: 'sources.format' must be one of auto, litellm, native"),
        ("sketches:\n  key_file: ''", ":2: 'sketches.key_file' must name a file"),
        ("campaigns:\n  cases: ''", ":2: 'campaigns.cases' must name a folder or an address"),
        ("sketches: 5", ":1: 'sketches' must be a mapping"),
    ],
)
def test_what_nobody_understands_is_refused_with_its_line(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=message):
        read(text, tmp_path)


def test_every_setting_is_documented_with_its_default(project: Path) -> None:
    page = (project / "docs" / "settings.md").read_text()
    table = dict(re.findall(r"^\| `\w+` \| `(\w+)` \| (.*?) \|", page, re.MULTILINE))
    usual = {
        name: {True: "true", False: "false", None: "none"}.get(value, str(value))
        for name, value in dataclasses.asdict(ScanSettings()).items()
    }
    assert {name: default.strip("`") for name, default in table.items()} == usual


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("campaigns: {cases: state}", "FOLDER/state"),
        ("campaigns: {cases: /var/lib/x}", "/var/lib/x"),
        ("campaigns: {cases: 'postgresql://h/n'}", "postgresql://h/n"),
        ("retention: {cases: 365}", None),
    ],
)
def test_cases_are_looked_for_beside_the_settings(
    tmp_path: Path, text: str, place: str | None
) -> None:
    file = tmp_path / "stillwatch.yaml"
    file.write_text(text + "\n")
    wanted = place and place.replace("FOLDER", str(tmp_path))
    assert read_scan_settings(file).cases == wanted


@pytest.mark.parametrize(
    "theirs", ["intel:\n  name: a\n", "backends:\n  - name: b\n", "gateway: {}\nretention: {}\n"]
)
def test_sections_of_other_commands_are_left_to_them(theirs: str, tmp_path: Path) -> None:
    file = tmp_path / "stillwatch.yaml"
    file.write_text(f"{theirs}campaigns:\n  k: 7\n")
    assert read_scan_settings(file).k == 7
    file.write_text(f"{theirs}campaign:\n  k: 7\n")
    with pytest.raises(SettingsError, match="'campaign'"):
        read_scan_settings(file)
