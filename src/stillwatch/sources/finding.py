"""Patterns, folders and names → the files of a log, sorted, each once."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from stillwatch.errors import InputError

__all__ = ["find_files", "find_present"]

_SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz", ".parquet")


def find_files(patterns: Sequence[str | Path]) -> list[Path]:
    """The files that `patterns` name: files, folders (searched below), and globs (`**` too).

    In a folder, files are taken by their ending (.jsonl, .ndjson, .json, each also .gz, and
    .parquet); hidden ones are left alone. A file that is named is taken whatever its ending.

    Raises:
        InputError: a pattern names nothing, or a folder holds no log.
    """
    if not patterns:
        raise InputError("no log was named: give files, folders or globs")
    found: dict[Path, None] = {}
    for pattern in patterns:
        for path in _named(pattern):
            found.update(dict.fromkeys(_inside(path) if path.is_dir() else [_regular(path)]))
    return sorted(found)


def find_present(patterns: Sequence[str | Path]) -> list[Path]:
    """What :func:`find_files` finds, as far as it is there now: a pattern may name nothing yet.

    Raises:
        InputError: a pattern names what is neither a folder nor a regular file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        for path in _matches(pattern):
            if path.is_dir():
                found.update(dict.fromkeys(_logs(path)))
            elif path.exists():
                found[_regular(path)] = None
    return sorted(found)


def _matches(pattern: str | Path) -> list[Path]:
    if Path(pattern).exists():
        return [Path(pattern)]
    return [Path(match) for match in glob.glob(str(pattern), recursive=True)]  # noqa: PTH207


def _named(pattern: str | Path) -> list[Path]:
    matches = _matches(pattern)
    if not matches:
        what = "no file matches" if glob.has_magic(str(pattern)) else "there is no such file"
        raise InputError(f"{what}: check the name, or quote the pattern", path=pattern)
    return matches


def _regular(path: Path) -> Path:
    if not path.is_file():
        raise InputError(
            "is no regular file: write it to one first, since a log is read more than once",
            path=path,
        )
    return path


def _inside(folder: Path) -> Iterator[Path]:
    empty = True
    for path in _logs(folder):
        empty = False
        yield path
    if empty:
        raise InputError(
            f"the folder holds no log: files ending in {', '.join(_SUFFIXES)} are read",
            path=folder,
        )


def _logs(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.name.lower().endswith(_SUFFIXES) and path.is_file() and not hidden:
            yield path
