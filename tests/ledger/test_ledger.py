"""Append, sign, prove; several writers; a folder that may only be read; clocks and keys."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stillwatch.errors import (
    EntryError,
    InputError,
    KeyFileError,
    StorageError,
    StoreFormatError,
    TamperedError,
)
from stillwatch.ledger import (
    ConsistencyProof,
    Head,
    InclusionProof,
    Ledger,
    SigningKey,
    merkle_root,
    parse_proof,
    public_pem,
    read_public_key,
)
from stillwatch.ledger.merkle import EMPTY
from tests.ledger.conftest import verdict, verdicts

APPEND = Path(__file__).with_name("append_forever.py")


def test_entries_are_numbered_in_order_and_read_back(ledger: Ledger) -> None:
    assert ledger.append(verdicts(3)) == range(3)
    assert ledger.append([]) == range(3, 3)
    assert ledger.append(verdicts(300, 3)) == range(3, 300)
    assert len(ledger) == 300
    assert list(ledger.entries()) == list(enumerate(verdicts(300)))
    assert list(ledger.entries(250, 260)) == list(enumerate(verdicts(300)))[250:260]
    assert ledger.entry(299) == verdict(299)
    assert ledger.raw(0) == verdict(0).encoded()


def test_of_entries_with_one_that_is_refused_none_is_recorded(ledger: Ledger) -> None:
    bad = msgspec.structs.replace(verdict(), kind="rumour")
    with pytest.raises(EntryError):
        ledger.append([verdict(), bad])
    assert len(ledger) == 0
    ledger.append([verdict()])
    assert ledger.check().size == 1


def test_a_ledger_that_is_opened_again_goes_on(tmp_path: Path) -> None:
    sizes = [1, 255, 256, 300, 5]
    for number, size in enumerate(sizes):
        with Ledger.open(tmp_path, create=True) as ledger:
            ledger.append(verdicts(size))
            ledger.head()
            found = ledger.check()
            assert found.size == sum(sizes[: number + 1])
            assert found.heads == number + 1


def test_every_entry_can_be_proven_under_every_head_that_covers_it(ledger: Ledger) -> None:
    heads = []
    for end in (1, 7, 256, 260, 600):
        ledger.append(verdicts(end, len(ledger)))
        heads.append(ledger.head())
    for head in heads:
        for index in {0, head.size // 2, head.size - 1}:
            proof = ledger.prove(index, head)
            proof.check(verdict(index).encoded(), head)
            assert parse_proof(proof.encoded()) == proof
            with pytest.raises(TamperedError) as refused:
                proof.check(verdict(index + 1).encoded(), head)
            assert refused.value.index == index
    assert ledger.prove(5).size == 600, "without a head it is under the last one"


def test_every_head_goes_on_from_every_earlier_one(ledger: Ledger) -> None:
    heads = [ledger.head()]
    for end in (1, 7, 256, 600):
        ledger.append(verdicts(end, len(ledger)))
        heads.append(ledger.head())
    for number, head in enumerate(heads):
        for earlier in heads[: number + 1]:
            proof = ledger.prove_since(earlier, head)
            proof.check(earlier, head)
            assert parse_proof(proof.encoded()) == proof
            if 0 < earlier.size < head.size:
                forged = msgspec.structs.replace(earlier, root=heads[0].root)
                with pytest.raises(TamperedError, match="does not begin with"):
                    proof.check(forged, head)


def test_an_empty_ledger_has_a_head_and_is_sound(ledger: Ledger) -> None:
    head = ledger.head()
    head.check(ledger.public_key)
    assert (head.size, head.root) == (0, EMPTY.hex())
    assert ledger.check([head]) == (0, EMPTY, 2)


def test_a_head_is_read_back_and_every_change_of_it_is_noticed(ledger: Ledger) -> None:
    ledger.append(verdicts(2))
    head = ledger.head()
    assert Head.parse(head.encoded()) == head
    other = Ledger.open(ledger.state / "other", create=True)
    changes: list[dict[str, Any]] = [
        {"size": 1}, {"root": "0" * 64}, {"ledger": "0" * 32}, {"at": "2020-01-01T00:00:00Z"},
        {"signature": "0" * 128}, {"key": other.public_key},
    ]  # fmt: skip
    other.close()
    for change in changes:
        with pytest.raises(TamperedError, match="does not hold"):
            msgspec.structs.replace(head, **change).check()
    with pytest.raises(TamperedError, match="is signed with the key"):
        head.check("0" * 64)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "other/1"}, "its format is not stillwatch.ledger.head/1"),
        ({"root": "xyz"}, "root has not 64 hexadecimal digits"),
        ({"at": "2026-11-22T10:00:00"}, "at has no offset from UTC"),
        ({"size": -1}, "size is no number of entries"),
        ({"size": "3"}, "Expected `int`"),
        ({"at": "yesterday"}, "Invalid isoformat"),
        ({"timestamp": "0"}, "timestamp is not hexadecimal"),
    ],
)
def test_a_file_that_is_no_head_is_refused(
    ledger: Ledger, change: dict[str, Any], said: str
) -> None:
    fields = msgspec.json.decode(ledger.head().encoded())
    with pytest.raises(InputError) as refused:
        Head.parse(msgspec.json.encode(fields | change))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [b"[]", b"{", b'{"format":"stillwatch.ledger.inclusion/1"}', b'{"format":["a"]}'],
)
def test_a_file_that_is_no_proof_is_refused(text: bytes) -> None:
    with pytest.raises(InputError, match="this is no proof of a ledger"):
        parse_proof(text)


def test_a_proof_with_a_path_of_something_else_is_refused(ledger: Ledger) -> None:
    ledger.append(verdicts(2))
    ledger.head()
    proof = ledger.prove(0)
    for path in (("0" * 63,), ("zz" * 32,), ("0" * 64,) * 200):
        with pytest.raises(InputError, match="its path"):
            parse_proof(msgspec.structs.replace(proof, path=path).encoded())


def test_proofs_and_heads_of_another_ledger_or_size_do_not_belong_together(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append(verdicts(3))
    first = ledger.head()
    ledger.append(verdicts(2))
    second = ledger.head()
    proof: InclusionProof | ConsistencyProof = ledger.prove(1, first)
    with pytest.raises(InputError, match="do not belong together"):
        proof.check(verdict(1).encoded(), second)  # type: ignore[arg-type]
    growth = ledger.prove_since(first, second)
    with pytest.raises(InputError, match="the earlier head has 5"):
        growth.check(second, second)
    with Ledger.open(tmp_path / "other", create=True) as other:
        other.append(verdicts(9))
        foreign = other.head()
    for ask in (lambda: ledger.prove(1, foreign), lambda: ledger.prove_since(foreign)):
        with pytest.raises(InputError, match="the head is of the ledger"):
            ask()
    with pytest.raises(InputError, match="covers 5 entries, the later 3"):
        ledger.prove_since(second, first)


def test_what_is_not_there_is_said(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="no head was signed yet"):
        ledger.prove(0)
    ledger.append(verdicts(2))
    ledger.head()
    ledger.append(verdicts(2))
    with pytest.raises(InputError, match="entry 2 is not under the head of 2 entries"):
        ledger.prove(2)
    with pytest.raises(InputError, match="there is no entry 4; the ledger has 4"):
        ledger.entry(4)


def test_a_clock_that_goes_backwards_signs_no_head(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.head()

    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Yesterday:
            return cls.fromtimestamp((datetime.now(UTC) - timedelta(days=1)).timestamp(), tz)

    monkeypatch.setattr("stillwatch.ledger.ledger.datetime", Yesterday)
    with pytest.raises(StorageError, match="set the clock right"):
        ledger.head()
    monkeypatch.undo()
    assert len(ledger.heads()) == 1
    ledger.head()


def test_the_public_key_is_written_for_others(ledger: Ledger, tmp_path: Path) -> None:
    public = ledger.state / "ledger.pub"
    assert read_public_key(public) == ledger.public_key
    assert public.read_bytes() == public_pem(ledger.public_key)


@pytest.mark.service
def test_the_public_key_can_be_read_by_openssl(ledger: Ledger) -> None:
    public = ledger.state / "ledger.pub"
    shown = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", public, "-noout", "-text"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert ledger.public_key in shown.replace(":", "").replace("\n", "").replace(" ", "")


@pytest.mark.parametrize("mode", ["state", "state/ledger.key", "state/ledger.db"])
def test_what_is_made_is_for_its_owner_only(ledger: Ledger, tmp_path: Path, mode: str) -> None:
    ledger.append([verdict()])
    assert (tmp_path / mode).stat().st_mode & 0o077 == 0


def test_a_key_may_be_kept_elsewhere(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    with Ledger.open(tmp_path / "state", create=True, key_file=key) as ledger:
        assert not (ledger.state / "ledger.key").exists()
        with pytest.raises(KeyFileError, match="cannot read the key that signs"):
            ledger.head()
        ledger.head(key).check(SigningKey.from_file(key).public)
        key.write_bytes(bytes(32))
        with pytest.raises(KeyFileError, match="this ledger was begun with the key"):
            ledger.head(key)
        key.write_bytes(bytes(33))
        with pytest.raises(KeyFileError, match="has 32 bytes, not 33"):
            ledger.head(key)
        assert ledger.check().heads == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot read the public key"), (b"nonsense", "this is no public key in PEM form")],
)
def test_a_file_that_is_no_public_key_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "pub").write_bytes(content)
    with pytest.raises(KeyFileError, match=said):
        read_public_key(tmp_path / "pub")


def test_a_folder_without_a_ledger_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError, match="there is no ledger here"):
        Ledger.open(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"something else" * 100])
def test_a_file_that_is_no_ledger_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.db").write_bytes(content)
    for read_only in (True, False):
        with pytest.raises(StoreFormatError, match=r"no ledger|damaged"):
            Ledger.open(tmp_path, read_only=read_only)


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    numbers: list[int] = []

    def write() -> None:
        for _ in range(8):
            numbers.extend(ledger.append([verdict()]))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(32))
    assert ledger.check().size == 32


def test_each_opening_sees_what_others_appended_between_its_own(ledger: Ledger) -> None:
    with Ledger.open(ledger.state) as other:
        for turn in (1, 2):
            for each in (ledger, other):
                each.append(verdicts(100))
                assert each.check([each.head()]).size == len(ledger) == len(other)
            assert len(ledger) == 200 * turn


def test_processes_that_make_and_fill_one_ledger_at_once_wait_for_each_other(
    tmp_path: Path,
) -> None:
    command = [sys.executable, str(APPEND), str(tmp_path / "state"), "1", "10"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0] * 3
    numbers = [int(line) for each in said for line in each.splitlines()]
    assert sorted(numbers) == list(range(30))
    with Ledger.open(tmp_path / "state") as ledger:
        assert ledger.check().size == 30


def test_a_writer_that_waits_too_long_is_told_who_is_in_the_way(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillwatch.ledger.database._PATIENCE", 0.05)
    with (
        Ledger.open(ledger.state) as other,
        ledger._database.writing(),
        pytest.raises(StorageError, match="another process keeps the ledger busy"),
    ):
        other.append([verdict()])
    assert len(ledger) == 0


def test_an_entry_cannot_be_changed_or_deleted_by_a_slip(ledger: Ledger) -> None:
    ledger.append([verdict()])
    for statement in ("DELETE FROM entry", "UPDATE entry SET entry = x'00'"):
        with (
            pytest.raises(StorageError, match="the ledger is append-only"),
            ledger._database.writing() as db,
        ):
            db.execute(statement)
    assert ledger.check().size == 1


@pytest.mark.service
def test_a_folder_that_may_only_be_read_is_verified_and_not_written(tmp_path: Path) -> None:
    """On a file system that is mounted for reading only, which needs root."""
    state = tmp_path / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", state], check=True)
    try:
        with Ledger.open(state, create=True) as ledger:
            ledger.append(verdicts(3))
            head = ledger.head()
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        with Ledger.open(state, read_only=True) as ledger:
            assert ledger.check([head]).size == 3
            ledger.prove(0).check(verdict(0).encoded(), head)
        for create in (False, True):
            with (
                pytest.raises(StorageError, match="no permission to write here"),
                Ledger.open(state, create=create) as ledger,
            ):
                ledger.append([verdict()])
    finally:
        subprocess.run(["umount", state], check=True)


@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_the_root_of_lines_without_a_ledger_is_that_of_a_ledger_of_them(
    ledger: Ledger, count: int
) -> None:
    entries = verdicts(count)
    ledger.append(entries)
    assert merkle_root(entry.encoded() for entry in entries) == ledger.head().root
