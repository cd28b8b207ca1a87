"""The example on the page about tracing gives what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path


def test_the_five_minutes_give_what_the_page_says(project: Path) -> None:
    page = (project / "docs" / "tracing.md").read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "tracing.md", None, 0)
    said: list[str] = []
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    doctest.DocTestRunner(verbose=False, optionflags=flags).run(test, out=said.append)
    assert len(test.examples) > 12
    assert "".join(said) == ""
