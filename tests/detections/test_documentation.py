"""The pages of the detections: printed from the code, one for each."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from stillwatch.detections import load_detections

OURS = {
    each.metadata.name: each.metadata.family
    for each in load_detections()
    if type(each).__module__.startswith("stillwatch.")
}


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


@pytest.mark.parametrize("name", OURS)
def test_every_detection_has_a_page_that_names_its_family(name: str, project: Path) -> None:
    page = (project / "docs" / "detections" / f"{name}.md").read_text()
    assert re.search(rf"Family[:* ]+{OURS[name]}\b", page)
