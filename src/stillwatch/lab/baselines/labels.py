"""The labels that ``simulate`` writes, as the baselines and their judges need them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.errors import InputError

__all__ = ["Labels"]

_COLUMNS = ["request_id", "account", "kind", "attack"]


@dataclass(frozen=True)
class Labels:
    """Who attacked, and what everybody else is.

    Attributes:
        attacks: request ids of the attack exchanges; the cover traffic of attackers is not here.
        guilty: accounts with at least one attack exchange.
        innocent: all other accounts, with their kind.
    """

    attacks: frozenset[str]
    guilty: frozenset[str]
    innocent: dict[str, str]

    @classmethod
    def of(cls, table: pa.Table) -> Labels:
        """From a table with the columns of :data:`stillwatch.lab.traffic.LABELS`.

        Raises:
            InputError: a column is missing.
        """
        missing = [name for name in _COLUMNS if name not in table.column_names]
        if missing:
            raise InputError(f"labels without the column {missing[0]}; `simulate` writes them")
        attacks, guilty = set(), set()
        kinds: dict[str, str] = {}
        columns = (table[name].to_pylist() for name in _COLUMNS)
        for request, account, kind, attack in zip(*columns, strict=True):
            if attack:
                attacks.add(request)
                guilty.add(account)
            else:
                kinds.setdefault(account, kind)
        innocent = {name: kind for name, kind in kinds.items() if name not in guilty}
        return cls(frozenset(attacks), frozenset(guilty), innocent)

    @classmethod
    def read(cls, path: Path) -> Labels:
        """From ``labels.parquet``.

        Raises:
            InputError: no such file, not Parquet, or a column is missing.
        """
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"cannot read the labels: {error}", path=path) from error
        return cls.of(table)
