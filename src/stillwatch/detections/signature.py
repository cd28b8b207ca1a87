"""The request parameters of an exchange, packed into one integer: its *signature*.

The same packing runs as a table expression over a whole log and in numpy over a group, so that
both agree. Bits, not hashes: a signature can be unpacked and named in a report.
"""

from __future__ import annotations

from typing import NamedTuple

import ibis
import numpy as np
from ibis.expr.types import IntegerValue, Table

from stillwatch.detections.group import UNKNOWN, Ints, Mask, Rows

__all__ = ["FIELDS", "SURFACES", "Field", "describe", "sign", "signature", "surfaces", "unpack"]


class Field(NamedTuple):
    """A parameter in the signature: 0 where unknown or left to its default, else 1 + its value.

    ``scale`` multiplies numbers before they are rounded; of a ``named`` parameter only counts
    whether it is given.
    """

    column: str
    bits: int
    words: str
    scale: int = 1
    named: bool = False


#: lowest bits first; 58 bits, so that the sign of an int64 stays clear
FIELDS = (
    Field("n", 4, "n {}"),
    Field("max_tokens", 20, "max_tokens {}"),
    Field("temperature", 8, "temperature {}", scale=100),
    Field("top_p", 7, "top_p {}", scale=100),
    Field("logprobs", 2, "logprobs {}"),
    Field("top_logprobs", 5, "top_logprobs {}"),
    Field("logit_bias", 2, "logit_bias {}"),
    Field("prefill", 2, "prefill {}"),
    Field("stream", 2, "stream {}"),
    Field("reasoning", 2, "reasoning given", named=True),
    Field("response_format", 2, "response_format given", named=True),
    Field("toolset", 2, "tools given", named=True),
)

#: parameters that show more of the model than its answer, and what a report calls them
SURFACES = {
    "several": "several answers at once",
    "logprobs": "log probabilities",
    "biased": "biased tokens",
    "prefill": "dictated beginnings",
    "few": "answers of a few tokens",
    "long": "very long answers",
    "reasoning": "reasoning",
}

#: max_tokens up to which an answer is a few tokens, and from which on it is very long
FEW, MANY = 4, 8_192


def signature(rows: Table) -> IntegerValue:
    """The signature of each exchange of a table."""
    packed = ibis.literal(0, type="int64")
    shift = 1
    for field in FIELDS:
        column = rows[field.column]
        if field.named:
            value = column.notnull().cast("int64")
        elif field.scale > 1:  # not round(): engines differ in what they do with a half
            number = column.cast("float64") * float(field.scale) + 0.5
            value = (number.floor().cast("int64") + 1).fill_null(0)
        else:
            value = (column.cast("int64") + 1).fill_null(0)
        packed = packed + ibis.greatest(ibis.least(value, 2**field.bits - 1), 0) * shift
        shift *= 2**field.bits
    return packed


def sign(rows: Rows) -> Ints:
    """The signature of each exchange of a group."""
    packed = np.zeros(len(rows), dtype=np.int64)
    shift = 1
    for field in FIELDS:
        known = rows.ints(field.column) != UNKNOWN
        value = known.astype(np.int64)
        if field.scale > 1:
            number = np.where(known, rows.floats(field.column), 0.0) * field.scale
            value += np.where(known, np.floor(number + 0.5), 0).astype(np.int64)
        elif not field.named:
            value += np.where(known, rows.ints(field.column), 0)
        packed += np.clip(value, 0, 2**field.bits - 1) * shift
        shift *= 2**field.bits
    return packed


def unpack(packed: Ints) -> dict[str, Ints]:
    """The fields of signatures, by column: 0 for unknown, else 1 + the scaled value."""
    values = {}
    for field in FIELDS:
        values[field.column] = packed % 2**field.bits
        packed = packed // 2**field.bits
    return values


def describe(packed: int) -> str:
    """A signature in words, e.g. ``n 4, temperature 0.6``; ``defaults`` where nothing is given."""
    values = unpack(np.array([packed]))
    said = []
    for field in FIELDS:
        value = int(values[field.column][0])
        if value:
            said.append(
                field.words.format((value - 1) / field.scale if field.scale > 1 else value - 1)
            )
    return ", ".join(said) or "defaults"


def surfaces(packed: Ints) -> dict[str, Mask]:
    """Which signatures use which of :data:`SURFACES`."""
    values = unpack(packed)
    cap = values["max_tokens"]
    return {
        "several": values["n"] > 2,
        "logprobs": (values["logprobs"] > 1) | (values["top_logprobs"] > 1),
        "biased": values["logit_bias"] > 1,
        "prefill": values["prefill"] > 1,
        "few": (cap > 1) & (cap <= FEW + 1),
        "long": cap > MANY,
        "reasoning": values["reasoning"] > 0,
    }
