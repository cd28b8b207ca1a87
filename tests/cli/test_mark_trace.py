"""`stillwatch mark trace`: whose keys fed it, asked once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillwatch.watermark import GLOBAL, GumbelMark, KeyRing, LayeredMark
from tests.cli.in_process import run
from tests.watermark.conftest import write

EPOCH = "2026-11"
NAMES = [f"c-{i}" for i in range(30)]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Always the same: what is found depends on it."""
    file = tmp_path / "mark.key"
    file.write_bytes(bytes(range(32)))
    file.chmod(0o600)
    return file


@pytest.fixture
def ring(key: Path) -> KeyRing:
    return KeyRing.from_file(key, EPOCH)


@pytest.fixture
def clusters(tmp_path: Path) -> Path:
    file = tmp_path / "clusters"
    file.write_text("\n".join(NAMES) + "\n")
    return file


@pytest.fixture
def campaigns(tmp_path: Path) -> Path:
    """One campaign of the four accounts that fed the suspect, one of four others."""
    found = [{"id": "ours", "accounts": NAMES[:4]}, {"id": "others", "accounts": NAMES[9:13]}]
    file = tmp_path / "campaigns.json"
    file.write_text(json.dumps({"format": "stillwatch.campaigns/1", "campaigns": found}))
    return file


@pytest.fixture
def said(tmp_path: Path, ring: KeyRing) -> Path:
    """Answers: a hundred tokens under the key of each of four clusters, some of nobody."""
    fed = write([GumbelMark(ring.key(name), 1) for name in NAMES[:4]], 60)
    lines: list[Any] = [{"prompt": [3, 4], "answer": text.tolist()} for text in fed]
    lines += [text.tolist() for text in write([None] * 3, 60, seed=5)]
    file = tmp_path / "said.jsonl"
    file.write_text("\n".join(map(json.dumps, [*lines, []])) + "\n")
    return file


def test_clusters_and_their_campaign_are_found(
    key: Path, said: Path, clusters: Path, campaigns: Path
) -> None:
    ended = run(
        "mark", "trace", said, "--key-file", key, "--epoch", EPOCH, "--clusters", clusters,
        "--hypotheses", campaigns, "--json",
    )  # fmt: skip
    assert ended.returncode == 3, ended.stderr
    assert "answer 8: the text is empty" in ended.stderr
    first, *rest = map(json.loads, ended.stdout.splitlines())
    assert first["kind"] == "trace"
    assert first["clusters"] == len(NAMES)
    found = {each["name"]: each for each in rest if each["found"]}
    assert {*found} == {"ours", *NAMES[:4]}
    assert found["ours"]["at_least"] == 4
    assert found["ours"]["source"].startswith("ours sha256:")
    p = [each["log10_p"] for each in rest if each["kind"] == "cluster"]
    assert p == sorted(p)
    assert len(p) == len(NAMES)


def test_the_table_begins_with_what_is_most_evident(
    key: Path, said: Path, clusters: Path, campaigns: Path
) -> None:
    ended = run(
        "mark", "trace", said, "--key-file", key, "--epoch", EPOCH, "--clusters", clusters,
        "--hypotheses", campaigns, "--top", 6,
    )  # fmt: skip
    assert ended.returncode == 3
    plan, evidence, heads, ours, others, *rows, rest = ended.stdout.splitlines()
    assert ours.split()[:2] == ["hypothesis", "ours"]
    assert ours.split()[-2:] == ["4/4", "found"]
    assert others.split()[1] == "others"
    assert len(plan.split()[1]) == 64
    assert "windows scored" in evidence
    assert heads.split() == ["name", "log10", "p", "corrected", "rank", "members"]
    assert {row.split()[1] for row in rows if row.endswith("found")} == {*NAMES[:4]}
    assert len(rows) == 6
    assert rest == "and 24 clusters more, none of them found"


def test_a_second_plan_is_refused_and_the_first_is_not(
    key: Path, said: Path, clusters: Path, campaigns: Path
) -> None:
    first = ("mark", "trace", said, "--key-file", key, "--epoch", EPOCH, "--clusters", clusters)
    assert run(*first).returncode == 3
    assert run(*first).returncode == 3
    for other in (("--hypotheses", campaigns), ("--context", "2"), ("--alpha", "0.02")):
        ended = run(*first, *other)
        assert ended.returncode == 2, other
        assert f"{said}.looks: " in ended.stderr
        assert "SW110" in ended.stderr
        assert ended.stdout == ""


