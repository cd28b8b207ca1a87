"""The data files of the corpus: whole, licensed, clean, distinct, small, and quick to open."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from stillwatch.errors import StoreFormatError
from stillwatch.lab.corpus import Corpus, Kind, load, shipped
from stillwatch.lab.corpus.shipped import ShippedFile, read_files, shipped_files

DATA = Path(str(files("stillwatch.lab"))) / "data"
FILES = [file for parts in shipped_files().values() for file in parts]
LEAST = {
    "chat": 80_000, "tools": 2_500, "questions": 500, "service": 150, "humaneval": 150,
    "maths": 15_000, "definitions": 12_000, "passages": 14_000, "headings": 5_000,
    "records": 4_000, "code": 6_000, "languages": 12_000, "languages-chat": 6_000,
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load()


def test_the_index_lists_exactly_the_files_that_are_there() -> None:
    there = {str(path.relative_to(DATA)) for path in DATA.glob("*/*.zst")}

    assert {file.name for file in FILES} == there


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_is_the_one_that_the_index_describes(file: ShippedFile) -> None:
    blocks = list(read_files([file]))

    assert hashlib.sha256((DATA / file.name).read_bytes()).hexdigest() == file.sha256
    assert sum(len(block.texts) for block in blocks) == file.texts
    assert len({block.group for block in blocks} - {None}) == file.groups


@pytest.mark.parametrize("name", sorted({file.set for file in FILES}))
def test_a_set_says_where_it_comes_from_and_under_which_licence(name: str) -> None:
    source = (DATA / name / "SOURCE.txt").read_text(encoding="utf-8")

    for field in ("package", "licence", "holds", "selection", "group"):
        assert re.search(rf"^{field}: \S", source, re.MULTILINE), field
    assert len((DATA / name / "LICENSES.txt").read_text(encoding="utf-8")) > 500


@pytest.mark.parametrize("name", LEAST)
def test_a_pool_holds_enough_texts(corpus: Corpus, name: str) -> None:
    assert len(corpus.pool(name)) >= LEAST[name]


def test_no_text_ships_twice(corpus: Corpus) -> None:
    natural = [n for n in corpus.names() if corpus.pool(n).kind is not Kind.COMPOSED]
    counts = Counter(
        " ".join(text.text.casefold().split()) for name in natural for text in corpus.pool(name)
    )

    assert [text for text, count in counts.items() if count > 1] == []


def test_no_text_holds_an_address_of_a_person(corpus: Corpus) -> None:
    mail = re.compile(r"\w@(?!(example|domain)\.)[\w-]+\.\w")
    found = [(n, t.text) for n in corpus.names() for t in corpus.pool(n) if mail.search(t.text)]

    assert found == []


def test_only_definitions_of_functions_hold_web_addresses(corpus: Corpus) -> None:
    web = re.compile(r"https?://\w")
    found = {n for n in corpus.names() for text in corpus.pool(n) if web.search(text.text)}

    assert found == {"tools"}


def test_every_text_names_its_source(corpus: Corpus) -> None:
    for name in corpus.names():
        pool = corpus.pool(name)
        assert all(block.source for block in pool.blocks())


def test_composed_pools_say_so_in_their_name_and_kind(corpus: Corpus) -> None:
    for name in corpus.names():
        assert name.startswith("composed-") == (corpus.pool(name).kind is Kind.COMPOSED)


def test_composed_texts_are_distinct_and_the_same_every_time(corpus: Corpus) -> None:
    for name in (n for n in corpus.names() if n.startswith("composed-")):
        texts = [text.text for text in corpus.pool(name)]
        assert len(set(texts)) == len(texts) >= 4000
        assert texts == [text.text for text in load().pool(name)]


def test_a_damaged_file_is_not_read_as_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shipped_files()["humaneval"][0]
    copy = tmp_path / file.name
    copy.parent.mkdir()
    monkeypatch.setattr(shipped, "_data", lambda: tmp_path)

    with pytest.raises(StoreFormatError, match=r"humaneval\.jsonl\.zst: .*install"):
        list(read_files([file]))
    copy.write_bytes((DATA / file.name).read_bytes()[:-50])
    with pytest.raises(StoreFormatError, match="damaged"):
        list(read_files([file]))


def test_a_file_with_fewer_texts_than_the_index_says_is_damaged() -> None:
    file = shipped_files()["humaneval"][0]

    with pytest.raises(StoreFormatError, match=f"holds {file.texts} texts where the index says"):
        list(read_files([msgspec.structs.replace(file, texts=file.texts + 1)]))


def test_the_page_counts_what_the_index_counts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "corpus.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| \w+ \| ([\d,]+) \|", page, re.MULTILINE)
    counts = {name: int(count.replace(",", "")) for name, count in rows}

    shipping = {n: sum(part.texts for part in parts) for n, parts in shipped_files().items()}
    assert {n: c for n, c in counts.items() if not n.startswith("composed-")} == shipping
