"""What a suspect shows after each distinct window, before any key is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from stillwatch.provenance.radioactivity.differences import (
    Silence,
    best_differences,
    differences,
    standardised,
)
from stillwatch.provenance.radioactivity.positions import coded, contexts_at, positions
from stillwatch.provenance.radioactivity.suspects import Best, BestSuspect, OpenSuspect
from stillwatch.provenance.text_sets import Int64s, TextSet

__all__ = ["Evidence", "View", "gather"]

Weights = npt.NDArray[np.float32]
Suspect: TypeAlias = OpenSuspect | BestSuspect

#: numbers of a block of rows that are worked on at a time, and facts that are summed up at a time
_BLOCK, _PENDING = 1 << 22, 1 << 22


class View(NamedTuple):
    """How a text is looked at: tokens of a window, and whether the key took part in the text."""

    width: int
    served: bool


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Distinct windows, and what the suspect says after each.

    Attributes:
        contexts: int64 [windows, width].
        tokens: int64 [windows, kept], the tokens of the largest weights.
        weights: float32 [windows, kept]: how much likelier the suspect finds each token than the
            reference does, on average over the occurrences of the window, or that standardised
            (:mod:`.differences`); 0 where there are fewer.
    """

    contexts: Int64s
    tokens: Int64s
    weights: Weights

    @property
    def pairs(self) -> int:
        """How many (window, token) pairs have a weight."""
        return int(np.count_nonzero(self.weights))

    def only(self, windows: npt.NDArray[np.bool_]) -> Evidence:
        """The evidence of some of the windows, bool [windows]."""
        return Evidence(self.contexts[windows], self.tokens[windows], self.weights[windows])


def gather(
    suspect: Suspect,
    texts: TextSet,
    views: Sequence[View],
    *,
    reference: Suspect | None = None,
    kept: int = 64,
    standard: bool = False,
) -> dict[View, Evidence]:
    """The evidence of each view; the suspect and the reference are asked once about each text.

    Args:
        standard: whether weights are standardised differences.

    Raises:
        Silence: the suspect or the reference says nothing that can be scored.
        ValueError: arrays of a wrong shape, or not one for each text.
    """
    size = suspect.vocabulary
    if reference is not None and reference.vocabulary != size:
        raise Silence(
            f"the suspect has a vocabulary of {size} tokens, the reference of "
            f"{reference.vocabulary}"
        )
    for text in texts.texts:
        if text.size and not 0 <= text.min() <= text.max() < size:
            raise Silence(
                f"the texts hold tokens from {text.min()} to {text.max()}, and the suspect has a "
                f"vocabulary of {size}: another tokenizer"
            )
    sums = {view: _Sums(size) for view in views}
    wanted = {view: positions(texts, view.width, served=view.served) for view in views}
    told = _answers(suspect, reference, texts)
    for i, (text, (said, expected)) in enumerate(zip(texts.texts, told, strict=True)):
        everywhere = np.unique(np.concatenate([wanted[view][i] for view in views]))
        if not len(everywhere):
            continue
        tokens, weights, levels = _rows(
            said, expected, everywhere - 1, kept, size, len(text), standard
        )
        for view in views:
            places = wanted[view][i]
            at = np.searchsorted(everywhere, places)
            contexts = contexts_at(text, view.width, places)
            sums[view].add(contexts, tokens[at], weights[at], levels[at])
    return {view: each.evidence(view.width, kept, standard) for view, each in sums.items()}


def _answers(
    suspect: Suspect, reference: Suspect | None, texts: TextSet
) -> Iterator[tuple[Weights | Best, Weights | Best | None]]:
    """What both say of each text."""
    if reference is None:
        for said in _told(suspect, texts):
            yield said, None
        return
    try:
        yield from zip(_told(suspect, texts), _told(reference, texts), strict=True)
    except ValueError as error:
        raise ValueError("suspect and reference do not answer to as many texts") from error


def _told(suspect: Suspect, texts: TextSet) -> Iterator[Weights | Best]:
    if hasattr(suspect, "probabilities"):
        return iter(suspect.probabilities(texts.texts))
    return iter(suspect.best(texts.texts))


