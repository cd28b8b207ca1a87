"""Groups straight from numpy columns: for tests that judge hundreds of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.detections import UNKNOWN, Group, Rows
from tests.detections.exchanges import START, Row, exchange

Ints = npt.NDArray[np.int64]


def rows(account: npt.ArrayLike, **columns: Any) -> Rows:
    """Exchanges of those accounts, a second apart, each a content of its own if not told so.

    Nobody's organisation is known unless a column `org` says it.
    """
    account = np.asarray(account, dtype=np.int64)
    number = np.arange(len(account), dtype=np.int64)
    nobodys = pa.nulls(len(account), pa.int64())
    given = {"at": START + 1_000_000 * number, "content": number, "org": nobodys} | columns
    table = {name: pa.array(values) for name, values in given.items()}
    return Rows(pa.table({"account": pa.array(account), **table}))


def log_rows(some: Rows, *columns: str) -> list[Row]:
    """`some` as rows of a log, with those of their columns that hold whole numbers."""
    values = {name: some.ints(name).tolist() for name in ("account", "at", *columns)}
    return [
        exchange(
            **{name: None if v == UNKNOWN else v for name, v in zip(values, each, strict=True)}
        )
        for each in zip(*values.values(), strict=True)
    ]


def beside(ours: Rows, others: Rows, style: npt.ArrayLike | None = None) -> Group:
    """`ours` as a group beside `others`; `style` numbers its exchanges' styles, all 0 if absent."""
    number = np.zeros(len(ours), dtype=np.int64) if style is None else np.asarray(style, np.int64)
    return Group(
        rows=ours,
        styled=number >= 0,
        style=number,
        others=others,
        others_styled=np.zeros(len(others), dtype=bool),
        population=len(ours.accounts) + len(others.accounts),
        links={},
    )


def volumes(rng: np.random.Generator, accounts: int, mean: float, sigma: float) -> Ints:
    """Exchanges of accounts whose rates are lognormal with log-sd `sigma`; at least 1 each."""
    return np.maximum(1, rng.poisson(mean * rng.lognormal(0, sigma, accounts)))
