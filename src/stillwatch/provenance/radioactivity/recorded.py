"""Evidence that somebody recorded with a script of their own: probabilities, or transcripts.

The formats are on docs/radioactivity.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import BadZipFile

import msgspec
import numpy as np
import numpy.typing as npt

from stillwatch.errors import InputError
from stillwatch.provenance.radioactivity.suspects import Best
from stillwatch.provenance.text_sets import Int64s, TextSet

__all__ = ["RecordedSuspect", "read_texts"]


class _Text(msgspec.Struct):
    tokens: list[int]
    prompt: int = 0


class RecordedSuspect:
    """The best tokens of a suspect, or of its reference, from a folder of ``.npz`` shards.

    Args:
        folder: shards are read in the order of their names.
        who: ``suspect`` or ``reference``: which arrays are read.
        vocabulary: tokens of the model that was marked.

    Raises:
        InputError: no folder, or no shard in it.
    """

    def __init__(self, folder: Path, who: str, vocabulary: int) -> None:
        self._shards = sorted(folder.glob("*.npz"))
        if not self._shards:
            raise InputError("holds no shard (*.npz) of recorded probabilities", path=folder)
        self._folder, self._who, self._vocabulary = folder, who, vocabulary

    @property
    def vocabulary(self) -> int:
        return self._vocabulary

    def best(self, texts: Sequence[Int64s]) -> Iterator[Best]:
        """What was recorded of each text.

        Raises:
            InputError: a shard that cannot be read, or that is about other texts.
        """
        recorded = self._recorded()
        for number, text in enumerate(texts, 1):
            found = next(recorded, None)
            if found is None:
                raise InputError(
                    f"{number - 1} texts are recorded of {len(texts)}", path=self._folder
                )
            path, tokens, best = found
            if not np.array_equal(tokens, text):
                raise InputError(f"text {number} is not the one that was registered", path=path)
            yield best
        if next(recorded, None) is not None:
            raise InputError(f"more than the {len(texts)} registered texts", path=self._folder)

    def _recorded(self) -> Iterator[tuple[Path, Int64s, Best]]:
        for path in self._shards:
            try:
                with np.load(path, allow_pickle=False) as shard:
                    lengths, tokens = shard["lengths"], shard["tokens"]
                    best = shard[f"{self._who}_tokens"]
                    said = shard[f"{self._who}_probabilities"]
            except KeyError as error:
                raise InputError(f"has no array {error}", path=path) from error
            except (OSError, ValueError, BadZipFile) as error:
                raise InputError(f"cannot be read: {error}", path=path) from error
            _check(path, lengths, tokens, best, said)
            start = 0
            for length in lengths.tolist():
                part = slice(start, start + length)
                start += length
                yield (
                    path, tokens[part].astype(np.int64),
                    Best(best[part].astype(np.int64), said[part].astype(np.float32)),
                )  # fmt: skip


def _check(
    path: Path,
    lengths: npt.NDArray[np.generic],
    tokens: npt.NDArray[np.generic],
    best: npt.NDArray[np.generic],
    said: npt.NDArray[np.generic],
) -> None:
    whole = all(a.dtype.kind in "iu" for a in (lengths, tokens, best)) and said.dtype.kind == "f"
    flat = lengths.ndim == tokens.ndim == 1 and best.ndim == 2 and best.shape == said.shape
    if not whole or not flat or len(best) != len(tokens):
        raise InputError(
            "lengths and tokens are integers [n], best tokens integers and their probabilities "
            "floats, both [tokens, best]",
            path=path,
        )
    if (lengths < 0).any() or lengths.sum() != len(tokens):  # type: ignore[operator]
        raise InputError("the lengths of its texts do not add up to its tokens", path=path)


def read_texts(path: Path, *, served_to: Sequence[str] = ()) -> TextSet:
    """The set of texts of a JSON lines file, named after it.

    A line is an array of token ids, or ``{"tokens": […], "prompt": n}``.

    Raises:
        InputError: it cannot be read, holds no text, or has a line that is none.
    """
    texts: list[list[int]] = []
    prompts: list[int] = []
    for number, line in _lines(path):
        try:
            if line.lstrip()[:1] == b"[":
                found = _Text(msgspec.json.decode(line, type=list[int]))
            else:
                found = msgspec.json.decode(line, type=_Text)
            if not 0 <= found.prompt <= len(found.tokens):
                raise InputError("a prompt is a part of its text", path=path, line=number)
            np.array(found.tokens, np.int64)
        except (msgspec.DecodeError, OverflowError) as error:
            raise InputError(
                f'must be an array of token ids, or {{"tokens": […]}}: {error}', path=path,
                line=number,
            ) from error  # fmt: skip
        texts.append(found.tokens)
        prompts.append(found.prompt)
    if not texts:
        raise InputError("holds no text", path=path)
    arrays = [np.array(text, np.int64) for text in texts]
    return TextSet.of(path.stem, arrays, prompts=prompts, served_to=served_to)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
