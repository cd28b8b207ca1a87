"""The cell dictionary: which masked words stand behind a cell that enough accounts sent.

A second pass over the same exchanges. What was masked is not in it by construction: a mask is
written as ``▢``. Texts in which capitals or quotation marks could not serve as masks (an all-caps
prompt, say) count towards the accounts but never supply words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from stillwatch.exchange import RawExchange
from stillwatch.sketches.batch import Engine, ListedCells, list_text, prepare_and_pack
from stillwatch.sketches.key import SketchKey
from stillwatch.sketches.layout import SOURCE_BEGIN, SOURCE_END
from stillwatch.sketches.masks import MASK_CASE, MASK_QUOTES, MASKED, WORD
from stillwatch.sketches.texts import new_texts

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
        texts = new_texts(rows)
        made = self._engine.sketch(prepare_and_pack(texts))
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
    """The masked words of those cells of one exchange that are wanted."""
    buf, offsets = prepare_and_pack(texts)
    listed = list_text(buf, offsets, engine.keys)
    if ~listed.mode & (MASK_CASE | MASK_QUOTES):
        return {}
    raw = buf.tobytes()
    read: dict[int, str] = {}
    for begin in np.flatnonzero(listed.lengths).tolist():
        value = int(listed.values[begin].astype(np.int64))
        if value in wanted and value not in read:
            tokens = range(begin, begin + int(listed.lengths[begin]))
            spaced = any(listed.kinds[t] == WORD for t in tokens)
            read[value] = (" " if spaced else "").join(
                MASK_SIGN if listed.kinds[t] == MASKED else _text_of(raw, listed, t) for t in tokens
            )
    return read


def _text_of(raw: bytes, listed: ListedCells, token: int) -> str:
    row = listed.words[listed.first_words[token]]
    begin, end = int(row[SOURCE_BEGIN]), int(row[SOURCE_END])
    return raw[begin:end].decode("utf-8", "replace").casefold()
