"""One sequence that an engine generates, and which of its contexts a mark has met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stillwatch.watermark.hooks.lookup import Found
from stillwatch.watermark.hooks.sampling import AS_IT_IS, Sampling
from stillwatch.watermark.layers import LayeredMark
from stillwatch.watermark.mark import Int64s, Mark
from stillwatch.watermark.windows import History

__all__ = ["MarkedSequence", "Place", "followed"]


class Place(NamedTuple):
    """Where a mark is put on: the mark (one layer of a layered one), and its context [context]."""

    mark: Mark
    context: Int64s


class MarkedSequence:
    """What a hook keeps of one sequence.

    Contexts are of generated tokens alone: what follows the prompt directly is sampled freely, so
    that all that is marked can be found without the prompt, and n answers to one prompt part ways.
    A context is marked where it comes first in the sequence, and sampled freely after.

    Args:
        found: what is put on.
        sampling: what the engine applies after the hook, if anything.
        prompt: its tokens, for penalties; may be left out.
        output: the tokens generated so far; the engine's own list, which grows. A token that is not
            known yet is -1.
    """

    __slots__ = ("_at", "_history", "_mark", "_place", "found", "output", "prompt", "sampling")

    def __init__(
        self,
        found: Found,
        output: Sequence[int],
        *,
        sampling: Sampling = AS_IT_IS,
        prompt: Sequence[int] = (),
    ) -> None:
        self.found, self.sampling = found, sampling
        self.prompt, self.output = prompt, output
        self._mark = None if sampling.greedy else found.mark
        self._history, self._at = History(), -1
        self._place: Place | None = None

    @property
    def width(self) -> int:
        """How many of the last tokens decide whether, and how, the next one is marked."""
        return 0 if self._mark is None else self._mark.context

    @property
    def unmarked(self) -> str | None:
        """Why the whole of it goes without the mark; ``None`` if it is put on."""
        if self.found.mark is None:
            return self.found.reason
        return "greedy" if self.sampling.greedy else None

    def place(self) -> Place | None:
        """Where the mark of the next token is; ``None`` where the engine is to sample by itself.

        Asked again for the same token, it says the same: engines compute rows whose token they
        throw away. When tokens were taken back, the history is that of what is left.
        """
        mark, now = self._mark, len(self.output)
        if mark is None:
            return None
        if now < self._at or (now == self._at and self._changed(mark)):
            self._history, self._at, self._place = History(), -1, None
        for at in range(self._at + 1, now + 1):
            self._place = self._met(mark, at)
        self._at = now
        return self._place

    def _changed(self, mark: Mark | LayeredMark) -> bool:
        if self._place is None:
            return False
        before = self._before(mark, self._at)
        return not np.array_equal(before[len(before) - self._place.mark.context :], self._place[1])

    def _met(self, mark: Mark | LayeredMark, at: int) -> Place | None:
        before = self._before(mark, at)
        one = mark.layer_of(before[None])[0] if isinstance(mark, LayeredMark) else mark
        context = before[len(before) - one.context :]
        if context.min() < 0 or not self._history.first(context):
            return None
        return Place(one, context)

    def _before(self, mark: Mark | LayeredMark, at: int) -> Int64s:
        """The generated tokens before `at`, -1 where there are none or they are not known."""
        known = self.output[max(0, at - mark.context) : at]
        before = np.full(mark.context, -1, np.int64)
        if len(known):
            before[mark.context - len(known) :] = known
        return before


def followed(output: list[int], length: int, tail: Sequence[int]) -> bool:
    """Bring a list of generated tokens up to date from the last of them.

    Args:
        output: what was known before; the newest token is put on.
        length: how many there are by now.
        tail: the last min(length, width) of them.

    Returns:
        False where that is not enough, after a pause or when tokens were taken back: then `output`
        must be read anew.
    """
    if length == len(output) + 1:
        output.append(tail[-1])
    return length == len(output) and output[length - len(tail) :] == list(tail)
