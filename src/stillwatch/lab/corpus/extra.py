"""Prompts that the user brings: ``--prompts DIR``. ``docs/corpus.md`` documents the form.

``NAME.jsonl``, ``NAME.csv`` and ``NAME.txt`` (each may end in ``.gz``) become the pool NAME; so do
all such files in a folder NAME. One line or row is one text; an empty one is passed over.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stillwatch.errors import InputError
from stillwatch.lab.corpus.pool import Block

__all__ = ["GROUP_FIELDS", "TEXT_FIELDS", "Given", "read_extra"]

#: fields that hold the text of a row, the first present one is taken
TEXT_FIELDS = ("text", "prompt", "question", "instruction", "query")
#: fields that hold its group
GROUP_FIELDS = ("group", "category", "cluster", "subcategory", "domain", "type")

_NOT_TEXT = ("source", "license", "licence", "readme", "notice", "citation")


class Given(NamedTuple):
    """Pool → blocks; files, or rows of them, that hold no prompts, and why; repeats left out."""

    blocks: dict[str, list[Block]]
    skipped: tuple[tuple[Path, str], ...]
    repeated: int


def read_extra(folder: Path) -> Given:
    """Read every file in `folder` and in the folders right below it, in alphabetical order.

    Raises:
        InputError: it is no folder, it holds no prompts, or a file in it is broken.
    """
    if not folder.is_dir():
        raise InputError("the prompts must be in a folder", path=folder)
    blocks: dict[str, list[Block]] = {}
    skipped: list[tuple[Path, str]] = []
    seen: set[str] = set()
    repeated = 0
    for name, path in _files(folder):
        reason = _not_prompts(path)
        rows = [] if reason else list(_texts(path))
        groups: dict[str | None, list[str]] = {}
        for text, group in rows:
            if text in seen:
                repeated += 1
            elif text is not None:
                seen.add(text)
                groups.setdefault(group, []).append(text)
        without = sum(text is None for text, _ in rows)
        if without == len(rows):
            skipped.append((path, reason or "no row has one of " + ", ".join(TEXT_FIELDS)))
            continue
        if without:
            skipped.append((path, f"{without} of its rows have no text"))
        source = str(path.relative_to(folder))
        blocks.setdefault(name, []).extend(Block(source, g, t) for g, t in groups.items())
    if not blocks:
        raise InputError("no file here holds prompts; see docs/corpus.md for the form", path=folder)
    return Given(blocks, tuple(skipped), repeated)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from ((path.name, file) for file in sorted(path.iterdir()) if file.is_file())
        else:
            yield path.name.split(".")[0], path


def _form(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[2]


def _not_prompts(path: Path) -> str | None:
    if path.name.lower().startswith(_NOT_TEXT):
        return "the name says that it is about the data"
    if _form(path) not in ("jsonl", "csv", "txt"):
        return "not .jsonl, .csv or .txt (or one of them with .gz)"
    return None


def _texts(path: Path) -> Iterator[tuple[str | None, str | None]]:
    """Text and group of every row of the file at `path`; no text where a row has none."""
    read = {"jsonl": _json_rows, "csv": _csv_rows, "txt": _plain_rows}[_form(path)]
    for row in read(path, _lines(path)):
        text = next((row[f] for f in TEXT_FIELDS if row.get(f)), None)
        if isinstance(text, str) and text.strip():
            group = next((row[f] for f in GROUP_FIELDS if row.get(f)), None)
            yield text.strip(), None if group is None else str(group)
        else:
            yield None, None


def _lines(path: Path) -> Iterator[str]:
    """The lines of the file with their ends, unpacked where it is packed."""
    number = 0
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            for number, line in enumerate(file, 1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 ({error.reason}); convert the file first"
        raise InputError(message, path=path, line=number) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"the gzip file is damaged after this line: {error}"
        raise InputError(message, path=path, line=number) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error


def _json_rows(path: Path, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as error:
            raise InputError(f"not a JSON object: {error}", path=path, line=number) from error


def _csv_rows(path: Path, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(lines, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise InputError(f"not CSV: {error}", path=path, line=reader.reader.line_num) from error


def _plain_rows(_path: Path, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    return ({"text": line} for line in lines if line.strip())
