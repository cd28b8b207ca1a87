"""The example on the page about the schemes gives what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path


def test_the_example_of_a_selection_gives_what_the_page_says(project: Path) -> None:
    page = (project / "docs" / "watermark-schemes.md").read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "schemes", None, 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert len(test.examples) > 6
    assert "".join(said) == ""
