"""The examples on the page about statistics give what the page says."""

import doctest
import re
from pathlib import Path

from stillwatch import statistics


def test_the_worked_example_gives_what_the_page_says(project: Path) -> None:
    page = (project / "docs" / "statistics.md").read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "statistics.md", None, 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert len(test.examples) > 5
    assert "".join(said) == ""


def test_the_page_names_every_function_for_the_control_of_errors(project: Path) -> None:
    page = (project / "docs" / "statistics.md").read_text()
    older = {"Agreement", "agreement", "BALANCED", "INDEPENDENT", "Profiles", "count_pairs",
             "fit_profiles", "log_spread", "upper_bound"}  # fmt: skip
    types = {"Calibration", "Discoveries"}
    names = set(statistics.__all__) - older - types
    assert [n for n in sorted(names) if not re.search(rf"\b{n}\b", page)] == []
