"""Hugging Face ``generate``: a processor that comes last and forces the token. Imports both.

``model.generate(…, do_sample=True, watermarking_config=MarkingConfig([found], greedy=False))``:
processors of ``watermarking_config`` are the only ones that transformers applies after temperature,
top k and top p. :class:`MarkProcessor` alone is for those who make the list of processors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessor
from transformers.generation.configuration_utils import BaseWatermarkingConfig

from stillwatch.watermark.hooks.forcing import force
from stillwatch.watermark.hooks.lookup import Found
from stillwatch.watermark.hooks.sampling import Sampling
from stillwatch.watermark.hooks.sequence import MarkedSequence

__all__ = ["MarkProcessor", "MarkingConfig"]

_GREEDY = Sampling(temperature=0.0)
_WARPED = Sampling()


class MarkProcessor(LogitsProcessor):
    """Marks each row of one call of ``generate`` under its own key; for one call only.

    Args:
        found: for each row, or for each prompt where ``num_return_sequences`` makes rows of it.
        greedy: whether tokens are not sampled (``do_sample=False``), for all rows or for each:
            such rows are left as they are.
        prompt: tokens of the prompts, padding included; ``None``: everything that the first call
            sees. Say it where generation goes on from tokens that were generated before.

    Raises:
        ValueError: not one `greedy` for each of `found`; when called, rows that are no multiple of
            `found`, or that are fewer tokens than before: beams are not followed.
    """

    def __init__(
        self, found: Sequence[Found], *, greedy: bool | Sequence[bool], prompt: int | None = None
    ) -> None:
        cold = [greedy] * len(found) if isinstance(greedy, bool) else list(greedy)
        if len(cold) != len(found) or not found:
            raise ValueError("there is one word about greedy decoding for each row, or one for all")
        self._rows = list(zip(found, cold, strict=True))
        self._prompt = prompt
        self._sequences: dict[int, MarkedSequence] = {}
        self._rng = np.random.default_rng()

    @property
    def unmarked(self) -> list[str | None]:
        """Why each row goes unmarked, ``None`` where the mark is put on; ``greedy``, for one."""
        return [
            MarkedSequence(found, (), sampling=_GREEDY if cold else _WARPED).unmarked
            for found, cold in self._rows
        ]

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.Tensor:
        """`input_ids` [rows, tokens so far], `scores` [rows, vocabulary]; the scores to sample."""
        batch, length = input_ids.shape
        if not self._sequences:
            self._begin(batch, length)
        if len(self._sequences) != batch or length < self._prompt_length:
            raise ValueError("the rows are not those of the call before; a processor is for one")
        for row, tokens in enumerate(input_ids[:, self._prompt_length :].tolist()):
            self._sequences[row].output = tokens
        return force(self._sequences, scores.clone(), self._rng)

    def _begin(self, batch: int, length: int) -> None:
        each, rest = divmod(batch, len(self._rows))
        if rest:
            raise ValueError(f"{batch} rows are no multiple of {len(self._rows)} marks")
        self._prompt_length = length if self._prompt is None else self._prompt
        for row in range(batch):
            found, cold = self._rows[row // each]
            self._sequences[row] = MarkedSequence(found, (), sampling=_GREEDY if cold else _WARPED)


class MarkingConfig(BaseWatermarkingConfig):
    """Makes a :class:`MarkProcessor`, with the same arguments, for each call of ``generate``.

    `processor` is the one of the last call. Keys are in no dictionary or JSON of it.
    """

    def __init__(
        self, found: Sequence[Found], *, greedy: bool | Sequence[bool], prompt: int | None = None
    ) -> None:
        self._found, self._greedy, self._prompt_tokens = tuple(found), greedy, prompt
        self.processor = MarkProcessor(found, greedy=greedy, prompt=prompt)

    def validate(self) -> None:
        """Nothing is left to check."""

    def construct_processor(self, vocab_size: int, device: Any) -> MarkProcessor:
        """What transformers asks for."""
        self.processor = MarkProcessor(self._found, greedy=self._greedy, prompt=self._prompt_tokens)
        return self.processor

    def to_dict(self) -> dict[str, Any]:
        """For logs and for files: that there is one, and nothing about its keys."""
        return {"stillwatch": len(self._found)}

    def to_json_string(self) -> str:
        """As :meth:`to_dict`; it is also what is shown of it."""
        return json.dumps(self.to_dict())

    def __deepcopy__(self, memo: Any) -> MarkingConfig:
        return self  # transformers copies its settings; `processor` must stay in reach

    def __iter__(self) -> Any:
        return iter(self.to_dict().items())
