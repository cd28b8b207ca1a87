"""The tokens that marks choose in one step of an engine, each row under its own key."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from stillwatch.watermark.batches import sample_rows
from stillwatch.watermark.hooks.sequence import MarkedSequence, Place
from stillwatch.watermark.mark import Int64s, Logits

__all__ = ["choose_tokens", "places_of"]

_log = logging.getLogger(__name__)


def places_of(sequences: Mapping[int, MarkedSequence], rows: int) -> dict[int, Place]:
    """The rows of this step that a mark is put on, ascending; rows from `rows` on are none."""
    met = ((row, sequences[row].place()) for row in sorted(sequences) if row < rows)
    return {row: place for row, place in met if place is not None}


def choose_tokens(
    places: Mapping[int, Place],
    sequences: Mapping[int, MarkedSequence],
    logits: Logits,
    rng: np.random.Generator,
) -> Int64s:
    """The token of each place, int64 [places], -1 where the engine is to sample by itself.

    Args:
        places: by row of the batch.
        sequences: by row of the batch.
        logits: float32 [places, vocabulary], the rows of `places` in their order.
        rng: for schemes that also draw at random.

    Nothing is raised over a row: an engine that hears an exception ends all of its requests.
    """
    rows = [(at, row, place) for at, (row, place) in enumerate(places.items())]
    try:
        return _sampled(rows, sequences, logits, rng)
    except ValueError:
        out = np.full(len(rows), -1, np.int64)
        for each in rows:  # one of them has no answer; the others are marked all the same
            try:
                out[each[0]] = _sampled([each], sequences, logits, rng)[0]
            except ValueError as error:
                _log.warning("a token went without its mark: %s", error)
    return out


def _sampled(
    rows: list[tuple[int, int, Place]],
    sequences: Mapping[int, MarkedSequence],
    logits: Logits,
    rng: np.random.Generator,
) -> Int64s:
    """Raises ValueError where a row of logits allows no choice."""
    width = max(place.mark.context for _, _, place in rows)
    contexts = np.full((len(rows), width), -1, np.int64)
    some = np.empty((len(rows), logits.shape[1]), np.float32)
    warm, many = np.empty(len(rows)), np.empty(len(rows), np.int64)
    for i, (at, row, place) in enumerate(rows):
        sequence = sequences[row]
        sampling = sequence.sampling
        contexts[i, width - place.mark.context :] = place.context
        some[i] = sampling.shaped(logits[at], sequence.prompt, sequence.output)
        warm[i], many[i] = sampling.temperature, max(0, sampling.top_k)
    return sample_rows(
        [place.mark for _, _, place in rows], some, contexts, temperature=warm, top_k=many, rng=rng
    )
