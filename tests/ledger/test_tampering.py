"""Whoever changes a byte, cuts the tail or writes history again is found out, and where."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from stillwatch.errors import StoreFormatError, TamperedError
from stillwatch.ledger import Head, Ledger, SigningKey
from stillwatch.ledger.merkle import leaf_hash
from stillwatch.ledger.tree import Growing
from tests.ledger.conftest import verdict, verdicts

SIZE = 700
HEADS = (300, 650)
FORGED = verdict(999_999).encoded()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of 700 entries with heads over 300 and 650."""
    state = tmp_path_factory.mktemp("tampering") / "state"
    with Ledger.open(state, create=True) as ledger:
        for size in (*HEADS, SIZE):
            ledger.append(verdicts(size, len(ledger)))
            if size in HEADS:
                ledger.head()
    return state


@pytest.fixture
def state(written: Path, tmp_path: Path) -> Path:
    """A copy, to be tampered with."""
    return Path(shutil.copytree(written, tmp_path / "state"))


def tamper(state: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    """Change the file as somebody does who may write it, past the triggers."""
    db = sqlite3.connect(state / "ledger.db")
    db.execute("DROP TRIGGER entry_stays")
    db.execute("DROP TRIGGER entry_is_kept")
    for statement, values in statements:
        db.execute(statement, values)
    db.commit()
    db.close()


def heads(state: Path) -> list[Head]:
    with Ledger.open(state, read_only=True) as ledger:
        return ledger.heads()


def caught(state: Path, *held: Head) -> TamperedError:
    with (
        Ledger.open(state, read_only=True) as ledger,
        pytest.raises(TamperedError) as error,
    ):
        ledger.check(held)
    return error.value


def rebuild(state: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Write the whole ledger again, hashes included, as `change` would have it."""
    with Ledger.open(state, read_only=True) as ledger:
        entries = change([ledger.raw(index) for index in range(len(ledger))])
    edge = Growing(0)
    leaves = [leaf_hash(entry) for entry in entries]
    tamper(
        state,
        ("DELETE FROM entry", ()),
        ("DELETE FROM subtree", ()),
        *(
            ("INSERT INTO entry VALUES (?, ?, ?)", (number, leaves[number], entry))
            for number, entry in enumerate(entries)
        ),
        *(("INSERT INTO subtree VALUES (?, ?, ?)", row) for row in edge.add(leaves)),
    )


def test_what_nobody_touched_is_sound(state: Path) -> None:
    with Ledger.open(state, read_only=True) as ledger:
        assert ledger.check(heads(state))[::2] == (SIZE, 4)


@pytest.mark.parametrize("index", [0, 299, 300, 699])
def test_a_changed_entry_is_found_by_its_number(state: Path, index: int) -> None:
    tamper(state, ("UPDATE entry SET entry = ? WHERE number = ?", (FORGED, index)))
    error = caught(state)
    assert error.index == index
    assert f"entry {index}: its bytes are not those that were recorded" in str(error)


def test_of_several_changes_the_first_is_named(state: Path) -> None:
    tamper(
        state,
        ("UPDATE entry SET entry = ? WHERE number = 600", (FORGED,)),
        ("UPDATE entry SET leaf = ? WHERE number = 41", (bytes(32),)),
    )
    assert caught(state).index == 41


@pytest.mark.parametrize("index", [0, 255, 698])
def test_an_entry_that_was_taken_out_is_missing(state: Path, index: int) -> None:
    tamper(state, ("DELETE FROM entry WHERE number = ?", (index,)))
    error = caught(state)
    assert error.index == index
    assert "it is missing" in str(error)


def test_an_entry_that_was_put_in_front_is_found(state: Path) -> None:
    tamper(state, ("INSERT INTO entry VALUES (-1, ?, ?)", (leaf_hash(FORGED), FORGED)))
    assert caught(state).index == 0


def test_an_entry_that_was_changed_with_its_hash_is_found_within_its_group(state: Path) -> None:
    tamper(
        state,
        ("UPDATE entry SET entry = ?, leaf = ? WHERE number = 400", (FORGED, leaf_hash(FORGED))),
    )
    error = caught(state)
    assert error.index == 256
    assert "entries 256 to 511 do not have the hash that was kept over them" in str(error)


def test_a_kept_hash_that_was_changed_or_removed_is_found(state: Path) -> None:
    tamper(state, ("UPDATE subtree SET hash = ? WHERE number = 1", (bytes(32),)))
    assert caught(state).index == 256
    tamper_again = sqlite3.connect(state / "ledger.db")
    tamper_again.execute("DELETE FROM subtree")
    tamper_again.commit()
    tamper_again.close()
    assert caught(state).index == 0


def test_history_that_was_written_again_does_not_meet_the_heads(state: Path) -> None:
    rebuild(state, lambda entries: [*entries[:400], FORGED, *entries[401:]])
    error = caught(state)
    assert error.index == 300, "the head over 300 still holds, the one over 650 does not"
    assert "entries 300 to 649 are not those of the head" in str(error)


def test_a_cut_tail_is_found_by_the_head_over_it(state: Path) -> None:
    rebuild(state, lambda entries: entries[:640])
    error = caught(state)
    assert error.index == 640
    assert "it ends after 640 entries" in str(error)
    assert "its tail was cut" in str(error)


def test_a_cut_that_takes_the_heads_along_is_found_by_a_head_that_somebody_else_holds(
    state: Path,
) -> None:
    held = heads(state)[-1]
    rebuild(state, lambda entries: entries[:640])
    db = sqlite3.connect(state / "ledger.db")
    db.execute("DELETE FROM head WHERE size > 640")
    db.commit()
    db.close()
    with Ledger.open(state, read_only=True) as ledger:
        assert ledger.check().size == 640, "alone it looks sound: nothing here knows better"
        with pytest.raises(TamperedError, match="its tail was cut"):
            ledger.prove_since(held, held)
    assert caught(state, held).index == 640


def test_a_cut_after_the_last_head_is_seen_by_nobody(state: Path) -> None:
    """The limit that the page states: what no head covers, no head protects."""
    held = heads(state)
    rebuild(state, lambda entries: entries[:650])
    with Ledger.open(state, read_only=True) as ledger:
        assert ledger.check(held).size == 650


def sign(ledger: Ledger, size: int) -> None:
    """Date a head back, as only the holder of the key can."""
    edge = Growing(0)
    edge.add([leaf_hash(ledger.raw(index)) for index in range(size)])
    head = Head.signed(
        SigningKey.from_file(ledger.state / "ledger.key"),
        ledger=ledger.id, size=size, root=edge.root(), at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    with ledger._database.writing() as db:
        db.execute("INSERT INTO head (size, head) VALUES (?, ?)", (size, head.encoded()))


def test_a_rewrite_by_the_holder_of_the_key_is_found_by_an_earlier_head_and_only_by_it(
    state: Path,
) -> None:
    first, last = heads(state)
    rebuild(state, lambda entries: [*entries[:400], FORGED, *entries[401:]])
    db = sqlite3.connect(state / "ledger.db")
    db.execute("DELETE FROM head")
    db.commit()
    db.close()
    with Ledger.open(state) as ledger:
        sign(ledger, 500)
        signed = ledger.head()
        signed.check(ledger.public_key)
        assert ledger.check().heads == 2, "alone it looks sound: the key's holder signed it"
        assert ledger.check([first]).heads == 3, "and up to 300 it is the old one"
        with pytest.raises(TamperedError, match="does not begin with the 650 entries"):
            ledger.prove_since(last, signed).check(last, signed)
    error = caught(state, first, last)
    assert error.index == 300
    assert "entries 300 to 649" in str(error)
    assert caught(state, last).index == 0, "heads in the ledger itself vouch for nothing here"


def test_a_head_in_the_ledger_that_was_changed_or_is_of_another_is_found(
    state: Path, tmp_path: Path
) -> None:
    first, last = heads(state)
    with Ledger.open(tmp_path / "other", create=True) as other:
        foreign = other.head()
    forged = msgspec.structs.replace(first, size=301)
    for body, said in (
        (forged.encoded(), "was changed, or forged"),
        (b"nonsense", "this is no head"),
        (foreign.encoded(), "is signed with the key"),
        (last.encoded(), "of another size"),
    ):
        db = sqlite3.connect(state / "ledger.db")
        db.execute("UPDATE head SET head = ? WHERE number = 1", (body,))
        db.commit()
        db.close()
        error = caught(state)
        assert "head 1 of the ledger itself" in str(error)
        assert said in str(error)


def test_a_head_of_another_ledger_or_key_is_refused(state: Path, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "other", create=True) as other:
        foreign, public = other.head(), other.public_key
    assert "is signed with the key" in str(caught(state, foreign))
    with (
        Ledger.open(state, read_only=True) as ledger,
        pytest.raises(TamperedError, match="is signed with the key"),
    ):
        ledger.check(key=public)


def test_a_byte_changed_anywhere_in_the_file_is_found_or_changes_nothing(
    written: Path, tmp_path: Path
) -> None:
    """Flips bytes of the file itself; what is still called sound must read as it was written."""
    state = Path(shutil.copytree(written, tmp_path / "state"))
    file = state / "ledger.db"
    whole = file.read_bytes()
    before = heads(state)
    draw = random.Random(7)
    found: dict[str, int] = {"tampered": 0, "unreadable": 0, "nothing": 0}
    for _ in range(50):
        place, bit = draw.randrange(len(whole)), 1 << draw.randrange(8)
        data = bytearray(whole)
        data[place] ^= bit
        file.write_bytes(data)
        try:
            with Ledger.open(state, read_only=True) as ledger:
                ledger.check()
                assert [ledger.raw(index) for index in range(SIZE)] == [
                    verdict(index).encoded() for index in range(SIZE)
                ], place
                assert ledger.heads() == before, place
            found["nothing"] += 1
        except TamperedError as error:
            entry = 0 if error.index is None else error.index
            assert 0 <= entry < SIZE
            found["tampered"] += 1
        except StoreFormatError:
            found["unreadable"] += 1
    assert found["tampered"] > 35, found


def test_a_file_that_was_cut_short_is_unreadable_and_says_so(state: Path) -> None:
    file = state / "ledger.db"
    file.write_bytes(file.read_bytes()[:-9_000])
    with (
        pytest.raises(StoreFormatError, match="damaged"),
        Ledger.open(state, read_only=True) as ledger,
    ):
        ledger.check()


@pytest.mark.parametrize("kept", [0, 1, 100, 4_096, 10_000, -4_096, -1])
def test_a_file_that_was_cut_anywhere_takes_no_entry_and_is_left_as_it_is(
    state: Path, kept: int
) -> None:
    file = state / "ledger.db"
    cut = file.read_bytes()[: kept or 0] if kept >= 0 else file.read_bytes()[:kept]
    file.write_bytes(cut)
    for create in (True, False):
        with pytest.raises(StoreFormatError) as refused:
            _appended(state, create=create)
        assert str(refused.value).startswith(str(state))
    assert file.read_bytes() == cut, "what is left can still be looked at"


def _appended(state: Path, *, create: bool) -> None:
    with Ledger.open(state, create=create) as ledger:
        ledger.append([verdict(0)])
        ledger.check()


def test_a_ledger_that_was_deleted_is_not_begun_again_in_silence(state: Path) -> None:
    (state / "ledger.db").unlink()
    with pytest.raises(StoreFormatError, match="a ledger was begun here"):
        Ledger.open(state, create=True)
    assert not (state / "ledger.db").exists()
    (state / "ledger.pub").unlink()
    with Ledger.open(state, create=True) as ledger:
        assert len(ledger) == 0
