"""Hooks that put marks on what engines sample, and how they get from a name to a key.

The gateway names a mark and a cluster (:class:`Label`); :class:`Marks`, beside the engine, knows
the mark's settings and has the master key. Engines are imported by the module that is named after
one, and by nothing else: ``huggingface``, ``vllm``, ``vllm_v2``; ``sglang`` and ``native``
write what engines read that put marks on by themselves, and import none.
"""

from stillwatch.watermark.hooks.label import Label
from stillwatch.watermark.hooks.lookup import Found, Marks, MarkSettings

__all__ = ["Found", "Label", "MarkSettings", "Marks"]
