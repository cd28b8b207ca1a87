"""Surfaces: which outputs and parameters of a model a caller may use, as a lattice.

A :class:`Surface` bounds everything that a request can ask for, field by field. Surfaces are
ordered: ``a <= b`` says that all that `a` allows, `b` allows too; ``a & b`` is the widest surface
that both allow. Several bounds on one request (its openness level, rules, an action in force) are
therefore combined without an order between them, and adding one never opens anything.
"""

from __future__ import annotations

from enum import IntEnum
from fnmatch import fnmatchcase

import msgspec

__all__ = ["CLOSED", "MOST_LOGPROBS", "OPEN", "Bias", "Reasoning", "Structure", "Surface"]

#: Alternatives a position that any surface may show: full logits give the model's width and its
#: last layer away (Finlayson et al. 2024, Carlini et al. 2024), and few suffice for honest uses.
MOST_LOGPROBS = 5


class Reasoning(IntEnum):
    """How much of the model's reasoning is shown."""

    NONE = 0
    SUMMARY = 1
    FULL = 2


class Bias(IntEnum):
    """What `logit_bias` may do. A ban (−100) shows far less of the logits than any other value."""

    NONE = 0
    BAN = 1
    ANY = 2


class Structure(IntEnum):
    """How far the form of the answer may be dictated; a grammar can force single tokens."""

    TEXT = 0
    JSON = 1
    SCHEMA = 2
    GRAMMAR = 3


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on what one request may ask for. The defaults allow plain text and nothing else.

    `models` is a conjunction: a name is allowed when each of the sets has a pattern (``*`` and
    ``?`` as in a shell, case counts) for it; no set allows every name. `logprobs` is the number of
    alternatives a position (1 also for the chosen token alone). `max_tokens` bounds the output in
    tokens a choice; ``None`` sets no bound. `min_temperature` is a floor, because greedy decoding
    cannot carry a mark. `embeddings` shows the vectors that a model makes of texts: they tell of
    its geometry, and a student can be trained on them, so that they are a field of their own.
    `unknown_fields` lets request fields through that we do not know;
    `response_fields` names response fields beyond the dialect's own.
    """

    models: tuple[frozenset[str], ...] = ()
    logprobs: int = 0
    reasoning: Reasoning = Reasoning.NONE
    n: int = 1
    logit_bias: Bias = Bias.NONE
    biased_tokens: int = 0
    seed: bool = False
    prefill: bool = False
    echo: bool = False
    prompt_logprobs: bool = False
    token_ids: bool = False
    max_tokens: int | None = None
    structure: Structure = Structure.TEXT
    tools: bool = False
    embeddings: bool = False
    min_temperature: float = 0.0
    unknown_fields: bool = False
    response_fields: frozenset[str] = frozenset()

    def allows_model(self, name: str) -> bool:
        """Whether a request may name this model."""
        return all(any(fnmatchcase(name, p) for p in patterns) for patterns in self.models)

    def __and__(self, other: Surface) -> Surface:
        """The widest surface that both allow."""
        return Surface(
            models=tuple(dict.fromkeys(self.models + other.models)),
            logprobs=min(self.logprobs, other.logprobs),
            reasoning=min(self.reasoning, other.reasoning),
            n=min(self.n, other.n),
            logit_bias=min(self.logit_bias, other.logit_bias),
            biased_tokens=min(self.biased_tokens, other.biased_tokens),
            seed=self.seed and other.seed,
            prefill=self.prefill and other.prefill,
            echo=self.echo and other.echo,
            prompt_logprobs=self.prompt_logprobs and other.prompt_logprobs,
            token_ids=self.token_ids and other.token_ids,
            max_tokens=_lower(self.max_tokens, other.max_tokens),
            structure=min(self.structure, other.structure),
            tools=self.tools and other.tools,
            embeddings=self.embeddings and other.embeddings,
            min_temperature=max(self.min_temperature, other.min_temperature),
            unknown_fields=self.unknown_fields and other.unknown_fields,
            response_fields=self.response_fields & other.response_fields,
        )

    def __le__(self, other: Surface) -> bool:
        """Whether `other` allows all that this one allows (models: by their sets of patterns)."""
        met = self & other
        return (
            set(met.models) == set(self.models)
            and msgspec.structs.replace(met, models=self.models) == self
        )


def _lower(one: int | None, other: int | None) -> int | None:
    if one is None:
        return other
    return one if other is None else min(one, other)


#: Allows nothing beyond one choice of plain text: the default level.
CLOSED = Surface()

_EVERY_FIELD = frozenset(
    {"id", "created", "system_fingerprint", "service_tier", "citations", "annotations"}
)
#: Allows everything that this project lets anybody have: the neutral element of ``&``.
OPEN = Surface(
    logprobs=MOST_LOGPROBS,
    reasoning=Reasoning.FULL,
    n=2**31 - 1,
    logit_bias=Bias.ANY,
    biased_tokens=2**31 - 1,
    seed=True,
    prefill=True,
    echo=True,
    prompt_logprobs=True,
    token_ids=True,
    structure=Structure.GRAMMAR,
    tools=True,
    embeddings=True,
    unknown_fields=True,
    response_fields=_EVERY_FIELD,
)
