"""The examples on the pages about what a suspect lost, took over, and is like."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from stillwatch.provenance.refusals import read_judge


@pytest.mark.parametrize("name", ["safety-removal.md", "triage.md", "capability.md"])
def test_the_example_gives_what_the_page_says(project: Path, name: str) -> None:
    page = (project / "docs" / name).read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, name, None, 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert len(test.examples) > 8
    assert "".join(said) == ""


def test_the_judges_errors_on_the_page_are_those_that_ship(project: Path) -> None:
    page, judge = (project / "docs" / "safety-removal.md").read_text(), read_judge()
    for name, harmful in judge.errors[False].items():
        safe = judge.errors[True][name]
        cells = [
            f"{right} of {of}" if of else "–"
            for each in (harmful, safe)
            for of, right in (each[:2], each[2:])
        ]
        assert f"| {' | '.join(cells)} |" in page, name
