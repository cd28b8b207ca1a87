"""A disk without room: said clearly, and what was acknowledged is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stillwatch.errors import StorageError
from stillwatch.ledger import Ledger
from tests.ledger.conftest import verdicts

LIMITED = """
import resource, sys
from stillwatch.errors import StorageError
from stillwatch.ledger import Entry, Ledger
with Ledger.open(sys.argv[1]) as ledger:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    entries = [Entry("export", "2026-11-22T10:00:00Z", "ana", {"text": "a" * 5_000})] * 5
    try:
        while True:
            made = ledger.append(entries)
    except StorageError as error:
        print(error)
    print(made.stop, len(ledger))
"""


def test_a_file_that_may_not_grow_is_named_and_nothing_half_written_counts(tmp_path: Path) -> None:
    """A real process under a limit on the size of its files, which any user may set."""
    with Ledger.open(tmp_path, create=True) as ledger:
        held = ledger.head()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, check=True
    )
    message, sizes = done.stdout.splitlines()
    made, seen = map(int, sizes.split())
    assert "ledger.db" in message
    with Ledger.open(tmp_path) as ledger:
        assert ledger.check([held]).size == made == seen > 0
        ledger.append(verdicts(3))
        assert ledger.check().size == made + 3, "with room again it goes on"


def append_often(ledger: Ledger) -> None:
    for _ in range(1_000):
        ledger.append(verdicts(100))


@pytest.mark.service
def test_a_full_disk_is_named_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    """On a file system of one megabyte (a tmpfs; mounting it needs root)."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=True)
    try:
        with Ledger.open(tmp_path, create=True) as ledger:
            ledger.append(verdicts(100))
            held = ledger.head()
            with pytest.raises(StorageError, match="the disk is full; make room"):
                append_often(ledger)
            found = ledger.check([held])
            assert found.size % 100 == 0
            assert found.size == len(ledger)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