def _rows(
    said: Weights | Best, expected: Weights | Best | None, rows: Int64s, kept: int, size: int,
    length: int, standard: bool,
) -> tuple[Int64s, Weights, Weights]:  # fmt: skip
    """Tokens, weights and what is expected, of some rows of one text, a block at a time."""
    listed = isinstance(said, Best)
    for each in (said, expected):
        if each is None:
            continue
        if isinstance(each, Best) != listed:
            raise ValueError("suspect and reference give the same: all probabilities, or the best")
        shape = np.shape(each.tokens if isinstance(each, Best) else each)
        if shape[0] != length or (not listed and shape != (length, size)):
            raise ValueError(f"of a text of {length} tokens the probabilities are {list(shape)}")
    step = max(1, _BLOCK // size)
    parts = []
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        if isinstance(said, Best):
            other = expected.at(some) if isinstance(expected, Best) else None
            parts.append(best_differences(said.at(some), other, kept, size, standard=standard))
        else:
            plain = None if expected is None else np.asarray(expected, np.float32)[some]
            here = np.asarray(said, np.float32)[some]
            parts.append(differences(here, plain, kept, standard=standard))
    tokens, weights, expectations = zip(*parts, strict=True)
    return np.concatenate(tokens), np.concatenate(weights), np.concatenate(expectations)


class _Sums:
    """Running sums of (window, token) facts: weights, and what the reference says."""

    def __init__(self, vocabulary: int) -> None:
        self._size = vocabulary
        self._places: dict[int, int] = {}
        self._contexts: list[Int64s] = []
        self._times: list[Int64s] = []
        self._facts, self._sums = np.empty(0, np.int64), np.empty((0, 2))
        self._waiting: list[tuple[Int64s, Weights]] = []
        self._count = 0

    def add(self, contexts: Int64s, tokens: Int64s, weights: Weights, expected: Weights) -> None:
        """Note rows of tokens and what is said of them, [n, kept], after contexts, [n, width]."""
        codes, firsts, inverse = np.unique(coded(contexts), return_index=True, return_inverse=True)
        ids = np.empty(len(codes), np.int64)
        new: list[int] = []
        for i, code in enumerate(codes.tolist()):
            ids[i] = place = self._places.setdefault(code, len(self._places))
            if place == len(self._places) - 1 and place >= self._known + len(new):
                new.append(firsts[i])
        if new:
            self._contexts.append(contexts[np.array(new)])
        here = ids[inverse]
        self._times.append(here)
        full = weights != 0
        facts = (here[:, None] * self._size + tokens)[full]
        self._waiting.append((facts, np.stack([weights[full], expected[full]], axis=1)))
        self._count += len(facts)
        if self._count >= _PENDING:
            self._settle()

    @property
    def _known(self) -> int:
        return sum(map(len, self._contexts))

    def _settle(self) -> None:
        facts = np.concatenate([self._facts, *(f for f, _ in self._waiting)])
        sums = np.concatenate([self._sums, *(w for _, w in self._waiting)])
        order = np.argsort(facts, kind="stable")
        facts, sums = facts[order], sums[order]
        starts = np.flatnonzero(np.diff(facts, prepend=-1))
        self._facts, self._sums = (
            facts[starts],
            np.add.reduceat(sums, starts, axis=0) if len(starts) else sums,
        )
        self._waiting, self._count = [], 0

    def evidence(self, width: int, kept: int, standard: bool) -> Evidence:
        """The mean weights of each window, or those standardised; the `kept` largest of them."""
        self._settle()
        windows = len(self._places)
        if not windows:
            return Evidence(
                np.empty((0, width), np.int64), np.empty((0, kept), np.int64),
                np.empty((0, kept), np.float32),
            )  # fmt: skip
        times = np.bincount(np.concatenate(self._times), minlength=windows)
        places = self._facts // self._size
        means, expected = (self._sums / times[places, None]).T
        if standard:
            means = standardised(means, expected, times[places])
        order = np.lexsort((-np.abs(means), places))
        places = places[order]
        ranks = np.arange(len(places)) - np.searchsorted(places, places)
        some = ranks < kept
        tokens = np.zeros((windows, kept), np.int64)
        weights = np.zeros((windows, kept), np.float32)
        at = places[some], ranks[some]
        tokens[at] = (self._facts % self._size)[order][some]
        weights[at] = means[order][some]
        return Evidence(np.concatenate(self._contexts), tokens, weights)
