"""The keyed functions that a mark may use, by name, and what they say of many windows at once.

``philox4x32-10-v1``, the default, is that of vLLM's sampler, bit for bit. ``premix-v1`` is our own,
five times as fast for many keys: see :mod:`stillwatch.watermark.premix` for what it is not.
``murmur3-32-sglang-v1`` is that of SGLang's sampler, and no cryptographic function: see
:mod:`stillwatch.watermark.murmur`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from stillwatch.watermark.bits import bits_kernel
from stillwatch.watermark.cores import over_all_cores
from stillwatch.watermark.mark import Floats, Int64s, UInt64s
from stillwatch.watermark.words import MURMUR, PHILOX, PREMIX, word_kernels

__all__ = [
    "DEFAULT", "NAMES", "SGLANG", "gumbel_scores", "gumbel_totals", "hits", "number_of",
    "uniforms", "weighed_bits", "words",
]  # fmt: skip

DEFAULT: Final = "philox4x32-10-v1"
SGLANG: Final = "murmur3-32-sglang-v1"
NAMES: Final = {DEFAULT: PHILOX, "premix-v1": PREMIX, SGLANG: MURMUR}

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


def uniforms(prf: str, key: int, contexts: Int64s, tokens: Int64s) -> Floats:
    """The uniform number of each token after its context, float64 in (0, 1).

    As vLLM rounds it, to 24 bits and then to float32; with SGLang's function, of 32 bits.
    """
    drawn = words(prf, key, contexts, tokens)
    if number_of(prf) == MURMUR:
        return (drawn + 0.5) / 2**32
    high = (drawn >> np.uint32(8)).astype(np.float64)
    return ((high + 1) / (2**24 + 1)).astype(np.float32).astype(np.float64)


def gumbel_scores(prf: str, key: int, contexts: Int64s, tokens: Int64s) -> Floats:
    """-ln(1 - u) of each token after its context, float64 [n]."""
    out: Floats = -np.log1p(-uniforms(prf, key, contexts, tokens))
    return out


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


def weighed_bits(
    prf: str, keys: UInt64s, contexts: Int64s, tokens: Int64s, weights: Sequence[int]
) -> Int64s:
    """Σ of `weights` where the bit is 1, the lowest bit first, over all windows, int64 [keys]."""
    counted = np.array(weights, np.int64)

    def ones(number: int, *arrays: Any) -> None:
        bits_kernel()(number, *arrays[:-1], counted, arrays[-1])

    out: Int64s = _over_tasks(ones, np.int64, prf, keys, contexts, tokens)
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
