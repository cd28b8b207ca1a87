"""The pages of the detections: printed from the code, one for each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stillwatch.detections import load_detections

PAGES = [
    page
    for page in sorted((Path(__file__).parents[2] / "docs" / "detections").glob("*.md"))
    if page.stem != "index"
]
FAMILIES = {each.metadata.name: each.metadata.family for each in load_detections()}


def test_the_table_is_what_the_metadata_print(project: Path) -> None:
    printed = subprocess.run(
        [sys.executable, str(project / "tools" / "document_detections.py")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert (project / "docs" / "detections" / "index.md").read_text() == printed, (
        "run `make format`"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_its_family_and_what_it_confuses_and_misses(page: Path) -> None:
    text = page.read_text()
    assert f"*Family: {FAMILIES[page.stem]}." in text
    assert "**Look-alikes.**" in text
    assert "**Misses.**" in text
