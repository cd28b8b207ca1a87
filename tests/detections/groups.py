"""Groups straight from numpy columns: for tests that judge hundreds of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.detections import Group, Rows
from tests.detections.exchanges import START

Ints = npt.NDArray[np.int64]


def rows(account: npt.ArrayLike, **columns: Any) -> Rows:
    """Exchanges of those accounts, a second apart, each a content of its own if not told so."""
    account = np.asarray(account, dtype=np.int64)
    number = np.arange(len(account), dtype=np.int64)
    given = {"at": START + 1_000_000 * number, "content": number} | columns
    table = {name: pa.array(values) for name, values in given.items()}
    return Rows(pa.table({"account": pa.array(account), **table}))


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
