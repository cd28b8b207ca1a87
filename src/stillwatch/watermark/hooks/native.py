"""Configurations for the marks that engines put on by themselves: they hold keys, and print none.

vLLM 0.33 has one key for all requests, so only a mark under the global key can be its own; what it
samples is then what :class:`.gumbel.GumbelMark` finds. SGLang 0.5.23 takes a key with each request
(:mod:`stillwatch.watermark.hooks.sglang`) and, for everybody, those of its configuration.
"""

from __future__ import annotations

from typing import Any, Final

from stillwatch.errors import InputError
from stillwatch.watermark.gumbel import GumbelMark
from stillwatch.watermark.hooks.lookup import Marks
from stillwatch.watermark.hooks.sglang import SCHEME, puts_on
from stillwatch.watermark.keys import GLOBAL
from stillwatch.watermark.layers import LayeredMark
from stillwatch.watermark.mark import Mark
from stillwatch.watermark.prf import DEFAULT

__all__ = ["UNASSIGNED", "sglang_config", "vllm_config"]

#: the cluster whose key SGLang uses where it needs one and a request brings none
UNASSIGNED: Final = "unassigned"


def vllm_config(marks: Marks, name: str) -> dict[str, Any]:
    """The fields of vLLM's ``WatermarkConfig`` for the mark `name`.

    Raises:
        InputError: there is none of this name, or vLLM cannot put it on.
    """
    mark = _mark(marks, name)
    if not isinstance(mark, GumbelMark) or mark.key.cluster != GLOBAL or mark.prf != DEFAULT:
        raise InputError(
            f"vLLM by itself has one key for everybody and the function {DEFAULT}: the mark "
            f"{name!r} needs the profile 'provenance' and that function, or a hook"
        )
    return {
        "key": mark.key.value,
        "algorithm": "gumbel",
        "prf": "philox",
        "context_width": mark.context,
        "deduplicate_contexts": "single_turn",
    }


def sglang_config(marks: Marks, name: str) -> dict[str, Any]:
    """What SGLang's ``--watermark-config`` takes for the mark `name`.

    `radioactive` leaves the server without a key: each request brings its own. For `both` the
    global key is key B, on its share of contexts.

    Raises:
        InputError: there is none of this name, or SGLang cannot put it on.
    """
    mark = _mark(marks, name)
    if not puts_on(mark):
        raise InputError(
            f"SGLang by itself samples by Gumbel-max without our entropy floor: the mark {name!r} "
            "needs the scheme 'gumbel'"
        )
    everybody = f"{marks.key_of(GLOBAL, SCHEME).value:016x}"
    if isinstance(mark, LayeredMark):
        nobody = f"{marks.key_of(UNASSIGNED, SCHEME).value:016x}"
        return {
            "key": nobody, "key_b": everybody, "mixing_probability": 1 - mark.share,
            "context_window": mark.cluster_mark.context,
        }  # fmt: skip
    if mark.key.cluster == GLOBAL:
        return {"key": everybody, "context_window": mark.context}
    return {"context_window": mark.context}


def _mark(marks: Marks, name: str) -> Mark | LayeredMark:
    found = marks.mark_for(name, cluster=UNASSIGNED)
    if found.mark is None:
        raise InputError(f"there is no mark {name!r}; there are {', '.join(marks.names)}")
    return found.mark
