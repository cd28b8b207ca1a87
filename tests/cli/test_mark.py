"""`stillwatch mark`: a key that is made once, and marks that are found under it and no other."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from stillwatch.watermark import GLOBAL, GumbelMark, KeyRing, Mark, MarkKey, TournamentMark
from tests.cli.in_process import run
from tests.watermark.tokenizers_of_tests import trained

EPOCH = "2026-11"
VOCABULARY = 512


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "mark.key"
    assert run("mark", "keygen", file).returncode == 0
    return file


def written(key: Path, cluster: str, length: int) -> list[int]:
    """A text of a model without preferences, under the key of a cluster."""
    return of(GumbelMark(KeyRing.from_file(key, EPOCH).key(cluster), context=1), length)


def of(mark: Mark, length: int) -> list[int]:
    """A text of a model without preferences under a mark with contexts of one token."""
    rng, text = np.random.default_rng(3), [0]
    for _ in range(length):
        logits = rng.normal(0, 3, (1, VOCABULARY)).astype(np.float32)
        text += mark.sample(logits, np.array([text[-1:]]), rng=rng).tolist()
    return text[1:]


@pytest.fixture
def texts(tmp_path: Path, key: Path) -> Path:
    """A text of cluster c-2, one of chance, and one that is too short."""
    chance = np.random.default_rng(5).integers(0, VOCABULARY, 300).tolist()
    lines = [{"id": "ours", "tokens": written(key, "c-2", 300)}, chance, [1, 2, 3]]
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return file


def test_a_key_is_for_its_owner_and_never_overwritten(key: Path) -> None:
    made = key.read_bytes()
    assert len(made) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = run("mark", "keygen", key)
    assert again.returncode == 2
    assert "never overwritten" in again.stderr
    assert key.read_bytes() == made


def test_the_cluster_of_a_text_is_found_and_no_other(key: Path, texts: Path) -> None:
    clusters = texts.with_name("clusters")
    clusters.write_text("\n".join(f"c-{i}" for i in range(1, 6)))
    ended = run(
        "mark", "detect", texts, "--key-file", key, "--epoch", EPOCH, "--clusters", clusters,
        "--global", "--vocabulary", VOCABULARY, "--json",
    )  # fmt: skip
    assert ended.returncode == 3, ended.stderr
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(said) == 3 * 6
    assert {each["cluster"] for each in said} == {*(f"c-{i}" for i in range(1, 6)), GLOBAL}
    assert [(x["text"], x["cluster"], x["decoy_rank"]) for x in said if x["found"]] == [
        ("ours", "c-2", 1)
    ]
    short = [each for each in said if each["text"] == "3"]
    assert all(each["abstained"] and each["log10_p"] is None for each in short)


@pytest.mark.parametrize(
    ("words", "scheme", "make"),
    [
        (["--scheme", "tournament"], "tournament", TournamentMark),
        (["--prf", "murmur3-32-sglang-v1"], "gumbel-murmur3",
         partial(GumbelMark, prf="murmur3-32-sglang-v1")),
        (["--scheme", "tournament", "--prf", "premix-v1"], "tournament",
         partial(TournamentMark, prf="premix-v1")),
    ],
)  # fmt: skip
def test_other_schemes_and_functions_are_looked_for_where_they_are_named(
    key: Path, tmp_path: Path, words: list[str], scheme: str, make: Callable[[MarkKey], Mark]
) -> None:
    file = tmp_path / "one.jsonl"
    text = of(make(KeyRing.from_file(key, EPOCH).key("c-7", scheme)), 300)
    file.write_text(json.dumps(text))
    asked = ["mark", "detect", file, "--key-file", key, "--epoch", EPOCH, "--cluster", "c-7"]
    ended = run(*asked, *words, "--json")
    assert ended.returncode == 3, ended.stderr
    assert json.loads(ended.stdout)["scheme"] == scheme
    assert run(*asked).returncode == 0


def test_nothing_found_is_status_0_and_a_table(key: Path, texts: Path) -> None:
    ended = run(
        "mark", "detect", texts, "--key-file", key, "--epoch", "2026-10", "--cluster", "c-2"
    )
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[0].split()[:3] == ["text", "cluster", "scored"]
    assert "found" not in ended.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [("[1, 2.5]", "must be an array of token ids"), ('{"tokens": "x"}', "token ids"),
     ("[1, 99999999999999999999]", "token ids"), ("nothing", "token ids")],
)  # fmt: skip
def test_a_line_that_is_no_text_is_named(key: Path, tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(f"[1, 2]\n\n{line}\n")
    ended = run("mark", "detect", file, "--key-file", key, "--epoch", EPOCH, "--cluster", "c")
    assert ended.returncode == 2
    assert f"{file}:3: " in ended.stderr
    assert said in ended.stderr


def test_what_to_look_for_must_be_named(key: Path, texts: Path) -> None:
    ended = run("mark", "detect", texts, "--key-file", key, "--epoch", EPOCH)
    assert ended.returncode == 2
    assert "--cluster" in ended.stderr


def test_plain_text_is_read_by_the_models_own_tokenizer(tmp_path: Path, key: Path) -> None:
    tokenizer = trained(tmp_path / "tokenizer.json", 400)
    mark = GumbelMark(KeyRing.from_file(key, EPOCH).key("c-2"), context=1)
    rng, text = np.random.default_rng(3), [300]
    for _ in range(600):
        logits = rng.normal(0, 1, (1, tokenizer.size)).astype(np.float32)
        logits[:, :256] = -np.inf  # bytes alone are no text
        text += mark.sample(logits, np.array([text[-1:]]), rng=rng).tolist()
    file = tmp_path / "plain.jsonl"
    file.write_text(json.dumps({"id": "plain", "text": tokenizer.decode(text)}) + "\n")
    asked = ("mark", "detect", file, "--key-file", key, "--epoch", EPOCH, "--cluster", "c-2")
    ended = run(*asked, "--tokenizer", tokenizer.path, "--json")
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["kept"] == 1
    without = run(*asked)
    assert without.returncode == 2
    assert "needs the tokenizer" in without.stderr
