"""Salts: the same commitment until it is erased, and after that nobody's."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stillwatch.errors import StoreFormatError
from stillwatch.ledger import Salts, Somebody, commit, is_commitment
from stillwatch.ledger.about import entries_about, erase_salt
from stillwatch.ledger.ledger import Ledger
from tests.ledger.conftest import verdict


def test_somebody_has_one_commitment_which_the_salt_opens(tmp_path: Path) -> None:
    with Salts.open(tmp_path, create=True) as salts:
        made = salts.commitment("acme")
        assert is_commitment(made)
        assert salts.commitment("acme") == made == salts.find("acme")
        assert salts.somebody(made) == Somebody("account", "acme")
        salt = salts.salt(made)
        assert salt is not None
        assert commit("acme", salt) == made
    with Salts.open(tmp_path) as salts:
        assert salts.find("acme") == made, "also when it is opened again"


def test_others_and_other_words_have_other_commitments(tmp_path: Path) -> None:
    with Salts.open(tmp_path, create=True) as salts:
        made = {salts.commitment("acme"), salts.commitment("b"), salts.commitment("acme", "org")}
        assert len(made) == 3
        assert salts.find("acme", "key") is None


def test_what_was_erased_is_in_no_file_and_comes_back_as_somebody_else(tmp_path: Path) -> None:
    with Salts.open(tmp_path, create=True) as salts:
        for number in range(30):
            salts.commitment(f"other-{number}")
        made = salts.commitment("acme-industries")
        salt = salts.salt(made)
        assert salt is not None
        assert salts.erase("acme-industries")
        assert not salts.erase("acme-industries")
        for file in tmp_path.iterdir():
            held = file.read_bytes()
            assert b"acme-industries" not in held, file
            assert salt not in held, file
            assert made.encode() not in held, file
        assert salts.find("acme-industries") is salts.salt(made) is salts.somebody(made) is None
        assert salts.commitment("acme-industries") != made
        assert salts.find("other-7") is not None


DAY = 86_400


def test_a_salt_that_nobody_used_for_long_goes_and_one_that_was_used_again_stays(
    tmp_path: Path,
) -> None:
    with Salts.open(tmp_path, create=True, clock=lambda: 100.0 * DAY) as salts:
        gone, kept = salts.commitment("acme-industries"), salts.commitment("other")
    with Salts.open(tmp_path, clock=lambda: 200.5 * DAY) as salts:
        assert salts.commitment("other") == kept
        assert salts.unused(100 * DAY) == 0, "the day itself is kept"
        assert salts.unused(200 * DAY) == 1
        assert salts.find("acme-industries") == gone, "counting touches nothing"
        assert salts.expire(200 * DAY) == 1
        assert salts.expire(200 * DAY) == 0
        assert (salts.somebody(gone), salts.find("other")) == (None, kept)
        for file in tmp_path.iterdir():
            assert b"acme-industries" not in file.read_bytes(), file


def test_a_clock_that_goes_backwards_makes_no_salt_older(tmp_path: Path) -> None:
    for day in (200, 100):
        with Salts.open(tmp_path, create=True, clock=lambda: day * DAY) as salts:  # noqa: B023
            salts.commitment("acme")
    with Salts.open(tmp_path) as salts:
        assert salts.unused(200 * DAY) == 0


def test_salts_of_before_are_read_and_their_days_begin_now(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "salts.db")) as db:
        db.execute(
            "CREATE TABLE salt (of TEXT NOT NULL, identifier TEXT NOT NULL, salt BLOB NOT NULL,"
            " commitment TEXT NOT NULL UNIQUE, PRIMARY KEY (of, identifier)) STRICT, WITHOUT ROWID"
        )
        made = commit("acme", bytes(32))
        db.execute("INSERT INTO salt VALUES ('account', 'acme', ?, ?)", (bytes(32), made))
        db.execute("PRAGMA user_version = 0x53570001")
        db.commit()
    for _ in range(2):
        with Salts.open(tmp_path, clock=lambda: 300.0 * DAY) as salts:
            assert salts.commitment("acme") == salts.find("acme") == made
            assert (salts.unused(300 * DAY), salts.unused(301 * DAY)) == (0, 1)


def test_threads_and_processes_agree_on_a_commitment(tmp_path: Path) -> None:
    code = "import sys; from stillwatch.ledger import Salts; " \
        "print(Salts.open(sys.argv[1], create=True).commitment('acme'))"  # fmt: skip
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    made = {process.communicate(timeout=60)[0].strip() for process in started}
    with Salts.open(tmp_path) as salts:
        threads = [
            threading.Thread(target=lambda: made.add(salts.commitment("acme"))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(made) == 1


def test_of_two_that_make_a_salt_at_once_the_first_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Salts.open(tmp_path, create=True) as first, Salts.open(tmp_path) as second:
        find, made = Salts._find, []

        def overtaken(self: Salts, identifier: str, of: str) -> str | None:
            found = find(self, identifier, of)
            if self is second and not made:
                made.append(first.commitment("acme"))
            return found

        monkeypatch.setattr(Salts, "_find", overtaken)
        assert [second.commitment("acme")] == made


def test_salts_that_are_not_there_or_something_else_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError, match="there are no salts here"):
        Salts.open(tmp_path)
    (tmp_path / "salts.db").write_bytes(b"something else" * 100)
    with pytest.raises(StoreFormatError, match="damaged"):
        Salts.open(tmp_path)


def test_entries_about_somebody_are_found_until_the_salt_is_erased(tmp_path: Path) -> None:
    assert list(entries_about(tmp_path, "acme")) == []
    assert not erase_salt(tmp_path, "acme")
    assert list(tmp_path.iterdir()) == [], "asking makes nothing"
    with Salts.open(tmp_path, create=True) as salts:
        about = verdict()
        about.body["account"] = salts.commitment("acme")
    with Ledger.open(tmp_path, create=True) as ledger:
        ledger.append([verdict(1), about, verdict(2), about])
        held = ledger.head()
    assert list(entries_about(tmp_path, "acme")) == [(1, about), (3, about)]
    assert list(entries_about(tmp_path, "other")) == []
    assert erase_salt(tmp_path, "acme")
    assert list(entries_about(tmp_path, "acme")) == []
    with Ledger.open(tmp_path) as ledger:
        assert ledger.check([held]).size == 4, "the ledger itself stands as it was signed"
