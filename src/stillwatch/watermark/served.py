"""What was really served under a key: a count sketch of contexts, in place of the text.

A test of a closed suspect asks about contexts that the suspect can have learnt something after;
all others are noise. This keeps which contexts a cluster was served, as keyed hashes in a count-min
sketch (Cormode and Muthukrishnan, 2005): of bounded size, mergeable, without text. Without the key
it cannot be asked for a context.

It knows contexts alone, and never which token followed. The key chose that token, so that a test
on served (context, token) pairs would find the key in any text. For the same reason a test takes
whether a context was served at all (:meth:`ServedSketch.contains`), not how often: a context comes
again the more easily the better its own scores led back to it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from numba import njit, types, uint32, uint64

from stillwatch.errors import InputError, OutputError
from stillwatch.watermark.compiled import ENTRY, digest_of, given, inlined, result
from stillwatch.watermark.keys import LEAST_SALT, MarkKey
from stillwatch.watermark.mark import Bools, Int64s
from stillwatch.watermark.philox import CONTEXT_DOMAIN, MASK, philox_absorb
from stillwatch.watermark.windows import contexts_of, counted

__all__ = ["SCHEME", "ServedSketch"]

#: the scheme that keys of sketches are derived for: ``ring.key(cluster, SCHEME)``
SCHEME: Final = "served-contexts"

_FORMAT = "stillwatch.served/1"
_MOST_CELLS, _MOST_ROWS, _HEADER = 1 << 28, 8, 1 << 12
_32, _1 = np.uint64(32), np.uint64(1)

Counts = npt.NDArray[np.uint32]


class _Header(msgspec.Struct):
    format: str
    context: int
    cells: int
    rows: int
    texts: int
    salt: str
    commitment: str
    sha256: str


class ServedSketch:
    """The contexts that were served to one cluster.

    Args:
        key: of :meth:`.keys.KeyRing.key` for the scheme :data:`SCHEME`; not that of the mark.
        context: tokens of a context, as the mark has it.
        cells: counters of a row, a power of two. Of n contexts in 4 rows, 2 n cells make wrong
            yeses rarer than 1 in 40, 8 n rarer than 1 in 5,000; each has 4 bytes a row.
        rows: hashes of each context.

    Raises:
        ValueError: sizes that cannot be.
    """

    __slots__ = ("_counts", "_key", "context", "texts")

    def __init__(
        self, key: MarkKey, context: int = 1, *, cells: int = 1 << 20, rows: int = 4
    ) -> None:
        if context < 1:
            raise ValueError("a context has at least one token")
        if not (1 < cells <= _MOST_CELLS and cells & (cells - 1) == 0 and 1 <= rows <= _MOST_ROWS):
            raise ValueError(
                f"a sketch has a power of two of cells, at most {_MOST_CELLS}, and 1 to "
                f"{_MOST_ROWS} rows"
            )
        self._key, self.context, self.texts = key, context, 0
        self._counts: Counts = np.zeros((rows, cells), np.uint32)

    def add(self, tokens: Int64s, *, prompt: int = 0) -> None:
        """Note the contexts of a text that was served, each once.

        Args:
            tokens: int64 [length], the prompt and the answer.
            prompt: how many of the first tokens were not served. Contexts that reach before the
                first token are not noted.

        Raises:
            ValueError: a prompt that is longer than the text.
        """
        if not 0 <= prompt <= len(tokens):
            raise ValueError("a prompt is a part of its text")
        self.texts += 1
        places = counted(tokens, self.context, once="never", prefix=False)
        contexts = contexts_of(tokens, self.context, places[places >= prompt])
        if len(contexts):
            contexts = np.unique(contexts, axis=0)
        _kernels().add(np.uint64(self._key.value), contexts, self._counts)

    def counts(self, contexts: Int64s) -> Int64s:
        """In how many texts each context, int64 [n, context], was served: that, or more."""
        contexts = np.ascontiguousarray(contexts, np.int64)
        if contexts.ndim != 2 or contexts.shape[1] != self.context:
            raise ValueError(f"contexts are [n, {self.context}], not {list(contexts.shape)}")
        out = np.empty(len(contexts), np.uint32)
        _kernels().look(np.uint64(self._key.value), contexts, self._counts, out)
        return out.astype(np.int64)

    def contains(self, contexts: Int64s) -> Bools:
        """Which contexts were served: never a wrong no, and a wrong yes as rarely as
        :attr:`false_positives` says.
        """
        found: Bools = self.counts(contexts) > 0
        return found

    @property
    def false_positives(self) -> float:
        """The share of contexts never served that :meth:`contains` says yes to, as it is filled."""
        full = np.count_nonzero(self._counts, axis=1) / self._counts.shape[1]
        return float(full.prod())

    def merge(self, other: ServedSketch) -> None:
        """Take in what another sketch of the same key and sizes has noted.

        Raises:
            ValueError: of another key, context or size.
        """
        same = self._key.value == other._key.value and self.context == other.context
        if not same or self._counts.shape != other._counts.shape:
            raise ValueError("sketches of one key, context and size can be merged")
        both = self._counts.astype(np.uint64) + other._counts
        self._counts[:] = np.minimum(both, np.uint64(MASK))
        self.texts += other.texts

    def digest(self) -> str:
        """SHA-256 of what is kept, 64 hexadecimal digits, for a registration."""
        digest = hashlib.sha256(f"{_FORMAT} {self.context} {self._counts.shape}".encode())
        digest.update(self._counts.astype("<u4").tobytes())
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """Write it to `path`, whole or not at all; a file that is there is replaced.

        Raises:
            OutputError: it cannot be written.
        """
        salt = secrets.token_bytes(LEAST_SALT)
        rows, cells = self._counts.shape
        header = _Header(
            _FORMAT, self.context, cells, rows, self.texts, salt.hex(),
            self._key.commitment(salt), self.digest(),
        )  # fmt: skip
        aside = path.with_name(path.name + ".part")
        try:
            with aside.open("wb") as file:
                file.write(msgspec.json.encode(header) + b"\n")
                file.write(self._counts.astype("<u4").tobytes())
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", path=path) from error

    @classmethod
    def read(cls, path: Path, key: MarkKey) -> ServedSketch:
        """Read what :meth:`write` left.

        Raises:
            InputError: it cannot be read, is damaged, or is of another key.
        """
        try:
            with path.open("rb") as file:
                header = msgspec.json.decode(file.readline(_HEADER), type=_Header)
                if header.format != _FORMAT:
                    raise InputError(f"is not of the format {_FORMAT}", path=path)
                sketch = cls(key, header.context, cells=header.cells, rows=header.rows)
                size = sketch._counts.nbytes
                content = file.read(size + 1)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path=path) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise InputError(f"is no sketch of what was served: {error}", path=path) from error
        if len(content) != size:
            raise InputError("is cut short, or longer than it says", path=path)
        sketch._counts[:] = np.frombuffer(content, "<u4").reshape(sketch._counts.shape)
        sketch.texts = header.texts
        if sketch.digest() != header.sha256:
            raise InputError("is damaged: its checksum is another", path=path)
        try:
            committed = key.commitment(bytes.fromhex(header.salt))
        except ValueError as error:
            raise InputError(f"is no sketch of what was served: {error}", path=path) from error
        if committed != header.commitment:
            raise InputError("is of another key, cluster or epoch", path=path)
        return sketch


class _Kernels(NamedTuple):
    """The compiled entry points; each releases the interpreter's lock while it runs."""

    add: Callable[..., None]
    look: Callable[..., None]


