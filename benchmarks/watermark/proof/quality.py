"""What marks do to answers: how likely these are to their own model, and how they differ.

An unbiased scheme draws each answer, over keys, as the model does: then the cross-entropy of marked
answers is that of unmarked ones. One key draws alike from like contexts, so that answers to one
prompt differ less: that is what such a scheme costs. A key is one observation here, of many prompts
with several answers each; what follows ± is two standard errors between keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from stillwatch.lab.students.generating import Serving, serve
from stillwatch.lab.students.transformer import Transformer
from stillwatch.watermark import (
    GLOBAL,
    GreenListMark,
    GumbelMark,
    KeyRing,
    LayeredMark,
    Mark,
    TournamentMark,
)
from stillwatch.watermark.mark import Int64s

__all__ = ["HEADS", "Spread", "measured"]

Floats = npt.NDArray[np.float64]
Make = Callable[[KeyRing], Mark | LayeredMark | None]

HEADS: Final = (
    "scheme", "cross-entropy, nats a token", "repeated 4-grams", "distinct pairs, one prompt",
    "distinct pairs, other prompts",
)  # fmt: skip
_ANSWERS: Final = 4
_ROWS: Final = 64


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over keys, and two standard errors of it."""

    mean: float
    error: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        some = np.asarray(values)
        return cls(float(some.mean()), float(2 * some.std(ddof=1) / np.sqrt(len(some))))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.error:.3f}"


def measured(
    model: Transformer, prompts: Int64s, how: Serving, *, keys: int, seed: int
) -> Iterator[tuple[str, ...]]:
    """One row of the table for each scheme, see :data:`HEADS`.

    Args:
        prompts: int64 [prompts, length].
        keys: of each scheme; as many seeds where nothing is marked.
        seed: the first of them.
    """
    for name, make, into_prompt in _schemes():
        found: list[list[float]] = []
        for number in range(seed, seed + keys):
            mark = make(KeyRing(number.to_bytes(32, "big"), epoch="quality"))
            asked = np.repeat(prompts, _ANSWERS, axis=0)
            texts, _ = serve(model, asked, mark, how, seed=number, into_prompt=into_prompt)
            answers = texts[:, prompts.shape[1] :].reshape(len(prompts), _ANSWERS, how.answer)
            found.append([
                _cross_entropy(model, texts[::_ANSWERS], prompts.shape[1], how),
                _repeated(answers[:, 0]),
                float(np.mean([_distinct(some) for some in answers])),
                float(np.mean([_distinct(answers[i :: len(prompts) // _ANSWERS, 0][:_ANSWERS])
                               for i in range(len(prompts) // _ANSWERS)])),
            ])  # fmt: skip
        yield (name, *(str(Spread.of(column)) for column in zip(*found, strict=True)))


def _schemes() -> Iterator[tuple[str, Make, bool]]:
    """What is measured; whether contexts reach into the prompt, where that makes a difference."""
    yield "unmarked", lambda _: None, True
    for context in (1, 2, 4):
        made = partial(_gumbel, context=context)
        yield f"Gumbel-max, h = {context}", made, False
    yield "Gumbel-max, h = 4, into the prompt", partial(_gumbel, context=4), True
    yield "tournament, h = 1", lambda ring: TournamentMark(ring.key("c-1", "tournament")), False
    yield (
        "two layers, h = 4 and 1",
        lambda ring: LayeredMark(GumbelMark(ring.key(GLOBAL), 4), GumbelMark(ring.key("c-1"))),
        False,
    )
    yield (
        "green list, h = 1, δ = 2",
        lambda ring: GreenListMark(ring.key("c-1", "green-list"), delta=2.0),
        False,
    )


def _gumbel(ring: KeyRing, context: int) -> Mark:
    return GumbelMark(ring.key("c-1"), context)


@torch.inference_mode()
def _cross_entropy(model: Transformer, texts: Int64s, prompt: int, how: Serving) -> float:
    """Of the answers under the distributions that the model would draw from, nats a token."""
    total = 0.0
    for start in range(0, len(texts), _ROWS):
        tokens = torch.from_numpy(texts[start : start + _ROWS])
        logits = model(tokens[:, :-1])[:, prompt - 1 :].float() / how.temperature
        top = torch.topk(logits, how.top_k, dim=-1).values
        said = logits.gather(2, tokens[:, prompt:, None])
        total += float((torch.logsumexp(top, 2, keepdim=True) - said).sum())
    return total / (len(texts) * how.answer)


def _repeated(answers: Int64s) -> float:
    """The share of 4-grams that stood earlier in the same answer."""
    shares = []
    for answer in answers:
        grams = np.lib.stride_tricks.sliding_window_view(answer, 4)
        shares.append(1 - len(np.unique(grams, axis=0)) / len(grams))
    return float(np.mean(shares))


def _distinct(answers: Int64s) -> float:
    """The share of pairs of neighbours that are distinct, over these answers together."""
    pairs = np.concatenate([np.column_stack([one[:-1], one[1:]]) for one in answers])
    return len(np.unique(pairs, axis=0)) / len(pairs)
