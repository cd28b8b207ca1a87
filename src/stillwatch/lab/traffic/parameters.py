"""Request parameters: which model, how sampled, how long; drawn once for an account.

Every profile draws from the same few values, in other shares, so that no value of temperature or
max_tokens belongs to one kind of sender alone. Model names are made up. The shares are assumptions:
no public log has parameters by account.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["NEW_MODEL", "PROFILES", "Parameters", "draw_parameters"]

NEW_MODEL = "meridian-large-5"
_LARGE, _MID, _SMALL, _THINKER = (
    "meridian-large-4",
    "meridian-mid-4",
    "meridian-small-4",
    "meridian-think-4",
)


class Parameters(NamedTuple):
    """None is the default of the API. `pioneer`: asks for a new model as soon as there is one."""

    model: str
    endpoint: str
    stream: bool
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    logprobs: bool | None
    top_logprobs: int | None
    response_format: str | None
    reasoning: str | None
    bare: bool
    pioneer: bool

    @property
    def thinks(self) -> bool:
        return self.model == _THINKER or self.reasoning in ("medium", "high")


class Profile(NamedTuple):
    """Shares of values: models (large, mid, small, think), temperatures, caps, and others."""

    models: tuple[float, float, float, float]
    cold: float  # temperature 0
    warm: float  # 0.2 to 0.7
    hot: float  # 0.8 to 1
    capped: float  # max_tokens given
    caps: tuple[int, ...]
    stream: float
    json: float = 0.0
    reasoning: float = 0.05
    logprobs: float = 0.01
    bare: float = 0.0


_SHORT = (128, 256, 512, 1024, 2048)
_LONG = (1024, 2048, 4096, 4096, 8192, 16384)

PROFILES: dict[str, Profile] = {
    "chat": Profile((0.35, 0.4, 0.15, 0.1), 0.04, 0.3, 0.16, 0.35, _LONG, 0.85, 0.01, 0.12),
    "assistant": Profile((0.15, 0.5, 0.33, 0.02), 0.22, 0.45, 0.08, 0.7, _SHORT, 0.6, 0.06),
    "extract": Profile(
        (0.1, 0.35, 0.53, 0.02), 0.94, 0.05, 0.01, 0.6, _SHORT, 0.05, 0.5, 0.02, 0.03, 0.25
    ),
    "agent": Profile((0.55, 0.3, 0.05, 0.1), 0.25, 0.2, 0.15, 0.8, _LONG, 0.8, 0.02, 0.25),
    "measure": Profile(
        (0.35, 0.25, 0.15, 0.25), 0.4, 0.2, 0.25, 0.75, _LONG, 0.12, 0.05, 0.3, 0.08, 0.2
    ),
    "learn": Profile((0.25, 0.4, 0.2, 0.15), 0.12, 0.35, 0.12, 0.45, _LONG, 0.7, 0.02, 0.25),
    "generate": Profile(
        (0.4, 0.35, 0.15, 0.1), 0.08, 0.3, 0.45, 0.75, _LONG, 0.1, 0.2, 0.12, 0.01, 0.2
    ),
    "grade": Profile((0.4, 0.4, 0.1, 0.1), 0.55, 0.25, 0.05, 0.6, _SHORT, 0.1, 0.5, 0.1, 0.03, 0.1),
}


def draw_parameters(rng: np.random.Generator, profile: str) -> Parameters:
    """The parameters of one account that uses the API as `profile` says."""
    p = PROFILES[profile]
    u = rng.random(12)
    model = (_LARGE, _MID, _SMALL, _THINKER)[
        int(np.searchsorted(np.cumsum(p.models), u[0] * 0.999999))
    ]
    temperature: float | None = None
    if u[1] < p.cold:
        temperature = 0.0
    elif u[1] < p.cold + p.warm:
        temperature = (0.2, 0.3, 0.5, 0.6, 0.7, 0.7)[int(u[2] * 6)]
    elif u[1] < p.cold + p.warm + p.hot:
        temperature = (0.8, 0.9, 1.0, 1.0)[int(u[2] * 4)]
    logprobs = True if u[6] < p.logprobs else None
    return Parameters(
        model=model,
        endpoint=("chat.completions", "chat.completions", "messages", "responses")[int(u[7] * 4)],
        stream=bool(u[4] < p.stream),
        temperature=temperature,
        top_p=(0.9, 0.95, 0.95, 1.0)[int(u[3] * 40)] if u[3] < 0.1 else None,
        max_tokens=p.caps[int(u[5] / p.capped * len(p.caps))] if u[5] < p.capped else None,
        logprobs=logprobs,
        top_logprobs=5 if logprobs and u[8] < 0.5 else None,
        response_format=("json_object", "json_schema")[int(u[9] / p.json * 2)]
        if u[9] < p.json
        else None,
        reasoning=("low", "medium", "high")[int(u[10] / p.reasoning * 3)]
        if u[10] < p.reasoning
        else None,
        bare=bool(u[11] < p.bare),
        pioneer=bool(u[8] > 0.6),
    )
