"""Files of texts: read in either form, written back in the form that they had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stillwatch.errors import InputError, OutputError
from stillwatch.lab.attacks import read_texts, write_texts


def of(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_each_line_keeps_its_form(tmp_path: Path) -> None:
    path = of(tmp_path, [1, 2], {"id": "a", "tokens": [3], "more": {"x": None}})
    texts = read_texts(path)
    assert [text.tolist() for text in texts.tokens] == [[1, 2], [3]]
    write_texts(path, texts, [text[:1] + 1 for text in texts.tokens])
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        [2], {"id": "a", "tokens": [4], "more": {"x": None}},
    ]  # fmt: skip
    assert [each.name for each in tmp_path.iterdir()] == ["texts.jsonl"]


def test_plain_text_stands_alone_or_in_an_object(tmp_path: Path) -> None:
    path = of(tmp_path, "Straße\n", {"text": "two", "id": 7})
    texts = read_texts(path)
    assert texts.plain == ["Straße\n", "two"]
    write_texts(path, texts, ["one", "zwei"])
    assert [json.loads(x) for x in path.read_text().splitlines()] == [
        "one", {"text": "zwei", "id": 7},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [{"tokens": "x"}, {"text": [1]}, {"tokens": [1], "text": "x"}, {}, 5, [1.5], [True], [1 << 70]],
)  # fmt: skip
def test_a_line_that_is_no_text_is_named(tmp_path: Path, line: object) -> None:
    with pytest.raises(InputError, match=r"texts\.jsonl:2: "):
        read_texts(of(tmp_path, [1], line))


def test_the_lines_of_a_file_are_of_one_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"texts\.jsonl:2: has text"):
        read_texts(of(tmp_path, [1], "one"))


def test_a_file_without_texts_and_one_that_is_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no texts"):
        read_texts(of(tmp_path))
    with pytest.raises(InputError, match="cannot be read"):
        read_texts(tmp_path / "none")


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    texts = read_texts(of(tmp_path, [1]))
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError):
        write_texts(tmp_path / "out", texts, texts.tokens)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out", "texts.jsonl"]
