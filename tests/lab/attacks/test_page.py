"""The example on the page about attacks gives what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from stillwatch.lab.attacks import CATALOGUE


def test_the_example_of_an_attack_gives_what_the_page_says(project: Path) -> None:
    page = (project / "docs" / "watermark-attacks.md").read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "attacks", None, 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert len(test.examples) > 9
    assert "".join(said) == ""


def test_every_attack_is_on_the_page(project: Path) -> None:
    page = (project / "docs" / "watermark-attacks.md").read_text()
    table = page.partition("## The attacks")[2].partition("\n## ")[0]
    assert [
        name for name in CATALOGUE if not re.search(rf"^\|.*\b{name}\b", table, re.MULTILINE)
    ] == []
