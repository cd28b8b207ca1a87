"""The example on the page about keyed tests gives what the page says, and its table is ours."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from stillwatch.watermark.choices.english import CONNECTIVES, LAYOUT


def test_the_thirty_lines_give_what_the_page_says(project: Path) -> None:
    page = (project / "docs" / "keyed-tests.md").read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "keyed-tests.md", None, 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert len(test.examples) > 15
    assert "".join(said) == ""


def test_the_page_shows_the_whole_table(project: Path) -> None:
    page = (project / "docs" / "keyed-tests.md").read_text()
    rows = "\n".join(re.findall(r"^\| `.*", page, re.MULTILINE))
    for kind in (*CONNECTIVES, *LAYOUT):
        assert f"`{kind}`" in rows
    for phrases in CONNECTIVES.values():
        assert all(phrase in rows for phrase in phrases)
