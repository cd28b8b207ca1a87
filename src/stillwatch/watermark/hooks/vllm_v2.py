"""vLLM's second model runner, the default of 0.33: a logits processor. Imports vLLM.

``vllm serve … --logits-processors stillwatch.watermark.hooks.vllm_v2:MarkProcessor``, with the
settings file in ``STILLWATCH_CONFIG``. This runner keeps requests in slots that never move, and
their tokens on the device, where the ones of the last step are too: nothing stands for tokens that
are under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from vllm.v1.worker.gpu.sample.logits_processor.interface import (
    LogitsContext,
    LogitsProcessor,
    LogitsProcRequestState,
)

from stillwatch.watermark.hooks.forcing import force
from stillwatch.watermark.hooks.reading import marks_from_environment
from stillwatch.watermark.hooks.sequence import MarkedSequence, followed
from stillwatch.watermark.hooks.vllm_rows import BatchRows, label_of

if TYPE_CHECKING:
    from vllm.config import VllmConfig
    from vllm.sampling_params import SamplingParams

__all__ = ["MarkProcessor"]


class MarkProcessor(LogitsProcessor):
    """Marks each row of a batch under the key of its own request.

    Raises:
        ValueError: speculative decoding is on; draft tokens have no row of their own here.
    """

    def __init__(self, vllm_config: VllmConfig, req_states: LogitsProcRequestState) -> None:
        super().__init__(vllm_config, req_states)
        if vllm_config.speculative_config:
            raise ValueError("the hook for marks does not follow speculative decoding")
        self._states = req_states
        self.slots = BatchRows(marks_from_environment(), penalised=True)

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Refuse what the gateway would not have written; in the process that reads requests."""
        label_of(sampling_params)

    def add_request(self, req_idx: int, sampling_params: SamplingParams) -> bool:
        """A request takes a slot, whoever had it before; whether it is marked."""
        return self.slots.put(req_idx, sampling_params, None, []) is not None

    def apply(self, logits: torch.Tensor, ctx: LogitsContext) -> torch.Tensor:
        """Force the marked tokens; vLLM's own sampling of the other rows follows."""
        forced: Any = force(self._here(ctx), logits, self.slots.rng)
        return forced

    def _here(self, ctx: LogitsContext) -> dict[int, MarkedSequence]:
        """The marked sequences by row of this step, their outputs brought up to date."""
        rows, slots, starts, lengths = [], [], [], []
        for row, slot in enumerate(ctx.idx_mapping_np.tolist()):
            start = int(self._states.prompt_len.np[slot])
            length = int(ctx.seq_lens_upper_bound_np[row]) - start
            if slot in self.slots and length >= 0:  # below, the prompt is computed in pieces
                rows.append(row)
                slots.append(slot)
                starts.append(start)
                lengths.append(length)
        if not rows:
            return {}
        sequences = [self.slots[slot] for slot in slots]
        width = max(sequence.width for sequence in sequences)
        tails = self._tails(slots, [s + n for s, n in zip(starts, lengths, strict=True)], width)
        for sequence, slot, start, length, tail in zip(
            sequences, slots, starts, lengths, tails, strict=True
        ):
            output = sequence.output
            assert isinstance(output, list)
            if not followed(output, length, tail[len(tail) - min(length, width) :]):
                everything = self._states.all_token_ids.gpu[slot, start : start + length]
                output[:] = everything.tolist()
        return dict(zip(rows, sequences, strict=True))

    def _tails(self, slots: list[int], ends: list[int], width: int) -> list[list[int]]:
        """The last `width` tokens of each slot, prompts included; one copy to the host."""
        tokens = self._states.all_token_ids.gpu
        at = torch.tensor(ends)[:, None] + torch.arange(-width, 0)
        index = at.clamp_(min=0).to(tokens.device)
        picked: list[list[int]] = tokens[
            torch.tensor(slots, device=tokens.device)[:, None], index
        ].tolist()
        return picked
