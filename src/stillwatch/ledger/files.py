"""Files of entries and heads: read as people write them, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from stillwatch.durable import failures, replace_file
from stillwatch.errors import EntryError, InputError
from stillwatch.ledger.canonical import canonical, parsed
from stillwatch.ledger.commitments import SALT_BYTES, commit, with_commitments
from stillwatch.ledger.entry import Entry
from stillwatch.ledger.head import Head
from stillwatch.ledger.ledger import Ledger
from stillwatch.ledger.salts import Salts

__all__ = ["LARGEST_FILE", "append_files", "read_entry", "read_head", "read_small", "write_whole"]

#: bytes of an entry, a head or a proof as a file, which need not be canonical
LARGEST_FILE: Final = 1_000_000


def append_files(
    state: Path, files: Sequence[Path], *, key_file: Path | None = None
) -> tuple[range, int]:
    """Record the entries of `files`, all or none, in their order; the ledger is made if need be.

    One that ends in ``.jsonl`` holds an entry a line, any other holds one entry. Where a body says
    ``{"$commit": NAME}``, the commitment to that name is recorded.

    Args:
        key_file: as for :meth:`Ledger.open`.

    Returns:
        Their numbers, and how many entries there are now.

    Raises:
        InputError: a file cannot be read, or the ledger does not take an entry; says which. Nothing
            was recorded or made.
    """
    read = [each for path in files for each in _entries(path)]
    named: list[str] = []

    def unmade(identifier: str, of: str) -> str:
        """Stands for a commitment until all files are checked: a mistake makes no salt."""
        named.append(identifier)
        return commit(identifier, bytes(SALT_BYTES), of=of)

    entries = [each.entry(unmade) for each in read]
    with Ledger.open(state, create=True, key_file=key_file) as ledger:
        if named:
            with Salts.open(ledger.state, create=True) as salts:
                entries = [each.entry(salts.commitment) for each in read]
        return ledger.append(entries), len(ledger)


def read_entry(path: Path) -> bytes:
    """The canonical bytes of the entry in a file, as `stillwatch ledger show` prints it.

    Nothing else of it is checked: what was recorded decides, and not what is taken today.

    Raises:
        InputError: it cannot be read, or is no JSON.
    """
    try:
        return canonical(parsed(read_small(path)))
    except ValueError as error:
        raise InputError(str(error), path=path) from error


def read_head(path: Path) -> Head:
    """The head in a file; nothing is verified yet.

    Raises:
        InputError: it cannot be read, or is no head.
    """
    return Head.parse(read_small(path), path=path)


def read_small(path: Path) -> bytes:
    """The bytes of a file, a megabyte at most.

    Raises:
        InputError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    if len(data) > LARGEST_FILE:
        raise InputError(f"has more than {LARGEST_FILE:,} bytes", path=path)
    return data


def write_whole(path: Path, data: bytes) -> None:
    """Write a file aside, and rename it when it is on the disk.

    Raises:
        StorageError: it cannot be written.
    """
    with failures(path, "the ledger"):
        replace_file(path, data)


class _Read(NamedTuple):
    """An entry as it stood in a file."""

    text: bytes
    path: Path
    line: int | None

    def entry(self, commitment: Callable[[str, str], str]) -> Entry:
        """The entry, with commitments in the place of names; it can be recorded."""
        found = Entry.parse(self.text, path=self.path, line=self.line)
        try:
            body = with_commitments(found.body, commitment)
            entry = msgspec.structs.replace(found, body=body)
            entry.encoded()
        except (EntryError, ValueError) as error:
            raise EntryError(str(error), path=self.path, line=self.line) from error
        return entry


def _entries(path: Path) -> Iterator[_Read]:
    if path.suffix != ".jsonl":
        yield _Read(read_small(path), path, None)
        return
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _Read(line, path, number)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