@cache
def _kernels() -> _Kernels:
    sources = digest_of("philox", "served")
    return _Kernels(_add(sources), _look(sources))


@inlined
def _hashed(key: Any, contexts: Any, n: Any, block: Any) -> Any:
    """Two numbers of a context; `block` is scratch. The second is odd: a step through all cells."""
    width = contexts.shape[1]
    for i in range(block.shape[0]):
        block[i] = MASK - uint64(i % 4)
    for i in range(width):
        block[i] = uint64(contexts[n, i]) & MASK
    s0, s1, s2, s3 = CONTEXT_DOMAIN, uint64(width), uint64(0), uint64(0)
    for offset in range(0, block.shape[0], 4):
        s0, s1, s2, s3 = philox_absorb(
            s0, s1, s2, s3, block[offset], block[offset + 1], block[offset + 2],
            block[offset + 3], offset, key,
        )  # fmt: skip
    return (s0 << _32) | s1, (s2 << _32) | s3 | _1


_CONTEXTS = given(types.int64, 2)


def _add(sources: int) -> Any:
    @njit(types.void(types.uint64, _CONTEXTS, result(types.uint32, 2)), **ENTRY)
    def add(key, contexts, counts):  # type: ignore[no-untyped-def]
        """One more of each context; counters stay at their largest number."""
        if sources < 0:
            return
        rows, cells = counts.shape
        block = np.full((contexts.shape[1] + 3) // 4 * 4, np.uint64(0))
        for n in range(contexts.shape[0]):
            first, step = _hashed(key, contexts, n, block)
            for r in range(rows):
                at = (first + uint64(r) * step) >> uint64(20) & uint64(cells - 1)
                if counts[r, at] < MASK:
                    counts[r, at] += uint32(1)

    return add


def _look(sources: int) -> Any:
    @njit(
        types.void(types.uint64, _CONTEXTS, given(types.uint32, 2), result(types.uint32)), **ENTRY
    )
    def look(key, contexts, counts, out):  # type: ignore[no-untyped-def]
        """The least of the counters of each context."""
        if sources < 0:
            return
        rows, cells = counts.shape
        block = np.full((contexts.shape[1] + 3) // 4 * 4, np.uint64(0))
        for n in range(contexts.shape[0]):
            first, step = _hashed(key, contexts, n, block)
            least = uint32(MASK)
            for r in range(rows):
                at = (first + uint64(r) * step) >> uint64(20) & uint64(cells - 1)
                least = min(least, counts[r, at])
            out[n] = least

    return look
