"""The tests of a group: documented, and named in every report, with the reason if one abstains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stillwatch.campaigns import ScanOptions, ScanReport, scan
from stillwatch.campaigns.group_tests import GROUP_TESTS
from stillwatch.campaigns.report import render
from stillwatch.detections import Metadata
from stillwatch.sketches import SketchKey
from tests.campaigns.logs import Log

NAMES = {each.name for each in GROUP_TESTS}


def scanned(log: Log, folder: Path) -> ScanReport:
    written = log.write(folder / "log.parquet")
    return scan(ScanOptions([written], folder / "out", key=SketchKey(b"k" * 32)))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ScanReport:
    log = Log(seed=4)
    log.people(150)
    log.pool(30)
    return scanned(log, tmp_path_factory.mktemp("group"))


@pytest.mark.parametrize("metadata", GROUP_TESTS, ids=lambda each: each.name)
def test_every_test_of_a_group_has_a_page_that_names_its_family(
    metadata: Metadata, project: Path
) -> None:
    page = (project / "docs" / "detections" / f"{metadata.name}.md").read_text()
    assert re.search(rf"Family[:* ]+{metadata.family}\b", page)


def test_the_report_names_every_test_and_why_one_could_not_be_applied(report: ScanReport) -> None:
    abstained = {ran.metadata.name: ran.abstained for ran in report.detections}
    assert abstained.keys() >= NAMES
    assert abstained["load_balance"] is None
    assert abstained["repetition"] is None
    assert abstained["novelty"] == "no reference period was given"
    assert abstained["release_pivot"] == "the log names no model"


def test_all_evidence_is_of_a_detection_or_test_that_the_report_names(report: ScanReport) -> None:
    (campaign,) = report.campaigns
    named = {ran.metadata.name for ran in report.detections if ran.abstained is None}
    assert {e.detection for e in (*campaign.evidence, *campaign.counter_evidence)} <= named


def test_the_page_shows_null_base_rate_and_look_alikes_of_every_test(report: ScanReport) -> None:
    page = render(report)
    for ran in report.detections:
        for words in (ran.metadata.null, ran.metadata.base_rate, *ran.metadata.look_alikes):
            assert words.replace("'", "&#39;") in page


def test_release_pivot_has_its_say_where_models_are_named(tmp_path: Path) -> None:
    log = Log(seed=5)
    for number in range(20):
        log.add(f"person-{number}", log.words(20), model="small")
    abstained = {ran.metadata.name: ran.abstained for ran in scanned(log, tmp_path).detections}
    assert abstained["release_pivot"] is None
