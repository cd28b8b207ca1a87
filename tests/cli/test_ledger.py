"""`stillwatch ledger`: what a person does with it, and what each mistake says."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillwatch.ledger import Ledger, Salts
from tests.cli import running
from tests.cli.in_process import run


def write(name: str, **fields: Any) -> str:
    """A file with a verdict, pretty as people write it."""
    entry = {
        "kind": "verdict", "at": "2026-11-22T10:00:00Z", "by": "ana",
        "body": {"case": name, "account": {"$commit": "acme"}},
    } | fields  # fmt: skip
    Path(name).write_text(json.dumps(entry, indent=2))
    return name


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in `state`; head.json, proof.json and entry.json for its entry 1."""
    folder = tmp_path_factory.mktemp("template")
    with contextlib.chdir(folder):
        names = [write(f"{number}.json") for number in range(3)]
        for words in (
            ["append", *names, "--state", "state"],
            ["head", "--state", "state", "--out", "head.json"],
            ["prove", "1", "--state", "state", "--out", "proof.json"],
            ["show", "1", "--state", "state"],
        ):
            ended = run("ledger", *words)
            assert ended.returncode == 0, ended.stderr
        Path("entry.json").write_text(ended.stdout)
    return folder


@pytest.fixture
def prepared(template: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it; names are as short as in the pages, for that is where commands run."""
    folder = Path(shutil.copytree(template, tmp_path / "here"))
    with contextlib.chdir(folder):
        yield folder


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    with contextlib.chdir(tmp_path):
        yield tmp_path


PROOF = ["--proof", "proof.json", "--entry", "entry.json", "--head", "head.json"]
KEY = ["--key", "state/ledger.pub"]


def test_numbers_stand_alone_on_standard_output(empty: Path) -> None:
    ended = running.run("ledger", "append", write("a.json"), write("b.json"), "--state", "state")
    assert (ended.returncode, ended.stdout) == (0, "0\n1\n")
    assert ended.stderr == "2 entries recorded; the ledger has 2\n"


def test_a_name_is_recorded_as_its_commitment_and_nowhere_in_the_ledger(prepared: Path) -> None:
    entry = json.loads(Path("entry.json").read_text())
    with Salts.open("state") as salts:
        assert entry["body"]["account"] == salts.find("acme")
    for file in Path("state").glob("ledger.*"):
        assert b"acme" not in file.read_bytes()


def test_a_name_whose_mark_is_written_with_an_escape_is_committed_to_all_the_same(
    empty: Path,
) -> None:
    text = Path(write("a.json")).read_text().replace("$commit", "\\u0024commit")
    Path("a.json").write_text(text)
    assert run("ledger", "append", "a.json", "--state", "state").returncode == 0
    with Ledger.open("state") as ledger, Salts.open("state") as salts:
        assert ledger.entry(0).body["account"] == salts.find("acme") is not None


def test_a_file_of_lines_holds_an_entry_a_line(empty: Path) -> None:
    line = json.dumps(json.loads(Path(write("a.json")).read_text()))
    Path("many.jsonl").write_text(f"{line}\n\n{line}\n")
    assert run("ledger", "append", "many.jsonl", "--state", "state").stdout == "0\n1\n"


def test_a_whole_ledger_is_sound_for_its_owner_and_for_who_holds_a_head(prepared: Path) -> None:
    ended = run("ledger", "verify", "--state", "state")
    assert ended.returncode == 0
    assert ended.stdout.startswith("sound: 3 entries, 1 heads, root ")
    assert "is it the one you were given?" in ended.stdout
    ended = run("ledger", "verify", "--state", "state", "--head", "head.json", *KEY)
    assert ended.returncode == 0
    assert ended.stdout.startswith("sound: 3 entries, 2 heads, root ")


def test_a_third_party_verifies_an_entry_without_the_ledger(prepared: Path) -> None:
    os.rename("state/ledger.pub", "given.pub")  # noqa: PTH104
    os.rename("state", "gone")  # noqa: PTH104
    ended = run("ledger", "verify", *PROOF, "--key", "given.pub")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("sound: entry 1 of 3, under the head signed at 20")
    assert run("ledger", "verify", "--head", "head.json", "--key", "given.pub").returncode == 0


def test_a_third_party_verifies_that_the_ledger_only_grew(prepared: Path) -> None:
    for words in (
        ["append", write("more.json"), "--state", "state"],
        ["head", "--state", "state", "--out", "new.json"],
        ["prove", "--since", "head.json", "--state", "state", "--out", "growth.json"],
        ["verify", "--proof", "growth.json", "--since", "head.json", "--head", "new.json", *KEY],
    ):
        ended = run("ledger", *words)
        assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "sound: 4 entries, of which the first 3 stand\n"
    ended = run("ledger", "prove", "0", "--head", "head.json", "--state", "state", "--out", "p")
    assert json.loads(Path("p").read_text())["size"] == 3


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("entry.json", '"by":"ana"', '"by":"ann"'),
        ("entry.json", '"account":"c1-', '"account":"d1-'),
        ("head.json", '"size":3', '"size":4'),
        ("proof.json", '"index":1', '"index":2'),
        ("proof.json", '"path":["', '"path":["' + "0" * 64 + '","'),
    ],
)
def test_anything_that_was_changed_ends_with_4(
    prepared: Path, file: str, old: str, new: str
) -> None:
    text = Path(file).read_text()
    assert old in text
    Path(file).write_text(text.replace(old, new))
    ended = run("ledger", "verify", *PROOF, *KEY)
    assert (ended.returncode, ended.stdout) == (4, ""), ended.stderr
    assert "[SW400]" in ended.stderr


def test_a_ledger_that_was_changed_ends_with_4_and_names_the_entry(prepared: Path) -> None:
    db = sqlite3.connect("state/ledger.db")
    db.execute("DROP TRIGGER entry_stays")
    db.execute(
        "UPDATE entry SET entry = CAST(replace(entry, 'ana', 'ann') AS BLOB) WHERE number = 2"
    )
    db.commit()
    db.close()
    ended = running.run("ledger", "verify", "--state", "state")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "ledger.db: entry 2: its bytes are not those that were recorded [SW400]" in ended.stderr


def test_a_head_of_another_key_ends_with_4(prepared: Path) -> None:
    with Ledger.open("other", create=True):
        pass
    ended = run("ledger", "verify", *PROOF, "--key", "other/ledger.pub")
    assert ended.returncode == 4
    assert "the head is signed with the key" in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "--state", "absent"], "there is no ledger here"),
        (["verify", "--state", "state", "--head", "absent"], "absent: cannot be read"),
        (["verify", "--state", "state", "--head", "entry.json"], "this is no head of a ledger"),
        (["verify", "--state", "state", *PROOF], "leave --proof out"),
        (["verify", *PROOF], "give one --head and the --key"),
        (["verify", *PROOF, "--key", "entry.json"], "this is no public key"),
        (["verify", *PROOF[:2], *PROOF[4:], *KEY], "--proof goes with --entry, or with --since"),
        (["verify", "--proof", "head.json", *PROOF[2:], *KEY], "this is no proof of a ledger"),
        (["verify", *PROOF[:3], "large", *PROOF[4:], *KEY], "has more than 1,000,000 bytes"),
        (["verify", *PROOF[:2], "--since", "head.json", *PROOF[4:], *KEY], "is a proof about an"),
        (["verify", "--state", "state", "--authority", "entry.json"], "name one"),
        (["prove", "--state", "state", "--out", "p"], "give the INDEX of an entry, or --since"),
        (["prove", "3", "--state", "state", "--out", "p"], "is not under the head of 3 entries"),
        (["show", "9", "--state", "state"], "there is no entry 9"),
        (["append", "--state", "state", "absent.json"], "absent.json: cannot be read"),
        (["append", "--state", "state", "0.json", "bad.jsonl"], "bad.jsonl:2: body.ip names some"),
        (["append", "--state", "state", "0.json", "head.json"], "an entry is a JSON object of"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_says_why(
    prepared: Path, words: list[str], said: str
) -> None:
    line = json.loads(Path("0.json").read_text())
    named = line | {"body": {"ip": "203.0.113.9"}}
    Path("bad.jsonl").write_text(f"{json.dumps(line)}\n{json.dumps(named)}\n")
    Path("large").write_bytes(b" " * 1_000_001)
    ended = run("ledger", *words)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert said in ended.stderr
    with Ledger.open("state") as ledger:
        assert ledger.check().size == 3


def test_a_mistake_in_the_first_entry_makes_no_ledger(empty: Path) -> None:
    ended = run("ledger", "append", write("a.json", kind="rumour"), "--state", "state")
    assert ended.returncode == 2
    assert "a.json: 'rumour' is no kind of entry" in ended.stderr
    assert not Path("state").exists()


def test_a_proof_where_it_cannot_be_written_leaves_nothing_behind(prepared: Path) -> None:
    before = sorted(Path().iterdir())
    Path("folder").mkdir()
    ended = run("ledger", "prove", "1", "--state", "state", "--out", "absent/p")
    assert ended.returncode == 1
    assert "cannot be used: No such file or directory" in ended.stderr
    assert sorted(Path().iterdir()) == sorted([*before, Path("folder")])
