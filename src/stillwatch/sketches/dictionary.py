"""The cell dictionary: which masked words stand behind a cell that enough accounts sent.

A second pass over the same exchanges. What was masked is not in it by construction: a mask is
written as ``▢``. Texts in which capitals or quotation marks could not serve as masks (an all-caps
prompt, say) count towards the accounts but never supply words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from stillwatch.exchange import RawExchange
from stillwatch.sketches import cells as ce
from stillwatch.sketches.batch import Engine, pack
from stillwatch.sketches.characters import character_tables, prepare
from stillwatch.sketches.key import SketchKey
from stillwatch.sketches.texts import new_text

__all__ = ["MASK_SIGN", "CellDictionary", "recover_cells"]

MASK_SIGN = "▢"
DEFAULT_ACCOUNTS = 5


class CellDictionary:
    """Collects, for wanted cells, the masked words and the accounts that sent them.

    `wanted` are cell values as the ``cells`` column holds them; `k` is the number of distinct
    accounts from which on a cell may be read.
    """

    def __init__(self, key: SketchKey, wanted: Collection[int], k: int = DEFAULT_ACCOUNTS) -> None:
        if k < 2:
            raise ValueError(f"k must be at least 2, so that nobody is read alone; it is {k}")
        self._engine = Engine(key)
        self._key, self._k = key, k
        self._wanted = np.unique(np.fromiter(wanted, np.int64, len(wanted)))
        self._accounts: dict[int, set[int]] = {}
        self._words: dict[int, str] = {}

    def add(self, rows: Sequence[RawExchange]) -> None:
        """Look through one more batch."""
        if not rows or not len(self._wanted):
            return
        texts = [prepare(text) for row in rows for text in new_text(row)]
        made = self._engine.sketch(texts)
        hits = np.flatnonzero(np.isin(made.cells, self._wanted))
        owners = np.searchsorted(made.cell_offsets, hits, side="right") - 1
        by_row: dict[int, set[int]] = {}
        for cell, owner in zip(made.cells[hits].tolist(), owners.tolist(), strict=True):
            by_row.setdefault(owner, set()).add(cell)
        for owner, cells in by_row.items():
            account = self._key.digest("account", rows[owner].account)
            for cell in cells:
                accounts = self._accounts.setdefault(cell, set())
                if len(accounts) < self._k:
                    accounts.add(account)
            if missing := cells - self._words.keys():
                self._words |= _windows(self._engine, texts[2 * owner : 2 * owner + 2], missing)

    def read(self) -> dict[int, str]:
        """The masked words of each wanted cell that at least `k` accounts sent."""
        return {
            cell: self._words[cell]
            for cell, accounts in sorted(self._accounts.items())
            if len(accounts) >= self._k and cell in self._words
        }


def recover_cells(
    key: SketchKey,
    wanted: Collection[int],
    batches: Iterable[Sequence[RawExchange]],
    k: int = DEFAULT_ACCOUNTS,
) -> dict[int, str]:
    """Run all `batches` through a :class:`CellDictionary`; cell → masked words."""
    dictionary = CellDictionary(key, wanted, k)
    for batch in batches:
        dictionary.add(batch)
    return dictionary.read()


def _windows(engine: Engine, texts: list[str], wanted: set[int]) -> dict[int, str]:
    """The masked words of those windows of one exchange whose cell is wanted."""
    buf, offsets = pack(texts)
    room = len(buf) + 2
    source, flags = np.empty((room, 2), np.int32), np.empty(room, np.int32)
    hashes, kinds = np.empty(room, np.uint64), np.empty(room, np.uint8)
    first = np.empty(room, np.int32)
    _, count, mode = engine.kernels.tokens(
        buf, offsets, *character_tables(), engine.keys, source, flags, hashes, kinds, first
    )
    if mode & (ce.MASK_CASE | ce.MASK_QUOTES) != ce.MASK_CASE | ce.MASK_QUOTES:
        return {}
    windows = np.empty((count + 1, 3), np.int64)
    found = engine.kernels.windows(hashes, kinds, count, engine.keys, windows)
    raw = buf.tobytes()
    read: dict[int, str] = {}
    for value, begin, end in windows[:found].tolist():
        if value in wanted and value not in read:
            words = [
                MASK_SIGN if kinds[t] == 0 else _word(raw, source[first[t]].tolist())
                for t in range(begin, end)
            ]
            spaceless = all(kinds[t] != 1 for t in range(begin, end))
            read[value] = ("" if spaceless else " ").join(words)
    return read


def _word(raw: bytes, span: list[int]) -> str:
    return raw[span[0] : span[1]].decode("utf-8", "replace").casefold()
