"""Results whose keys are not opened, held against all that can be told without a key.

What a key did to a suspect is then the signer's word. That there is a row for each model and key,
and no other, that a p-value is corrected for all that was planned, that what is found is at most α,
and that nobody is accused under a key that a control carries, is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from stillwatch.provenance.bundle.contents import Role
from stillwatch.provenance.registration import Registration
from stillwatch.statistics import holm_log10

__all__ = ["Family", "Row", "check_rows"]

#: what rounding to six digits may change in a corrected p-value, as log10
_ROUNDED = 1e-5


class Row(msgspec.Struct, frozen=True):
    """What any test by a key says of one model under one key."""

    model: str
    role: Role
    epoch: str
    cluster: str
    registration: str
    log10_p: float | None
    corrected_log10_p: float | None
    found: bool
    abstained: str | None
    texts: str | None = None


class Family(NamedTuple):
    """Tests that are corrected together: so many rows, of so many tests that were planned."""

    rows: int
    planned: int


def check_rows(
    value: Any,
    registration: Registration,
    about: Sequence[tuple[Role, str, str | None]],
    families: Sequence[Family],
) -> list[Row]:
    """The rows of results, where they are such as the plan leads to.

    Args:
        about: role, model and texts of each test, in order; each is made under every key.
        families: in the order of the rows.

    Raises:
        ValueError: they are not; it says why.
    """
    rows = msgspec.convert(value, list[Row], strict=True)
    many = len(registration.marks)
    wanted = [each for each in about for _ in range(many)]
    if [(row.role, row.model, row.texts) for row in rows] != wanted:
        raise ValueError("there is not one result for each model and key")
    keys = [(row.epoch, row.cluster) for row in rows]
    if len(set(keys[:many])) < many or keys != keys[:many] * len(about):
        raise ValueError("not every model is tested under every key")
    guilty = {key for key, row in zip(keys, rows, strict=True) if row.found and _control(row)}
    for key, row in zip(keys, rows, strict=True):
        if row.registration != registration.digest():
            raise ValueError(f"a result of {row.model} is by another plan")
        if not _control(row) and key in guilty and row.abstained is None:
            raise ValueError(f"{row.model} is judged under a key that a control carries")
    start = 0
    for family in families:
        _check_family(rows[start : start + family.rows], family.planned, registration.plan.alpha)
        start += family.rows
    return rows


def _control(row: Row) -> bool:
    return row.role == "control"


def _check_family(rows: Sequence[Row], planned: int, alpha: float) -> None:
    for row in rows:
        if (row.abstained is None) != (row.log10_p is not None) or (
            (row.log10_p is None) != (row.corrected_log10_p is None)
        ):
            raise ValueError(f"a result of {row.model} has a p-value and none")
    told = np.array([row.log10_p or 0.0 for row in rows])
    least = holm_log10(np.append(told, np.zeros(max(0, planned - len(told)))))[: len(told)]
    # a result that a control silenced had its place in the correction, and shows it no more
    silenced = any(row.abstained is not None and "the control" in row.abstained for row in rows)
    for row, low in zip(rows, least.tolist(), strict=True):
        if row.corrected_log10_p is None:
            corrected = 0.0
        else:
            corrected = row.corrected_log10_p
            low = row.log10_p or 0.0 if silenced else low
            if corrected < low - _ROUNDED or corrected > 0:
                raise ValueError(f"a p-value of {row.model} is not corrected as the plan says")
        sure = abs(corrected - np.log10(alpha)) > _ROUNDED
        if sure and row.found != (corrected <= np.log10(alpha)):
            raise ValueError(f"what is found of {row.model} does not follow from its p-value")
