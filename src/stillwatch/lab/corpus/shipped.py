"""The files that ship: ``lab/data/<set>/<pool>.jsonl.zst``, listed in ``lab/data/index.json``.

A file is JSON lines under Zstandard, one block a line: ``{"source", "group", "texts": [...]}``.
The index says how many texts each file holds, so that a damaged one is never read as a short one.
``tools/build_corpus.py`` writes both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec
import pyarrow as pa

from stillwatch.errors import StoreFormatError
from stillwatch.lab.corpus.pool import Block, Kind

__all__ = ["ShippedFile", "read_files", "shipped_files"]


class ShippedFile(msgspec.Struct, frozen=True):
    """One line of the index. `set` is the folder, `size` the bytes of the file decompressed."""

    set: str
    pool: str
    kind: Kind
    texts: int
    groups: int
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The path of the file below ``lab/data``."""
        return f"{self.set}/{self.pool}.jsonl.zst"


class _Line(msgspec.Struct):
    source: str
    texts: list[str]
    group: str | None = None


def shipped_files() -> dict[str, tuple[ShippedFile, ...]]:
    """Pool → its files, in the order of the index."""
    index = msgspec.json.decode(_data().joinpath("index.json").read_bytes(), type=list[ShippedFile])
    pools: dict[str, tuple[ShippedFile, ...]] = {}
    for file in index:
        pools[file.pool] = (*pools.get(file.pool, ()), file)
    return pools


def read_files(parts: Iterable[ShippedFile]) -> Iterator[Block]:
    """The blocks of `parts`, one after the other.

    Raises:
        StoreFormatError: a file is missing, damaged, or not the one that the index describes.
    """
    for part in parts:
        texts = 0
        for line in _lines(part):
            texts += len(line.texts)
            yield Block(line.source, line.group, line.texts)
        if texts != part.texts:
            raise _damaged(part, f"holds {texts} texts where the index says {part.texts}")


def _lines(part: ShippedFile) -> list[_Line]:
    try:
        packed = _data().joinpath(part.name).read_bytes()
        lines = pa.decompress(packed, part.size, codec="zstd", asbytes=True)
        return msgspec.json.Decoder(_Line).decode_lines(lines)
    except (OSError, msgspec.DecodeError) as error:
        raise _damaged(part, str(error)) from error


def _damaged(part: ShippedFile, reason: str) -> StoreFormatError:
    return StoreFormatError(
        f"the text that ships with Stillwatch is damaged: {reason}; install the package again",
        path=part.name,
    )


def _data() -> Traversable:
    return files("stillwatch.lab").joinpath("data")
