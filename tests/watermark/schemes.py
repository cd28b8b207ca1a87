"""Every scheme, for tests that hold of all: what samples tokens, and what is scored."""

from __future__ import annotations

from collections.abc import Callable

from stillwatch.watermark import (
    GLOBAL,
    GatedMark,
    GreenListMark,
    GumbelMark,
    KeyRing,
    LayeredMark,
    LayerMark,
    Mark,
    Scoring,
    SelectionMark,
    TournamentMark,
)


def _layer(ring: KeyRing) -> LayerMark:
    green = GreenListMark(ring.key("c", "green-list"), 2)
    return LayeredMark(GumbelMark(ring.key(GLOBAL)), green).layers[1]


SAMPLED: dict[str, Callable[[KeyRing], Mark]] = {
    "gumbel": lambda ring: GumbelMark(ring.key("c")),
    "gumbel, wide, premix": lambda ring: GumbelMark(ring.key("c"), 4, "premix-v1"),
    "green list": lambda ring: GreenListMark(ring.key("c", "green-list"), delta=3.0),
    "green list, half, premix": lambda ring: GreenListMark(
        ring.key("c", "green-list"), 2, gamma=0.5, delta=2.5, prf="premix-v1"
    ),
    "gumbel, murmur": lambda ring: GumbelMark(
        ring.key("c", "gumbel-murmur3"), 2, "murmur3-32-sglang-v1"
    ),
    "tournament": lambda ring: TournamentMark(ring.key("c", "tournament")),
    "tournament, even, premix": lambda ring: TournamentMark(
        ring.key("c", "tournament"), 2, layers=12, weighted=False, prf="premix-v1"
    ),
    "gumbel, gated": lambda ring: GatedMark(GumbelMark(ring.key("c"), 2), 0.7),
    "layer": _layer,
}
SCORED: dict[str, Callable[[KeyRing], Scoring]] = {
    **SAMPLED,
    "selection": lambda ring: SelectionMark(ring.key("c", "selection")),
    "selection, premix": lambda ring: SelectionMark(ring.key("c", "selection"), 1, "premix-v1"),
}
