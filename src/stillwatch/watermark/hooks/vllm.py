"""vLLM's first model runner (``VLLM_USE_V2_MODEL_RUNNER=0``): a logits processor. Imports vLLM.

``vllm serve … --logits-processors stillwatch.watermark.hooks.vllm:MarkProcessor``, with the
settings file in ``STILLWATCH_CONFIG``. Name it there and not through an entry point: only for
processors that are named there does vLLM 0.33 replace the -1 that stand for tokens still under way
under asynchronous scheduling. Where they stay, tokens go unmarked, and no wrong key is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from vllm.v1.sample.logits_processor.interface import BatchUpdate, LogitsProcessor

from stillwatch.watermark.hooks.forcing import force
from stillwatch.watermark.hooks.reading import marks_from_environment
from stillwatch.watermark.hooks.vllm_rows import BatchRows, label_of

if TYPE_CHECKING:
    from vllm import SamplingParams
    from vllm.config import VllmConfig

__all__ = ["MarkProcessor"]


class MarkProcessor(LogitsProcessor):
    """Marks each row of a batch under the key of its own request."""

    def __init__(self, vllm_config: VllmConfig, device: torch.device, is_pin_memory: bool) -> None:
        self.rows = BatchRows(marks_from_environment())

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Refuse what the gateway would not have written; in the process that reads requests."""
        label_of(sampling_params)

    def is_argmax_invariant(self) -> bool:
        """No: it decides the token."""
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follow the batch."""
        self.rows.update(batch_update)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Force the marked tokens; vLLM's own sampling of the other rows follows."""
        forced: Any = force(self.rows, logits, self.rows.rng)
        return forced
