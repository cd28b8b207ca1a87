"""Engines that hear of a mark in a field of the request's body, since their hooks see no headers.

Whatever a client put there was taken out when its request was read, so the field is ours alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stillwatch.access import Backend, Decision
from stillwatch.gateway.marking import written_by_us

if TYPE_CHECKING:
    from stillwatch.watermark.hooks import Marks

__all__ = ["VLLM_ARGUMENT", "Written", "written"]

#: as :data:`stillwatch.watermark.hooks.label.ARGUMENT`, which is not imported for it: it compiles
VLLM_ARGUMENT: Final = "stillwatch_mark"
#: the routes on which SGLang 0.5.23 reads the field; on its Anthropic route it drops it in silence
_SGLANG_ROUTES: Final = frozenset({"/v1/chat/completions", "/v1/completions"})
_ENCODE: Final = msgspec.json.Encoder().encode


class Written(msgspec.Struct, frozen=True):
    """The body to send, and why its answer will be without the mark, where that is known."""

    body: bytes
    unmarked: str | None = None


def written(
    body: bytes,
    backend: Backend,
    decision: Decision,
    cluster: str,
    *,
    path: str,
    marks: Marks | None = None,
) -> Written:
    """`body` with the mark in it, in the words of the backend.

    Args:
        body: a JSON object as a dialect has written it, without the field of any engine.
        backend: says what its engine reads.
        decision: names the mark, if one is due.
        cluster: as the header has it.
        path: of the request to the engine.
        marks: with the keys, for SGLang and for marks that we write ourselves.
    """
    if decision.mark is None or backend.marks == "header" or written_by_us(decision, marks):
        return Written(body)
    if backend.marks == "vllm":
        told = f"{decision.mark};{decision.mark_strength};{cluster}"
        return Written(_with(body, "vllm_xargs", {VLLM_ARGUMENT: told}))
    if path not in _SGLANG_ROUTES:
        return Written(body, "route")
    if marks is None:
        return Written(body, "no keys")
    from stillwatch.watermark.hooks.sglang import watermark_field

    field = watermark_field(marks, decision.mark, decision.mark_strength, cluster)
    if isinstance(field, str):
        return Written(body, field)
    return Written(_with(body, "watermark", field))


def _with(body: bytes, name: str, value: Mapping[str, Any]) -> bytes:
    """One more field at the end of an object that has others."""
    assert body.endswith(b"}")
    return b'%b,"%b":%b}' % (body[:-1], name.encode(), _ENCODE(value))
