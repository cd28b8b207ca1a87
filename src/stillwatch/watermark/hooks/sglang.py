"""What SGLang is told of a mark: the field ``watermark`` of a request, with the cluster's key.

SGLang 0.5.23 has marks of its own, and takes a key for each request (its key A) from whoever sends
one. Only the gateway may: the field of a client is overwritten. Unlike a name, the key itself then
travels to the engine, in the body of every request that is to be marked: between hosts, encrypt
that way, and keep bodies out of the engine's logs (with ``--enable-watermark`` SGLang takes keys
out of its own). Who reads one key can forge and find the mark of one cluster in one epoch; the
master key stays in the gateway.

Keys are derived for a scheme of their own, since the same 64 bits in two keyed functions may say
more than in one. SGLang's function is a MurmurHash3, not a cryptographic one: who has a marked
answer finds a key that does the same within minutes (:mod:`stillwatch.watermark.murmur`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stillwatch.watermark.gumbel import GumbelMark, scheme_under
from stillwatch.watermark.hooks.lookup import Marks
from stillwatch.watermark.keys import GLOBAL
from stillwatch.watermark.layers import LayeredMark
from stillwatch.watermark.mark import Mark
from stillwatch.watermark.prf import SGLANG

__all__ = ["FIELD", "SCHEME", "injected", "puts_on", "watermark_field"]

FIELD: Final = "watermark"
#: what keys for SGLang are derived for
SCHEME: Final = scheme_under(SGLANG)


def watermark_field(
    marks: Marks, name: str, strength: str = "normal", cluster: str | None = None
) -> dict[str, Any] | str:
    """The field for a mark of this name, or why there is none.

    `provenance` leaves the key to the server's own configuration, which the global key belongs in;
    `radioactive` and `both` send that of the cluster. Whether a layer of the server's key B is
    added, and its share, is configured in the server for all requests.
    """
    found = marks.mark_for(name, strength, cluster)
    if found.mark is None:
        return found.reason or ""
    if not puts_on(found.mark):
        return "scheme"
    traced = found.mark.cluster_mark if isinstance(found.mark, LayeredMark) else found.mark
    field = {"enabled": True, "context_window": traced.context}
    if traced.key.cluster == GLOBAL:
        return field
    return {**field, "key": f"{marks.key_of(traced.key.cluster, SCHEME).value:016x}"}


def puts_on(mark: Mark | LayeredMark) -> bool:
    """Whether SGLang has a mark of this scheme: Gumbel-max alone, of any settings here."""
    layers = (mark.global_mark, mark.cluster_mark) if isinstance(mark, LayeredMark) else (mark,)
    return all(isinstance(layer, GumbelMark) for layer in layers)


def injected(request: Mapping[str, Any], field: Mapping[str, Any] | None) -> dict[str, Any]:
    """The request with this field and no other word about marks; ``None``: with none at all.

    What a client sent is gone, also within ``sampling_params``, where the native route reads it.
    """
    cleaned = {name: value for name, value in request.items() if name != FIELD}
    for each, value in cleaned.items():
        if each == "sampling_params":
            cleaned[each] = _without(value)
    return cleaned if field is None else {**cleaned, FIELD: dict(field)}


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(each) for each in value]
    if isinstance(value, Mapping):
        return {name: each for name, each in value.items() if name != FIELD}
    return value
