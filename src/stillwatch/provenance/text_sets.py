"""Texts that a suspect is shown, with a digest, and which keys took part in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Int64s", "TextSet"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TextSet:
    """A set of tokenised texts.

    Attributes:
        name: what a result calls it.
        texts: int64 [length] each.
        prompts: of each text, how many of its first tokens were written before any of the keys took
            part. A later turn of a conversation is not among them: it followed a marked answer.
        served_to: the clusters (and :data:`stillwatch.watermark.GLOBAL`) whose keys the texts may
            carry. To all other keys the texts are fresh. A key that is left out by mistake makes
            its p-value wrong; one that is named for nothing only costs power.

    The texts and their order must not have been chosen by how they score under any key.
    """

    name: str
    texts: tuple[Int64s, ...]
    prompts: tuple[int, ...]
    served_to: frozenset[str]

    @classmethod
    def of(
        cls,
        name: str,
        texts: Iterable[Sequence[int] | Int64s],
        *,
        prompts: Sequence[int] | None = None,
        served_to: Iterable[str] = (),
    ) -> TextSet:
        """The set of these texts; without `prompts`, each was wholly served, or wholly fresh.

        Raises:
            ValueError: texts that are no integers [length], prompts that are longer than texts.
        """
        arrays = []
        for text in texts:
            tokens = np.asarray(text)
            if tokens.ndim != 1 or (tokens.size and tokens.dtype.kind not in "iu"):
                raise ValueError(f"texts are integers [length], not {tokens.dtype} {tokens.shape}")
            kept = np.array(tokens, np.int64)
            kept.flags.writeable = False
            arrays.append(kept)
        lengths = tuple(int(n) for n in (prompts if prompts is not None else [0] * len(arrays)))
        if len(lengths) != len(arrays):
            raise ValueError("there is one length of a prompt for each text")
        if any(not 0 <= n <= len(text) for n, text in zip(lengths, arrays, strict=True)):
            raise ValueError("a prompt is a part of its text")
        return cls(name, tuple(arrays), lengths, frozenset(served_to))

    def digest(self) -> str:
        """SHA-256 over texts and lengths of prompts, 64 hexadecimal digits."""
        digest = hashlib.sha256(b"stillwatch-texts-v1")
        digest.update(len(self.texts).to_bytes(8, "big"))
        for text, prompt in zip(self.texts, self.prompts, strict=True):
            digest.update(len(text).to_bytes(8, "big") + prompt.to_bytes(8, "big"))
            digest.update(text.astype("<i8").tobytes())
        return digest.hexdigest()
