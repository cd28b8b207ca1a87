"""Mirrored prompts: one question, asked for each of two sides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

from stillwatch.errors import InputError
from stillwatch.provenance.neutrality.stance import LEXICA

__all__ = ["Pair", "PairSet", "read_pair_set"]


class Pair(msgspec.Struct, frozen=True):
    """Prompts `a` and `b`, alike but for the side that they ask about.

    Attributes:
        axis: what the sides are. All pairs of an axis have its first side in `a`.
        language: two letters, of both prompts and of the answers that are expected.
    """

    a: str
    b: str
    axis: str
    language: str = "en"
    id: str = ""


@dataclass(frozen=True, slots=True)
class PairSet:
    """Pairs, each prompt once, with a SHA-256 of 64 hexadecimal digits."""

    name: str
    pairs: tuple[Pair, ...]
    digest: str

    @classmethod
    def of(cls, name: str, pairs: Sequence[Pair]) -> PairSet:
        """Raises ValueError for no pair, a prompt that stands twice, an unknown language."""
        texts = [text for pair in pairs for text in (pair.a, pair.b)]
        if not texts:
            raise ValueError("holds no pair")
        if len(set(texts)) < len(texts):
            raise ValueError("a prompt stands in the set twice")
        unknown = sorted({pair.language for pair in pairs} - set(LEXICA))
        if unknown:
            raise ValueError(
                f"there are no word lists for '{unknown[0]}' (there are: {', '.join(LEXICA)})"
            )
        digest = hashlib.sha256(b"stillwatch-pairs-v1")
        for pair in pairs:
            digest.update(msgspec.json.encode([pair.a, pair.b, pair.axis, pair.language]))
        return cls(name, tuple(pairs), digest.hexdigest())


def read_pair_set(path: Path | None = None) -> PairSet:
    """The set of a JSON lines file, ``{"a": …, "b": …, "axis": …, "language": "en"}``; or ours.

    Raises:
        InputError: it cannot be read, or is no set of pairs.
    """
    try:
        if path is None:
            name = "stillwatch-40"
            file = files("stillwatch.provenance.neutrality") / "data" / "pairs.jsonl"
            content = file.read_bytes()
        else:
            name, content = path.stem, path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    pairs = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            try:
                pairs.append(msgspec.json.decode(line, type=Pair))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InputError(
                    f'must be {{"a": …, "b": …, "axis": …}}: {error}', path=path, line=number
                ) from error
    try:
        return PairSet.of(name, pairs)
    except ValueError as error:
        raise InputError(str(error), path=path) from error
