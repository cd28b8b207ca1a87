"""What the ledger of a state folder says about somebody, and how that is made to say it of nobody.

A folder without a ledger says nothing, and nothing is made there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stillwatch.ledger.database import FILE as LEDGER
from stillwatch.ledger.entry import Entry
from stillwatch.ledger.ledger import Ledger
from stillwatch.ledger.salts import FILE as SALTS
from stillwatch.ledger.salts import Salts

__all__ = ["entries_about", "erase_salt"]


def entries_about(state: Path, identifier: str, of: str = "account") -> Iterator[tuple[int, Entry]]:
    """Entries, with their numbers, in which the commitment to somebody stands.

    Raises:
        StoreFormatError: the ledger is damaged.
    """
    if not (state / SALTS).is_file() or not (state / LEDGER).is_file():
        return
    with Salts.open(state) as salts:
        commitment = salts.find(identifier, of)
    if commitment is None:
        return
    with Ledger.open(state, read_only=True) as ledger:
        for number in ledger.numbers_with(commitment):
            yield number, ledger.entry(number)


def erase_salt(state: Path, identifier: str, of: str = "account") -> bool:
    """Delete the salt of somebody; whether there was one.

    Raises:
        StorageError: the folder cannot be written.
        StoreFormatError: the file of salts is damaged.
    """
    if not (state / SALTS).is_file():
        return False
    with Salts.open(state) as salts:
        return salts.erase(identifier, of)
