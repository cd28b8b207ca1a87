"""Writes the table of pools into ``docs/corpus.md``, between its two markers.

    python tools/document_corpus.py

A test fails when the counts in the table are not those of the index.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from corpus_build.clean import opening, words

from stillwatch.lab.corpus import Kind, load
from stillwatch.lab.corpus.pool import Pool
from stillwatch.lab.corpus.shipped import ShippedFile, shipped_files

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "corpus.md"
DATA = PROJECT / "src" / "stillwatch" / "lab" / "data"
MARKS = ("<!-- pools: printed by tools/document_corpus.py -->\n", "<!-- end of pools -->\n")


def table() -> str:
    """A row a pool: what it holds, how distinct it is, where it comes from, how large it is."""
    corpus, files = load(), shipped_files()
    head = (
        "| pool | kind | texts | groups | distinct openings | near duplicates | median words | KB"
        " | from |\n|---|---|--:|--:|--:|--:|--:|--:|---|\n"
    )
    names = sorted(corpus.names(), key=lambda name: (corpus.pool(name).kind is Kind.COMPOSED, name))
    return head + "".join(_row(corpus.pool(name), files.get(name, ())) for name in names)


def _row(pool: Pool, files: tuple[ShippedFile, ...]) -> str:
    openings = {opening(text.text) for text in pool}
    folded = [words(text.text) for text in pool]
    size = sum((DATA / file.name).stat().st_size for file in files) / 1000
    cells = (
        f"`{pool.name}`",
        pool.kind.value,
        f"{len(pool):,}",
        f"{len(pool.groups()):,}",
        f"{len(openings) / len(pool):.1%}",
        f"{_near_duplicates(folded):.1%}",
        f"{median(map(len, folded)):.0f}",
        f"{size:,.0f}",
        "; ".join(_origin(file.set) for file in files) or "this project's code",
    )
    return "| " + " | ".join(cells) + " |\n"


def _near_duplicates(texts: list[list[str]]) -> float:
    """The share of texts more than half of whose 8-word runs another text of the pool has."""
    runs = [{tuple(text[i : i + 8]) for i in range(len(text) - 7)} for text in texts]
    counts = Counter(run for text in runs for run in text)
    shared = sum(2 * sum(counts[run] > 1 for run in text) > len(text) for text in runs)
    return shared / len(texts)


def _origin(name: str) -> str:
    """The set, and the licences of its packages, as its SOURCE.txt says."""
    text = (DATA / name / "SOURCE.txt").read_text(encoding="utf-8")
    packages = re.findall(r"^  .* .*: ([\w .-]+)$", text, re.MULTILINE)
    licences = packages or re.findall(r"^licence: ([\w.-]+)", text, re.MULTILINE)
    assert licences, f"{name}/SOURCE.txt names no licence"
    return f"{name} ({', '.join(sorted(set(licences)))})"


def replaced(page: str, parts: Iterable[str]) -> str:
    """The page with what stands between the markers replaced."""
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return before + MARKS[0] + "".join(parts) + MARKS[1] + after


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), [table()]), encoding="utf-8")
