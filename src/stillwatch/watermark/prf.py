"""The keyed functions that a mark may use, by name, and what they say of many windows at once.

``philox4x32-10-v1``, the default, is that of vLLM's sampler, bit for bit. ``premix-v1`` is our own,
five times as fast for many keys: see :mod:`stillwatch.watermark.premix` for what it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from stillwatch.watermark.cores import over_all_cores
from stillwatch.watermark.mark import Floats, Int64s, UInt64s
from stillwatch.watermark.words import PHILOX, PREMIX, word_kernels

__all__ = ["DEFAULT", "NAMES", "gumbel_totals", "hits", "number_of", "uniforms", "words"]

NAMES: Final = {"philox4x32-10-v1": PHILOX, "premix-v1": PREMIX}
DEFAULT: Final = "philox4x32-10-v1"

#: windows × keys of one task, and its windows: some milliseconds. Tasks do not depend on how many
#: threads there are, so that sums do not either
_TASK = 1 << 21
_WINDOWS = 1 << 15


def number_of(name: str) -> int:
    """The number by which kernels know the function `name`.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in NAMES:
        raise ValueError(f"no keyed function {name!r}; there are {', '.join(NAMES)}")
    return NAMES[name]


def words(prf: str, key: int, contexts: Int64s, tokens: Int64s) -> npt.NDArray[np.uint32]:
    """The 32 bits of each token after its context, uint32 [n]."""
    contexts, tokens = _windows(contexts, tokens)
    out = np.empty(len(tokens), np.uint32)
    word_kernels().words(number_of(prf), np.uint64(key), contexts, tokens, out)
    return out


def uniforms(prf: str, key: int, contexts: Int64s, tokens: Int64s) -> npt.NDArray[np.float32]:
    """The uniform number of each token after its context, in (0, 1), as vLLM rounds it."""
    high = (words(prf, key, contexts, tokens) >> np.uint32(8)).astype(np.float64)
    return ((high + 1) / (2**24 + 1)).astype(np.float32)


def gumbel_totals(prf: str, keys: UInt64s, contexts: Int64s, tokens: Int64s) -> Floats:
    """Σ -ln(1 - u) over all windows under each key, float64 [keys], on all cores.

    Within 2^-24 a window of the sum of what :func:`uniforms` says.
    """
    out: Floats = _over_tasks(word_kernels().totals, np.float64, prf, keys, contexts, tokens)
    return out


def hits(prf: str, keys: UInt64s, contexts: Int64s, tokens: Int64s, share: float) -> Int64s:
    """How many windows have a word in the lowest `share` of all under each key, int64 [keys]."""
    below = np.uint32(round(share * 2**32))

    def greens(number: int, *arrays: Any) -> None:
        word_kernels().greens(number, *arrays[:-1], below, arrays[-1])

    out: Int64s = _over_tasks(greens, np.int64, prf, keys, contexts, tokens)
    return out


def _over_tasks(
    kernel: Callable[..., None],
    dtype: Any,
    prf: str,
    keys: UInt64s,
    contexts: Int64s,
    tokens: Int64s,
) -> Any:
    number = number_of(prf)
    contexts, tokens = _windows(contexts, tokens)
    keys = np.ascontiguousarray(keys, np.uint64)
    pieces = [slice(i, i + _WINDOWS) for i in range(0, len(tokens), _WINDOWS)]
    many = max(1, _TASK // max(1, min(len(tokens), _WINDOWS)))
    groups = [slice(i, i + many) for i in range(0, len(keys), many)]
    parts = np.zeros((len(pieces), len(keys)), dtype)

    def run(task: tuple[int, slice, slice]) -> None:
        place, piece, group = task
        kernel(number, keys[group], contexts[piece], tokens[piece], parts[place, group])

    tasks = [(i, piece, group) for i, piece in enumerate(pieces) for group in groups]
    over_all_cores(run, tasks)
    return parts.sum(axis=0)


def _windows(contexts: Int64s, tokens: Int64s) -> tuple[Int64s, Int64s]:
    contexts = np.ascontiguousarray(contexts, np.int64)
    tokens = np.ascontiguousarray(tokens, np.int64)
    if contexts.ndim != 2 or tokens.shape != contexts.shape[:1] or contexts.shape[1] < 1:
        raise ValueError(
            f"contexts are [n, context] and tokens [n], not {contexts.shape} and {tokens.shape}"
        )
    return contexts, tokens
