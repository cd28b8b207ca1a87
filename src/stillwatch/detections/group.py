"""A candidate group of accounts, with their exchanges, beside a sample of everybody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["LEAST_MARKED", "ROW_COLUMNS", "UNKNOWN", "Group", "Rows"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
T = TypeVar("T")

#: the columns of the exchanges that a judgement may read; country is not among them (law 3)
ROW_COLUMNS = (
    "at",
    "request",
    "account",
    "org",
    "end_user",
    "ip",
    "ja4",
    "user_agent",
    "accept_language",
    "payment",
    "device",
    "email_domain",
    "registered_at",
    "blocked_at",
    "model",
    "stream",
    "temperature",
    "top_p",
    "n",
    "max_tokens",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "tools",
    "toolset",
    "response_format",
    "prefill",
    "system",
    "reasoning",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "content",
    "turns",
    "cells",
    "topic",
    "words",
    "script",
    "code_share",
    "shape",
    "asks",
)

#: exchanges that must carry what a group has in common before an account counts; one may be chance
LEAST_MARKED = 2

#: what stands for null in an integer column
UNKNOWN = np.iinfo(np.int64).min


class Rows:
    """Exchanges as numpy columns, sorted by account and time; made on demand, then kept."""

    def __init__(self, table: pa.Table, *, ordered: bool = False) -> None:
        order = [("account", "ascending"), ("at", "ascending")]
        self._table = table if ordered else table.sort_by(order)
        self._ints: dict[str, Ints] = {}
        self._floats: dict[str, Floats] = {}
        self._names: dict[str, npt.NDArray[np.object_]] = {}
        self._once: dict[Callable[[Rows], object], object] = {}

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def ints(self, name: str) -> Ints:
        """A column as int64: times in µs, booleans 0 or 1, names as codes; UNKNOWN for null."""
        if name not in self._ints:
            self._ints[name] = _as_ints(self._table[name])
        return self._ints[name]

    def floats(self, name: str) -> Floats:
        """A numeric column as float64; NaN for null."""
        if name not in self._floats:
            column = pc.fill_null(self._table[name].cast(pa.float64()), np.nan)
            self._floats[name] = column.to_numpy()
        return self._floats[name]

    def names(self, name: str) -> npt.NDArray[np.object_]:
        """A column of names as Python strings; None for null. Comparable between groups."""
        if name not in self._names:
            column = self._table[name].cast(pa.string())
            self._names[name] = column.to_numpy(zero_copy_only=False)
        return self._names[name]

    def knows(self, name: str) -> bool:
        """Whether any exchange has a value in that column."""
        return int(self._table[name].null_count) < len(self)

    def where(self, mask: Mask) -> Rows:
        """The exchanges that `mask` chooses."""
        return Rows(self._table.filter(pa.array(mask)), ordered=True)

    def once(self, measure: Callable[[Rows], T]) -> T:
        """`measure` of these exchanges, computed once: the background serves every candidate."""
        if measure not in self._once:
            self._once[measure] = measure(self)
        return cast("T", self._once[measure])

    @cached_property
    def accounts(self) -> Ints:
        """The distinct accounts, ascending."""
        return np.unique(self.ints("account"))

    @cached_property
    def seen(self) -> Floats:
        """For each account the share of its contents that was fetched; of busy ones a sample."""
        if "thin" not in self._table.column_names:
            return np.ones(len(self.accounts))
        first = np.searchsorted(self.ints("account"), self.accounts)
        return 1.0 / self.ints("thin")[first]

    def alike_seen(self, least: int = 30) -> Rows:
        """Those whose contents were fetched of all accounts, or of none.

        Busy accounts are sampled by content, each so far as it is busy: what a sampled one shares
        with another may be missing. Contents that the sampling of the busiest account keeps can
        be compared; where fewer than `least` remain, the busiest are left out instead.
        """
        if "thin" not in self._table.column_names:
            return self
        thin = self.ints("thin")
        for most in np.unique(thin)[::-1]:
            chosen = (thin <= most) & (self.ints("content") % most == 0)
            if chosen.sum() >= least:
                return self.where(chosen)
        return self

    @cached_property
    def owner(self) -> Ints:
        """For each exchange, the position of its account in :attr:`accounts`."""
        return np.searchsorted(self.accounts, self.ints("account"))


def _as_ints(column: pa.ChunkedArray) -> Ints:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = column.combine_chunks().dictionary_encode()
        kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        values = column.dictionary.to_pylist()
        rank = np.argsort(np.argsort(np.array(values, dtype=object)))  # codes in the names' order
        codes = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False)
        return np.where(codes < 0, UNKNOWN, rank[codes] if len(rank) else 0)
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=kind.tz))
    if pa.types.is_floating(kind):
        column = pc.round(pc.multiply(column.cast(pa.float64()), 1000.0))
    ints: Ints = pc.fill_null(column.cast(pa.int64()), UNKNOWN).to_numpy()
    return ints


@dataclass(frozen=True)
class Group:
    """A candidate: accounts that links of some detection join.

    Attributes:
        rows: all exchanges of its accounts (of very busy ones a sample).
        styled: which of them carry the group's shared styles; what one template may explain.
        style: for each exchange the number of its style, -1 for none.
        others: exchanges of a random sample of accounts outside the group.
        others_styled: which of those carry the group's styles.
        population: accounts in the log.
        links: object → members that share it, by detection.
        least: exchanges that carry the style from which on an account was taken in.
    """

    rows: Rows
    styled: Mask
    style: Ints
    others: Rows
    others_styled: Mask
    population: int
    links: dict[str, dict[int, Ints]]
    least: int = LEAST_MARKED

    @property
    def accounts(self) -> Ints:
        return self.rows.accounts

    def without(self, accounts: Ints) -> Group:
        """The group with some of its accounts left out."""
        kept = ~np.isin(self.rows.ints("account"), accounts)
        return replace(
            self, rows=self.rows.where(kept), styled=self.styled[kept], style=self.style[kept]
        )

    @cached_property
    def shared(self) -> Rows:
        """The exchanges that carry the group's styles."""
        return self.rows.where(self.styled)

    @cached_property
    def unshared(self) -> Rows:
        """The other exchanges of its accounts: cover traffic, or honest work."""
        return self.rows.where(~self.styled)
