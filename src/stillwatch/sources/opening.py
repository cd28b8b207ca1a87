"""Files → a log: recognises the format of each and refuses a mixture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from stillwatch.errors import InputError, UnknownFormatError
from stillwatch.sources.documents import documents, is_lines
from stillwatch.sources.finding import find_files
from stillwatch.sources.json_source import Decode, JsonDocuments, JsonLines
from stillwatch.sources.lenient import parse
from stillwatch.sources.lines import blocks, opened
from stillwatch.sources.litellm import LiteLLM
from stillwatch.sources.log import Log, Source
from stillwatch.sources.native import NativeJson
from stillwatch.sources.opentelemetry import OpenTelemetry
from stillwatch.sources.parquet import NativeParquet, is_parquet
from stillwatch.sources.rows import Context
from stillwatch.sources.values import UnfitError

__all__ = ["FORMATS", "Format", "open_log"]

_LOOKED_AT = 20
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "is packed with zstd: unpack it first (zstd -d)",
    b"BZh": "is packed with bzip2: unpack it first (bunzip2)",
    b"\xfd7zXZ": "is packed with xz: unpack it first (unxz)",
    b"PK\x03\x04": "is a zip archive: unpack it first",
    b"\xff\xfe": "is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)",
    b"\xfe\xff": "is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)",
}


class Format(Protocol):
    """One JSON format: told by an object, read by a decoder that lives as long as a file."""

    name: str

    @staticmethod
    def recognises(value: Mapping[str, Any]) -> bool:
        """Whether a JSON object is of this format."""
        ...

    def __call__(self, context: Context) -> Decode:
        """A decoder for one file."""
        ...


#: the formats that `--format` knows, most particular first; a further one is added here
FORMATS: tuple[Format, ...] = (OpenTelemetry, LiteLLM, NativeJson)


def open_log(patterns: Sequence[str | Path], *, format: str = "auto") -> Log:  # noqa: A002
    """Open the files that `patterns` name (files, folders, globs) as one log.

    Args:
        patterns: what to read; see :func:`stillwatch.sources.finding.find_files`.
        format: "auto" recognises each file and refuses a mixture; "native", "litellm" or "otel"
            reads every file as that.

    Raises:
        InputError: a file is missing or cannot be read, or a Parquet column has a wrong type.
        UnknownFormatError: a file is in no known format, or two are in different ones.
    """
    forced = format_named(format)
    files = find_files(patterns)
    sources: list[Source] = []
    first: tuple[str, Path] | None = None
    for path in files:
        if path.stat().st_size == 0:
            continue
        found = recognised(path, forced)
        if found is None:
            continue
        name, source = found
        if first is not None and first[0] != name:
            raise UnknownFormatError(
                f"is a log of format '{name}', but {first[1]} is of format '{first[0]}': "
                "read them one by one, or force one with --format",
                path=path,
            )
        first = first or (name, path)
        sources.append(source)
    return Log(files, first[0] if first else "empty", sources)


def format_named(name: str) -> Format | None:
    """The format called `name`; None for "auto".

    Raises:
        UnknownFormatError: there is none.
    """
    known = {known.name: known for known in FORMATS}
    if name != "auto" and name not in known:
        names = ", ".join(["auto", *known])
        raise UnknownFormatError(f"there is no format '{name}': choose one of {names}")
    return known.get(name)


def recognised(path: Path, forced: Format | None) -> tuple[str, Source] | None:
    """The format of a file and its reader; None if it holds nothing but blanks.

    Raises:
        InputError: the file cannot be read, or is packed in a way that is not known.
        UnknownFormatError: the file is in no known format, and none is forced.
    """
    with opened(path) as file:
        head = file.read(8)
    for magic, advice in _FOREIGN.items():
        if head.startswith(magic):
            raise InputError(advice, path=path)
    if is_parquet(head):
        if forced not in (None, NativeJson):
            raise UnknownFormatError("is Parquet, which only the native log may be", path=path)
        return NativeJson.name, NativeParquet(path)
    lines = is_lines(path)
    values = _first_values(path, lines=lines)
    if values is None:
        return None
    format_ = forced or next(
        (known for known in FORMATS for value in values if known.recognises(value)), None
    )
    if format_ is None:
        raise UnknownFormatError(
            "is in no format that is known: native ('at', 'account' and 'prompt' or 'messages'), "
            "LiteLLM (StandardLoggingPayload), OpenTelemetry (OTLP/JSON with GenAI spans); "
            "docs/logs.md describes them, --format forces one",
            path=path,
        )
    source = JsonLines(path, format_) if lines else JsonDocuments(path, format_)
    return format_.name, source


def _first_values(path: Path, *, lines: bool) -> list[Mapping[str, Any]] | None:
    """The objects among the first documents; None if there are none but blanks."""
    values: list[Mapping[str, Any]] = []
    blank = True
    for document in islice(_texts(path, lines=lines), _LOOKED_AT):
        blank = False
        try:
            value, _ = parse(document)
        except UnfitError:
            continue
        if isinstance(value, dict):
            values.append(value)
    return None if blank else values


def _texts(path: Path, *, lines: bool) -> Iterator[bytes]:
    """The documents of a file; an empty one for each that cannot be delivered."""
    if lines:
        for block in blocks(path):
            yield from filter(bytes.strip, block.lines)
            yield from (b"" for _ in block.faults)
    else:
        for found, _, faults in documents(path):
            yield from (document.text for document in found)
            yield from (b"" for _ in faults)
