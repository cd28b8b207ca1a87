"""What of a request goes upstream: reduced to a surface, or found to exceed it."""

from __future__ import annotations

from typing import Any

import msgspec

from stillwatch.access.facts import Asked
from stillwatch.access.surface import Bias, Surface

__all__ = ["bounded", "exceeding", "reduced", "within"]

_FEATURES = ("seed", "prefill", "echo", "prompt_logprobs", "token_ids", "tools", "embeddings")
_ORDERED = ("logprobs", "reasoning", "n", "structure")


def within(asked: Asked, surface: Surface) -> bool:
    """Whether :func:`exceeding` finds nothing: true of nearly every request, and told at once."""
    return (
        asked.logprobs <= surface.logprobs
        and asked.n <= surface.n
        and asked.reasoning <= surface.reasoning
        and asked.structure <= surface.structure
        and (not asked.tools or surface.tools)
        and (not asked.embeddings or surface.embeddings)
        and (not asked.seed or surface.seed)
        and (not asked.prefill or surface.prefill)
        and (not asked.echo or surface.echo)
        and (not asked.prompt_logprobs or surface.prompt_logprobs)
        and (not asked.token_ids or surface.token_ids)
        and (not asked.unknown_fields or surface.unknown_fields)
        and not _bias_exceeds(asked, surface)
    )


def exceeding(asked: Asked, surface: Surface) -> tuple[str, ...]:
    """Names of what the request asks beyond the surface. `max_tokens` and `temperature` never
    are: a request may leave both out, so that they are always brought within bounds instead."""
    names = [name for name in _ORDERED if getattr(asked, name) > getattr(surface, name)]
    names += [name for name in _FEATURES if getattr(asked, name) and not getattr(surface, name)]
    if _bias_exceeds(asked, surface):
        names.append("logit_bias")
    if asked.unknown_fields and not surface.unknown_fields:
        names += asked.unknown_fields
    return tuple(names)


def reduced(asked: Asked, surface: Surface) -> tuple[Asked, tuple[str, ...]]:
    """The request within the surface, and the names of what had to change."""
    changes: dict[str, Any] = {
        name: getattr(surface, name)
        for name in _ORDERED
        if getattr(asked, name) > getattr(surface, name)
    }
    changes.update(
        (name, False) for name in _FEATURES if getattr(asked, name) and not getattr(surface, name)
    )
    if _bias_exceeds(asked, surface):
        changes.update(logit_bias=Bias.NONE, bias=())
    if asked.unknown_fields and not surface.unknown_fields:
        changes["unknown_fields"] = ()
    changes.update(_bounds(asked, surface))
    return _changed(asked, changes)


def bounded(asked: Asked, surface: Surface) -> tuple[Asked, tuple[str, ...]]:
    """The same for a request that is :func:`within` the surface."""
    return _changed(asked, _bounds(asked, surface))


def _changed(asked: Asked, changes: dict[str, Any]) -> tuple[Asked, tuple[str, ...]]:
    if not changes:
        return asked, ()
    named = tuple(name for name in changes if name != "bias")
    return msgspec.structs.replace(asked, **changes), named


def _bounds(asked: Asked, surface: Surface) -> dict[str, Any]:
    """`max_tokens` and `temperature`, where they have to change. A temperature that is left out is
    the server's default, which is 1 in every dialect that we speak. Where nothing is generated,
    neither means anything."""
    if not asked.n:
        return {}
    changes: dict[str, Any] = {}
    cap = surface.max_tokens
    if cap is not None and (asked.max_tokens is None or asked.max_tokens > cap):
        changes["max_tokens"] = cap
    floor = surface.min_temperature
    if floor > (1.0 if asked.temperature is None else asked.temperature):
        changes["temperature"] = floor
    return changes


def _bias_exceeds(asked: Asked, surface: Surface) -> bool:
    return asked.logit_bias > surface.logit_bias or len(asked.bias) > surface.biased_tokens
