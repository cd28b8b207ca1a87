"""A pool: an ordered collection of distinct texts of one kind, read from disk when first used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, overload

import numpy as np

__all__ = ["Block", "Kind", "Pool", "Text"]


class Kind(StrEnum):
    """How the texts of a pool came to be. Counts are always given by kind."""

    NATURAL = "natural"  #: written by people, for people or for a model
    GENERATED = "generated"  #: printed by somebody's published generator, like school mathematics
    COMPOSED = "composed"  #: put together by this project
    GIVEN = "given"  #: the user's own: we cannot say


class Text(NamedTuple):
    """One text: where it came from, and the dialogue, package or domain that it belongs to."""

    text: str
    source: str
    group: str | None


class Block(NamedTuple):
    """Texts that share a source and a group: one line of a file."""

    source: str
    group: str | None
    texts: Sequence[str]


class Pool(Sequence[Text]):
    """A sequence of :class:`Text`; the same order in every process.

    `read` is called when the pool is first looked into, and by :meth:`blocks`; what it yields must
    be the same each time.
    """

    def __init__(self, name: str, kind: Kind, read: Callable[[], Iterable[Block]]) -> None:
        self.name, self.kind = name, kind
        self._read = read
        self._columns: _Columns | None = None
        self._order: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self._order) if self._order is not None else len(self._load().texts)

    @overload
    def __getitem__(self, index: int) -> Text: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Text]: ...
    def __getitem__(self, index: int | slice) -> Text | Sequence[Text]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        columns = self._load()
        at = index if self._order is None else int(self._order[index])
        return Text(columns.texts[at], *columns.blocks[columns.block_of[at]])

    def permuted(self, rng: np.random.Generator) -> Pool:
        """The same texts in a random order: read it from the front to draw without replacement."""
        columns = self._load()
        pool = Pool(self.name, self.kind, self._read)
        pool._columns = columns
        here = np.arange(len(self)) if self._order is None else self._order
        pool._order = rng.permutation(here)
        return pool

    def groups(self) -> Mapping[str, Sequence[int]]:
        """Group → the indices of its texts in this pool, in the order of first appearance.

        Texts without a group are in none of them.
        """
        columns = self._load()
        found: dict[str, list[int]] = {}
        order = range(len(columns.texts)) if self._order is None else self._order.tolist()
        for index, at in enumerate(order):
            group = columns.blocks[columns.block_of[at]][1]
            if group is not None:
                found.setdefault(group, []).append(index)
        return MappingProxyType(found)

    def blocks(self) -> Iterable[Block]:
        """The texts as they are stored, a source and a group at a time, in the stored order."""
        return self._read()

    def __repr__(self) -> str:
        return f"Pool({self.name!r}, {self.kind.value})"

    def _load(self) -> _Columns:
        if self._columns is None:
            self._columns = _Columns(self._read())
        return self._columns


class _Columns:
    """The texts, and for each the number of its block: a tuple a text would cost three times it."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.texts: list[str] = []
        self.blocks: list[tuple[str, str | None]] = []
        lengths: list[int] = []
        for source, group, texts in blocks:
            self.texts.extend(texts)
            self.blocks.append((source, group))
            lengths.append(len(texts))
        self.block_of = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
