"""The text that ships with the lab, and what a user may add to it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from stillwatch.errors import InputError
from stillwatch.lab.corpus import Kind, load, tool_request


def test_a_pool_is_drawn_without_replacement() -> None:
    pool = load().pool("humaneval")

    drawn = pool.permuted(np.random.default_rng(1))

    assert [t.text for t in drawn] != [t.text for t in pool]
    assert sorted(t.text for t in drawn) == sorted(t.text for t in pool)


def test_the_same_seed_draws_the_same_texts() -> None:
    first = load().pool("chat").permuted(np.random.default_rng(7))[:50]

    assert first == load().pool("chat").permuted(np.random.default_rng(7))[:50]


def test_a_group_names_the_places_of_its_texts() -> None:
    pool = load().pool("chat").permuted(np.random.default_rng(3))

    groups = pool.groups()

    assert sum(map(len, groups.values())) == len(pool)
    name, places = next(iter(groups.items()))
    assert {pool[place].group for place in places} == {name}


def test_an_unknown_pool_is_answered_with_close_names() -> None:
    with pytest.raises(InputError, match="did you mean tools"):
        load().pool("tool")


def test_a_tool_request_comes_apart_into_request_and_functions() -> None:
    request = tool_request(load().pool("tools")[0].text)

    assert "\n---\n" not in request.request
    assert [f["name"] for f in json.loads(request.functions)] == list(request.names)


def test_a_text_without_functions_is_a_request_alone() -> None:
    assert tool_request("What time is it?") == ("What time is it?", (), "[]")


def _write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_files_of_the_user_become_pools(tmp_path: Path) -> None:
    _write(tmp_path, "mine.jsonl", '{"prompt": "Why?", "category": "a"}\n\n{"text": " How? "}\n')
    _write(tmp_path, "bank.csv", 'text,category\n"Where,\nthen?",cards\n')
    _write(tmp_path, "plain.txt.gz", gzip.compress(b"one\ntwo\n", mtime=0))

    corpus = load(tmp_path)

    assert [(t.text, t.group) for t in corpus.pool("mine")] == [("Why?", "a"), ("How?", None)]
    assert corpus.pool("bank")[0] == ("Where,\nthen?", "bank.csv", "cards")
    assert [t.text for t in corpus.pool("plain")] == ["one", "two"]
    assert corpus.pool("plain").kind is Kind.GIVEN


def test_a_folder_of_the_user_is_one_pool(tmp_path: Path) -> None:
    _write(tmp_path, "set/a.txt", "one\n")
    _write(tmp_path, "set/b.txt", "two\n")

    assert [t.text for t in load(tmp_path).pool("set")] == ["one", "two"]


def test_a_file_named_like_a_shipping_pool_extends_it(tmp_path: Path) -> None:
    known = load().pool("humaneval")[0].text
    _write(tmp_path, "humaneval.jsonl", json.dumps({"text": known}) + '\n{"text": "def new():"}\n')

    corpus = load(tmp_path)

    assert corpus.pool("humaneval")[-1].text == "def new():"
    assert len(corpus.pool("humaneval")) == len(load().pool("humaneval")) + 1
    assert corpus.repeated == 1


def test_files_without_prompts_are_named_not_dropped_silently(tmp_path: Path) -> None:
    _write(tmp_path, "a.txt", "a text\n")
    _write(tmp_path, "trace.csv", "TIMESTAMP,Tokens\n1,2\n")
    _write(tmp_path, "SOURCE.txt", "licence: MIT\n")
    _write(tmp_path, "x.parquet", b"PAR1")

    skipped = dict(load(tmp_path).skipped)

    assert {path.name for path in skipped} == {"trace.csv", "SOURCE.txt", "x.parquet"}
    assert "no row has one of text, prompt" in skipped[tmp_path / "trace.csv"]


def test_rows_without_a_text_are_counted(tmp_path: Path) -> None:
    path = _write(tmp_path, "a.jsonl", '{"text": "one"}\n{"text": ""}\n{"n": 1}\n{"text": ["x"]}\n')

    corpus = load(tmp_path)

    assert [text.text for text in corpus.pool("a")] == ["one"]
    assert corpus.skipped == ((path, "3 of its rows have no text"),)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", '{"text": "ok"}\n{"text": \n', r"a\.jsonl:2: not a JSON object"),
        ("a.jsonl", '{"text": "ok"}\n[1]\n', r"a\.jsonl:2: not a JSON object"),
        ("a.txt", b"fine\n\xff\xfe\n", r"a\.txt:2: not UTF-8"),
        ("a.csv", 'text\n"open\n', r"a\.csv:2: not CSV"),
        ("a.txt.gz", gzip.compress(b"one\n" * 999, mtime=0)[:-12], "gzip file is damaged"),
        ("README.md", "nothing here", "no file here holds prompts"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    tmp_path: Path, name: str, content: str | bytes, says: str
) -> None:
    _write(tmp_path, name, content)

    with pytest.raises(InputError, match=says):
        load(tmp_path)


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be in a folder"):
        load(tmp_path / "nowhere")
