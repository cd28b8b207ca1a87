"""A transformer as an open suspect, and what it says after each single token, gathered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from stillwatch.lab.students.transformer import Transformer
from stillwatch.watermark.mark import Int64s

__all__ = ["Sums", "TransformerSuspect", "sums_of"]

_BATCH: Final = 64


class TransformerSuspect:
    """A model behind :class:`stillwatch.provenance.radioactivity.OpenSuspect`."""

    def __init__(self, model: Transformer) -> None:
        self.model = model.eval()

    @property
    def vocabulary(self) -> int:
        size: int = self.model.shape.vocabulary
        return size

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[npt.NDArray[np.float32]]:
        """For each text, float32 [length, vocabulary]; row j follows ``texts[i][: j + 1]``.

        Texts of one length are read side by side.

        Raises:
            ValueError: a text longer than the model has places for.
        """
        start = 0
        while start < len(texts):
            end = start + 1
            while end < min(start + _BATCH, len(texts)) and len(texts[end]) == len(texts[start]):
                end += 1
            yield from _said(self.model, np.stack(texts[start:end])).numpy()
            start = end


class Sums(NamedTuple):
    """What a model says after each token, over its first places in many texts.

    Attributes:
        sums: float32 [vocabulary, vocabulary], probabilities of what follows, by the last token.
        counts: float32 [vocabulary], places of that token.
    """

    sums: npt.NDArray[np.float32]
    counts: npt.NDArray[np.float32]

    @property
    def means(self) -> npt.NDArray[np.float64]:
        """The mean distribution after each token, float64 [vocabulary, vocabulary]; 0 if never."""
        out: npt.NDArray[np.float64] = self.sums / np.maximum(self.counts, 1).astype(float)[:, None]
        return out


def sums_of(model: Transformer, texts: Int64s) -> Sums:
    """Probabilities after each token, at its first place in each of `texts` int64 [texts, length].

    What a text shows earlier, a model may copy from there: later places would be no evidence of
    what it was trained on.
    """
    size = model.shape.vocabulary
    sums, counts = torch.zeros(size, size), torch.zeros(size)
    for start in range(0, len(texts), _BATCH):
        some = texts[start : start + _BATCH]
        first = torch.from_numpy(_first_places(some))
        last = torch.from_numpy(some.ravel())[first]
        sums.index_add_(0, last, _said(model, some).view(-1, size)[first])
        counts += torch.bincount(last, minlength=size)
    return Sums(sums.numpy(), counts.numpy())


def _first_places(rows: Int64s) -> npt.NDArray[Any]:
    """The places, in all rows one after another, of tokens that their row did not have before."""
    where = np.arange(len(rows))[:, None] * (int(rows.max(initial=0)) + 1) + rows
    return np.sort(np.unique(where, return_index=True)[1])


@torch.inference_mode()
def _said(model: Transformer, rows: Int64s) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        said = model(torch.from_numpy(rows))
    return torch.softmax(said.float(), -1)
