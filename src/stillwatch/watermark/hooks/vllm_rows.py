"""The rows of vLLM's persistent batch, by what its batch updates say; nothing of vLLM is imported.

A request keeps its row until the batch is condensed: then it moves to a free one, or two swap. A
hook that loses track puts one customer's key on another's answer.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from stillwatch.watermark.hooks.label import ARGUMENT, Label
from stillwatch.watermark.hooks.lookup import Marks
from stillwatch.watermark.hooks.sampling import Sampling
from stillwatch.watermark.hooks.sequence import MarkedSequence

__all__ = ["BatchRows", "Direction", "Params", "Update", "label_of", "sampling_of"]

_log = logging.getLogger(__name__)


class Params(Protocol):
    """Of vLLM's ``SamplingParams``, what a hook reads."""

    temperature: float
    top_k: int
    top_p: float
    min_p: float
    presence_penalty: float
    frequency_penalty: float
    repetition_penalty: float
    extra_args: dict[str, Any] | None


class Direction(Protocol):
    """vLLM's ``MoveDirectionality``: ``UNIDIRECTIONAL`` or ``SWAP``."""

    @property
    def name(self) -> str: ...


class Update(Protocol):
    """vLLM's ``BatchUpdate``: rows that were freed; (row, params, prompt, output) of new requests,
    their output a list that grows; (from, to, direction) of moves."""

    @property
    def removed(self) -> Sequence[int]: ...
    @property
    def added(self) -> Sequence[tuple[int, Any, list[int] | None, list[int]]]: ...
    @property
    def moved(self) -> Sequence[tuple[int, int, Any]]: ...


class BatchRows(Mapping[int, MarkedSequence]):
    """The sequences of a batch by row; rows that no mark was asked for are not in it.

    `unmarked` counts requests that a mark was asked for and that go without, by reason; `rng` is
    for schemes that also draw.

    Args:
        marks: to look labels up in.
        penalised: whether the engine has applied penalties before hooks are called.
    """

    def __init__(self, marks: Marks, *, penalised: bool = False) -> None:
        self._marks, self._penalised = marks, penalised
        self._rows: dict[int, MarkedSequence] = {}
        self.unmarked: Counter[str] = Counter()
        self.rng = marks.draws()

    def __getitem__(self, row: int) -> MarkedSequence:
        return self._rows[row]

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def update(self, update: Update | None) -> None:
        """Follow one batch update, in the order that vLLM demands: removed, added, moved."""
        if update is None:
            return
        for row in update.removed:
            self._rows.pop(row, None)
        for row, params, prompt, output in update.added:
            self.put(row, params, prompt, output)
        for start, end, direction in update.moved:
            coming, going = self._rows.pop(start, None), self._rows.pop(end, None)
            if coming is not None:
                self._rows[end] = coming
            if going is not None and direction.name == "SWAP":
                self._rows[start] = going

    def put(
        self, row: int, params: Params, prompt: list[int] | None, output: list[int]
    ) -> MarkedSequence | None:
        """A new request in this row, whatever was there before; ``None`` if it goes unmarked."""
        self._rows.pop(row, None)
        label = label_of(params)
        if label is None:
            return None
        sampling = sampling_of(params)
        if self._penalised:
            sampling = replace(sampling, presence=0.0, frequency=0.0, repetition=1.0)
        sequence = MarkedSequence(
            self._marks.of(label), output, sampling=sampling, prompt=prompt or ()
        )
        if sequence.unmarked is not None:
            self.unmarked[sequence.unmarked] += 1
            if self.unmarked[sequence.unmarked] == 1:
                _log.warning("requests go unmarked: %s (said once)", sequence.unmarked)
            return None
        self._rows[row] = sequence
        return sequence


def label_of(params: Params) -> Label | None:
    """What the gateway put into ``vllm_xargs``; ``None`` where it asked for no mark.

    Raises:
        ValueError: it is there, and cannot be read.
    """
    told = (params.extra_args or {}).get(ARGUMENT)
    if told is None:
        return None
    label = Label.read(told) if isinstance(told, str) else None
    if label is None:
        raise ValueError(f"{ARGUMENT} is NAME;STRENGTH;CLUSTER, set by the gateway")
    return label


def sampling_of(params: Params) -> Sampling:
    """How the request wants its tokens sampled."""
    return Sampling(
        temperature=params.temperature,
        top_k=max(0, params.top_k),
        top_p=params.top_p,
        min_p=params.min_p,
        presence=params.presence_penalty,
        frequency=params.frequency_penalty,
        repetition=params.repetition_penalty,
    )
