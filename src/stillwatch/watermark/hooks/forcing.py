"""Forcing chosen tokens on an engine's logits: all others become impossible. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from stillwatch.watermark.hooks.choosing import choose_tokens, places_of
from stillwatch.watermark.hooks.sequence import MarkedSequence

__all__ = ["force"]


def force(
    sequences: Mapping[int, MarkedSequence], logits: torch.Tensor, rng: np.random.Generator
) -> torch.Tensor:
    """The logits [rows, vocabulary], changed in place: where a mark chooses, its token has 0 and
    every other -inf. Only rows that are marked are copied to the host, 4 bytes a token."""
    places = places_of(sequences, len(logits))
    if not places:
        return logits
    rows = torch.tensor(list(places), device=logits.device)
    some = logits.index_select(0, rows).to("cpu", torch.float32).numpy()
    tokens = choose_tokens(places, sequences, some, rng)
    chosen = torch.from_numpy(tokens).to(logits.device)
    marked = chosen >= 0
    rows, chosen = rows[marked], chosen[marked]
    logits[rows] = float("-inf")
    logits[rows, chosen] = 0.0
    return logits
