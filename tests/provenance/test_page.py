"""The example on the page about radioactivity gives what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path


def test_the_thirty_lines_give_what_the_page_says(project: Path) -> None:
    page = (project / "docs" / "radioactivity.md").read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "radioactivity.md", None, 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert len(test.examples) > 15
    assert "".join(said) == ""
