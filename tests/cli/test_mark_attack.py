"""`stillwatch mark attack`: texts in, changed texts of the same form out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillwatch.lab.attacks import CATALOGUE
from stillwatch.watermark import GumbelMark, KeyRing
from tests.cli.in_process import run

VOCABULARY, EPOCH = 300, "2026-11"


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def saved(path: Path, *texts: object) -> Path:
    path.write_text("".join(json.dumps(text) + "\n" for text in texts))
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "mark.key"
    assert run("mark", "keygen", file).returncode == 0
    return file


@pytest.fixture
def texts(tmp_path: Path, key: Path) -> Path:
    """Two texts under the key of a cluster."""
    mark, said = GumbelMark(KeyRing.from_file(key, EPOCH).key("c-2")), []
    rng = np.random.default_rng(0)
    for i in range(2):
        text = [i]
        for _ in range(300):
            logits = rng.normal(0, 3, (1, VOCABULARY)).astype(np.float32)
            text += mark.sample(logits, np.array([text[-1:]]), rng=rng).tolist()
        said.append(text[1:])
    return saved(tmp_path / "texts.jsonl", said[0], {"id": "b", "tokens": said[1], "who": "c-2"})


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    rng = np.random.default_rng(4)
    some = [rng.integers(0, VOCABULARY, 500).tolist() for _ in range(20)]
    return saved(tmp_path / "plain.jsonl", *some)


def test_what_is_left_of_a_mark_is_what_detect_finds(
    tmp_path: Path, texts: Path, key: Path
) -> None:
    found = []
    for rate in (0, 0.2, 1):
        out = tmp_path / f"{rate}.jsonl"
        ended = run("mark", "attack", "edits", texts, "--rate", str(rate), "--out", out)
        assert ended.returncode == 0, ended.stderr
        assert "2 texts, 600 tokens before" in ended.stderr
        said = run(
            "mark", "detect", out, "--key-file", key, "--epoch", EPOCH, "--cluster", "c-2", "--json"
        )
        found.append([json.loads(line)["log10_p"] for line in said.stdout.splitlines()])
    assert all(a + 2 < b < c - 2 for a, b, c in zip(*found, strict=True))
    assert lines(tmp_path / "0.jsonl") == lines(texts)
    assert lines(out)[1].keys() == {"id", "tokens", "who"}


def test_a_seed_makes_every_draw(tmp_path: Path, texts: Path) -> None:
    said = []
    for seed in (1, 1, 2):
        run("mark", "attack", "edits", texts, "--seed", str(seed), "--out", tmp_path / "out")
        said.append((tmp_path / "out").read_bytes())
    assert said[0] == said[1] != said[2]


@pytest.mark.parametrize(
    "options",
    [["truncation", "--length", "5", "--part", "last"], ["chunks", "--shuffled", "--share", "0.2"],
     ["mixing", "--cover", "PLAIN", "--share", "0.1"], ["edits", "--kind", "delete"],
     ["edits", "--clean", "PLAIN"], ["rewriting", "--clean", "PLAIN", "--rate", "1"],
     ["targeted", "--clean", "PLAIN", "--marked", "TEXTS", "--strength", "3"]],
    ids=lambda options: " ".join(options),
)  # fmt: skip
def test_every_attack_on_tokens_changes_them(
    tmp_path: Path, texts: Path, plain: Path, options: list[str]
) -> None:
    files = {"PLAIN": plain, "TEXTS": texts}
    name, *rest = (files.get(word, word) for word in options)
    ended = run("mark", "attack", name, texts, *rest, "--out", tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    before, after = lines(texts), lines(tmp_path / "out")
    assert after[0] != before[0]
    assert after[1]["tokens"] != before[1]["tokens"]


def test_plain_text_is_attacked_word_by_word(tmp_path: Path) -> None:
    texts = saved(tmp_path / "t", "One two.  Three\n", {"text": "four five"})
    run("mark", "attack", "truncation", texts, "--length", "2", "--out", tmp_path / "out")
    assert lines(tmp_path / "out") == ["One two.  ", {"text": "four five"}]


def test_synonyms_come_from_the_thesaurus_that_is_named(tmp_path: Path) -> None:
    texts = saved(tmp_path / "t", "A Quick one.")
    (tmp_path / "th").write_text("UTF-8\nquick|1\n(adj)|speedy\n")
    said = ["--thesaurus", tmp_path / "th", "--rate", "1", "--out", tmp_path / "out"]
    assert run("mark", "attack", "synonyms", texts, *said).returncode == 0
    assert lines(tmp_path / "out") == ["A Speedy one."]
    missing = run("mark", "attack", "synonyms", texts, "--thesaurus", tmp_path / "no", *said[2:])
    assert missing.returncode == 2
    assert "mythes-en-us" in missing.stderr


def test_tokens_have_no_synonyms(tmp_path: Path, texts: Path) -> None:
    ended = run("mark", "attack", "synonyms", texts, "--out", tmp_path / "out")
    assert ended.returncode == 2
    assert "plain text" in ended.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("said", "complaint"),
    [(["edits", "--span", "3"], "edits takes no --span"), (["mixing"], "mixing needs --cover"),
     (["paraphrase", "--url", "http://127.0.0.1:9"], "needs --model"),
     (["mixing", "--cover", "TEXTS", "--share", "0"], "above 0"),
     (["neutralisation"], "is not one of"), (["edits", "--rate", "1.5"], "--rate")],
    ids=lambda said: " ".join(said) if isinstance(said, list) else "",
)  # fmt: skip
def test_what_an_attack_does_not_take_is_refused(
    tmp_path: Path, texts: Path, said: list[str], complaint: str
) -> None:
    name, *rest = (texts if word == "TEXTS" else word for word in said)
    ended = run("mark", "attack", name, texts, *rest, "--out", tmp_path / "out")
    assert ended.returncode == 2
    assert complaint in ended.stderr


def test_files_of_two_kinds_do_not_go_together(tmp_path: Path, texts: Path) -> None:
    cover = saved(tmp_path / "cover", "plain text")
    out = ["--out", tmp_path / "out"]
    ended = run("mark", "attack", "mixing", texts, "--cover", cover, *out)
    assert ended.returncode == 2
    assert f"{cover}: has text, and the texts are tokens" in ended.stderr


def test_the_list_says_of_each_what_it_needs_and_costs() -> None:
    ended = run("mark", "attack", "--list")
    assert ended.returncode == 0
    said = " ".join(ended.stdout.split())
    for name, entry in CATALOGUE.items():
        assert f"{name} {entry.does[0].upper()}" in said
        for part in (entry.does[1:], entry.needs, entry.costs, entry.by):
            assert part in said
