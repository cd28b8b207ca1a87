"""An engine that batches as vLLM 0.33 does, without a model: rows that are freed, filled, moved.

New requests take the lowest row that was freed in this step, or the end; what is still empty is
filled from the end; any two rows may swap. Under asynchronous scheduling the token of the step
before is -1 in a request's output until the logits are there. After a request was preempted it
comes back with the output it had; a prompt that is computed in pieces yields rows whose token is
thrown away. Logits and the engine's own draws depend on request and position alone, so that a text
does not depend on who shares the batch, unless keys mix.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stillwatch.watermark.hooks.choosing import choose_tokens, places_of
from stillwatch.watermark.hooks.vllm_rows import BatchRows

VOCABULARY = 40


class Move(Enum):
    UNIDIRECTIONAL = auto()
    SWAP = auto()


class Update(NamedTuple):
    removed: list[int]
    added: list[tuple[int, Any, list[int] | None, list[int]]]
    moved: list[tuple[int, int, Move]]


@dataclass(eq=False)
class Request:
    """`pieces` of the prompt are computed before its first token counts."""

    number: int
    label: str | None
    length: int
    pieces: int = 0
    sampling: dict[str, float] = field(default_factory=dict)
    output: list[int] = field(default_factory=list)

    @property
    def params(self) -> Any:
        usual = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0,
                 "presence_penalty": 0.0, "frequency_penalty": 0.0, "repetition_penalty": 1.0,
                 "extra_args": self.label and {"stillwatch_mark": self.label}}  # fmt: skip
        return SimpleNamespace(**{**usual, **self.sampling})

    def logits(self, at: int) -> npt.NDArray[np.float32]:
        drawn = np.random.default_rng([self.number, at]).normal(0, 1.5, VOCABULARY)
        return drawn.astype(np.float32)

    def own_token(self, at: int) -> int:
        """What the engine samples where it is left alone."""
        if self.params.temperature == 0:
            return int(self.logits(at).argmax())
        noise = np.random.default_rng([self.number, at, 1]).gumbel(size=VOCABULARY)
        return int((self.logits(at) / self.params.temperature + noise).argmax())


class Engine:
    """Steps a batch of requests through the hook `rows`."""

    def __init__(self, rows: BatchRows, *, asynchronous: bool = False) -> None:
        self.rows, self.asynchronous = rows, asynchronous
        self.batch: list[Request] = []
        self.under_way: dict[int, int] = {}  # of a request, the token that its -1 stands for

    def step(
        self,
        *,
        leaving: set[int],
        coming: list[Request],
        swaps: list[tuple[int, int]] = [],  # noqa: B006
    ) -> None:
        """Change the batch, tell the hook, and sample one token for each request. `leaving` are
        rows; those who leave have their tokens by then."""
        rows: list[Request | None] = list(self.batch)
        for row in leaving:
            self._arrived(self.batch[row])
            rows[row] = None
        free = sorted(leaving, reverse=True)
        update = Update(free, [], [])
        for request in coming:
            row = free.pop() if free else len(rows)
            rows[row : row + 1] = [request]
            update.added.append((row, request.params, [1, 2, 3], request.output))
        while free:
            last = max((i for i, each in enumerate(rows) if each is not None), default=-1)
            if free[-1] >= last:
                break
            empty = free.pop()
            rows[empty], rows[last] = rows[last], None
            update.moved.append((last, empty, Move.UNIDIRECTIONAL))
        self.batch = [each for each in rows if each is not None]
        for a, b in swaps:
            if a != b and max(a, b) < len(self.batch):
                self.batch[a], self.batch[b] = self.batch[b], self.batch[a]
                update.moved.append((a, b, Move.SWAP))
        self.rows.update(update if any(update) else None)
        self._sample()

    def _sample(self) -> None:
        for request in self.batch:  # as vLLM does right before the logits processors
            self._arrived(request)
        if not self.batch:
            return
        logits = np.stack([each.logits(len(each.output)) for each in self.batch])
        places = places_of(self.rows, len(self.batch))
        forced = np.full(len(self.batch), -1)
        if places:
            rng = np.random.default_rng(0)
            forced[list(places)] = choose_tokens(places, self.rows, logits[list(places)], rng)
        for request, token in zip(self.batch, forced.tolist(), strict=True):
            if request.pieces:
                request.pieces -= 1
                continue
            token = request.own_token(len(request.output)) if token < 0 else token
            if self.asynchronous:
                self.under_way[request.number] = token
                token = -1
            request.output.append(token)

    def _arrived(self, request: Request) -> None:
        if request.number in self.under_way:
            request.output[-1] = self.under_way.pop(request.number)


def alone(rows: BatchRows, request: Request) -> list[int]:
    """The text of a request that has the engine for itself, in plain steps."""
    engine = Engine(rows)
    engine.step(leaving=set(), coming=[request])
    while len(request.output) < request.length:
        engine.step(leaving=set(), coming=[])
    return request.output