def test_a_half_that_was_held_out_may_be_asked_anew(
    key: Path, said: Path, clusters: Path, campaigns: Path
) -> None:
    first = ("mark", "trace", said, "--key-file", key, "--epoch", EPOCH, "--clusters", clusters)
    assert run(*first, "--split", "1", "--half", "1").returncode in (0, 3)
    second = run(*first, "--hypotheses", campaigns, "--split", "1", "--half", "2")
    assert second.returncode == 3, second.stderr
    for refused in (("--split", "2", "--half", "2"), ()):
        assert run(*first, *refused).returncode == 2
    assert "belong together" in run(*first, "--split", "1").stderr


def test_the_digest_of_a_plan_can_be_had_before_anything_is_looked_at(
    key: Path, said: Path, clusters: Path
) -> None:
    words = ("mark", "trace", said, "--key-file", key, "--epoch", EPOCH, "--clusters", clusters)
    planned = run(*words, "--plan-only")
    assert planned.returncode == 0
    assert not said.with_name(said.name + ".looks").exists()
    traced = run(*words, "--json", "--quiet")
    assert json.loads(traced.stdout.splitlines()[0])["plan"] == planned.stdout.strip()


def test_accounts_are_asked_for_under_the_keys_of_their_clusters(
    key: Path, said: Path, campaigns: Path, tmp_path: Path, clusters: Path
) -> None:
    known = tmp_path / "known.tsv"
    accounts = json.dumps(
        {
            "format": "stillwatch.campaigns/1",
            "campaigns": [{"id": "k", "accounts": ["ann", "bob", "eve"]}],
        }
    )
    campaigns.write_text(accounts)
    known.write_text("ann\tc-0\nbob\tc-0\n\neve\tc-1\n")
    words = (
        "mark", "trace", said, "--key-file", key, "--epoch", EPOCH, "--hypotheses", campaigns,
        "--account-clusters", known, "--json",
    )  # fmt: skip
    ended = run(*words)
    assert ended.returncode == 3, ended.stderr
    _, group, *alone = map(json.loads, ended.stdout.splitlines())
    assert group["members"] == ["c-0", "c-1"]
    assert {each["name"] for each in alone} == {"c-0", "c-1"}
    known.write_text("ann\tc-0\nbob c-1\n")
    assert f"{known}:2: " in run(*words).stderr


def test_two_layers_are_traced_by_the_clusters_own_contexts(
    key: Path, ring: KeyRing, clusters: Path, tmp_path: Path
) -> None:
    mark = LayeredMark(GumbelMark(ring.key(GLOBAL), 4), GumbelMark(ring.key("c-5"), 1), 0.3)
    file = tmp_path / "layered.jsonl"
    file.write_text("\n".join(json.dumps(text.tolist()) for text in write([mark] * 3, 80)))
    ended = run(
        "mark", "trace", file, "--key-file", key, "--epoch", EPOCH, "--clusters", clusters,
        "--global-context", 4, "--global-share", 0.3, "--json",
    )  # fmt: skip
    first, best, *_ = map(json.loads, ended.stdout.splitlines())
    assert (best["name"], best["found"], best["decoy_rank"]) == ("c-5", True, 1)
    assert 0.6 < first["scored"] / 230 < 0.8


def test_nothing_found_is_status_0(key: Path, clusters: Path, tmp_path: Path) -> None:
    chance = tmp_path / "chance.jsonl"
    chance.write_text(json.dumps(np.random.default_rng(2).integers(0, 500, 300).tolist()))
    words = ("--key-file", key, "--epoch", EPOCH, "--clusters", clusters)
    ended = run("mark", "trace", chance, *words)
    assert ended.returncode == 0
    assert "found" not in ended.stdout.replace("none of them found", "")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    ended = run("mark", "trace", empty, *words)
    assert ended.returncode == 0
    assert "nothing is said: 0 windows" in ended.stdout


@pytest.mark.parametrize(
    "line", ['{"prompt": [1]}', '{"answer": [1], "tokens": [2]}', '{"answer": "x"}', "[1.5]"]
)
def test_a_line_that_is_no_answer_is_named(
    key: Path, clusters: Path, tmp_path: Path, line: str
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(f"[1, 2]\n{line}\n")
    ended = run("mark", "trace", file, "--key-file", key, "--epoch", EPOCH, "--clusters", clusters)
    assert ended.returncode == 2
    assert f"{file}:2: " in ended.stderr
    assert not file.with_name("bad.jsonl.looks").exists()


def test_a_member_that_is_no_cluster_and_nobody_at_all_are_refused(
    key: Path, said: Path, campaigns: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.write_text("c-0\nc-1\n")
    words = ("mark", "trace", said, "--key-file", key, "--epoch", EPOCH)
    assert "is no cluster" in run(*words, "--clusters", few, "--hypotheses", campaigns).stderr
    assert "name whom to ask for" in run(*words).stderr
    assert not said.with_name(said.name + ".looks").exists()
