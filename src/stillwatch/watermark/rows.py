"""Rows of a batch: their logits and settings, checked; and the choice of a token for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillwatch.watermark.choosing import INFINITE, NAN, chooser
from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.mark import Floats, Int64s, Logits, UInt64s
from stillwatch.watermark.prf import DEFAULT, number_of

__all__ = ["NO_KEY", "Rows", "choose", "sample_unmarked", "settings_of", "tokens_of"]

#: stands for any key where schemes and settings alone are compared
NO_KEY = MarkKey(0, "", "")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a kernel takes: contiguous arrays of agreeing lengths, and settings of each row."""

    logits: Logits
    contexts: Int64s
    temperatures: Floats
    top_k: Int64s

    @classmethod
    def checked(
        cls,
        logits: Logits,
        contexts: Int64s,
        width: int,
        temperature: float | Floats,
        top_k: int | Int64s | None,
        *,
        greedy: bool = False,
    ) -> Rows:
        """The rows of these arguments, see :meth:`.mark.Mark.sample`.

        Args:
            greedy: whether a row may be decoded greedily.

        Raises:
            ValueError: a shape, a type, a setting or a context that cannot be.
        """
        logits = np.ascontiguousarray(logits)
        if logits.dtype != np.float32 or logits.ndim != 2 or not logits.shape[1]:
            raise ValueError(
                f"logits are float32 [batch, vocabulary], not {logits.dtype} {logits.shape}"
            )
        batch, vocabulary = logits.shape
        if np.asarray(contexts).dtype.kind not in "iu":
            raise ValueError("contexts are integers")
        contexts = np.ascontiguousarray(contexts, np.int64)
        if contexts.shape != (batch, width):
            raise ValueError(f"contexts are [{batch}, {width}], not {list(contexts.shape)}")
        if batch and (contexts.min() < -1 or contexts.max() >= vocabulary):
            raise ValueError(f"a context holds tokens from -1 to {vocabulary - 1}")
        warm, many = settings_of(batch, temperature, top_k)
        if not (np.isfinite(warm) & (warm >= 0)).all() or (many < 0).any():
            raise ValueError("a temperature is finite and not negative, and so is a top k")
        if not greedy and ((warm == 0) | (many == 1)).any():
            raise ValueError(
                "greedy decoding (temperature 0 or top_k 1) has one answer and takes no mark"
            )
        return cls(logits, contexts, warm, many)

    def keys(self, key: MarkKey, keys: UInt64s | None) -> UInt64s:
        """The value of a key for each row: `key`, or those given.

        Raises:
            ValueError: not one for each row.
        """
        if keys is None:
            return np.full(len(self.logits), key.value, np.uint64)
        keys = np.ascontiguousarray(keys)
        if keys.dtype != np.uint64 or keys.shape != (len(self.logits),):
            raise ValueError(f"keys are uint64 [{len(self.logits)}]")
        return keys


def settings_of(
    batch: int, temperature: float | Floats, top_k: int | Int64s | None
) -> tuple[Floats, Int64s]:
    """Temperature and top k of each row, float64 and int64 [batch]; 0 is the whole vocabulary.

    Raises:
        ValueError: neither one for all rows nor one for each; a top k of 0 for all.
    """
    if isinstance(top_k, int) and top_k == 0:
        raise ValueError("top_k is None for the whole vocabulary")
    warm = np.ascontiguousarray(np.broadcast_to(temperature, batch), np.float64)
    many = np.ascontiguousarray(np.broadcast_to(0 if top_k is None else top_k, batch), np.int64)
    return warm, many


def choose(rows: Rows, prf: str, keys: UInt64s) -> Int64s:
    """Gumbel-max of each row under its key, int64 [batch].

    Raises:
        ValueError: a row with NaN, with +inf, or without a finite logit; named by its number.
    """
    out = np.empty(len(rows.logits), np.int64)
    chooser()(
        number_of(prf), rows.logits, rows.logits.view(np.int32), rows.contexts, keys,
        rows.temperatures, rows.top_k, out,
    )  # fmt: skip
    return tokens_of(out)


def tokens_of(out: Int64s) -> Int64s:
    """What a kernel wrote, if it is a token for each row.

    Raises:
        ValueError: a row with NaN, with +inf, or without a finite logit; named by its number.
    """
    if (out < 0).any():
        row = int(np.argmax(out < 0))
        wrong = {NAN: "NaN", INFINITE: "an infinite logit"}.get(int(out[row]), "no finite logit")
        raise ValueError(f"row {row} of the logits has {wrong}")
    return out


def sample_unmarked(
    logits: Logits,
    *,
    temperature: float | Floats = 1.0,
    top_k: int | Int64s | None = 64,
    rng: np.random.Generator,
) -> Int64s:
    """The next token of each row without a mark, int64 [batch]; greedy rows are allowed.

    By the same kernel as :class:`.gumbel.GumbelMark`, under a key for each row that is drawn from
    `rng` and forgotten.

    Raises:
        ValueError: as :meth:`.mark.Mark.sample`, greedy decoding excepted.
    """
    nowhere = np.full((len(logits), 1), -1, np.int64)
    rows = Rows.checked(logits, nowhere, 1, temperature, top_k, greedy=True)
    return choose(rows, DEFAULT, rng.integers(0, 1 << 64, len(logits), np.uint64))
