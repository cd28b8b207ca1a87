"""Logits processors and detectors of others: Hugging Face's, DeepMind's, Meta's; for ``peers.py``.

Processors are timed with the sampling that must follow them, as ours include it: top 50 and one
draw for a processor of the whole row; for Synthid-text, which chooses the top k itself, one draw.
What is not installed is left out. transformers 5.23.0, synthid-text 0.2.1 and textseal 0.0.5 were
read; none of their code is here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch

__all__ = ["detectors", "samplers"]

Work = Callable[[], object]

_KEYS = np.random.default_rng(3).integers(1, 1_000, 30).tolist()
_TOP, _WIDTH = 50, 4


def samplers(vocabulary: int, batch: int) -> Iterator[tuple[str, Work, int]]:
    """The name of each, what to time, and in how many rounds."""
    logits, contexts = _rows(vocabulary, batch)
    shape = f"B={batch}, V={vocabulary}"
    if find_spec("transformers"):
        from transformers import SynthIDTextWatermarkLogitsProcessor, WatermarkLogitsProcessor

        green: Any = WatermarkLogitsProcessor(vocabulary, "cpu", seeding_scheme="lefthash")
        yield f"Hugging Face green list, top 50, {shape}", _then_top(green, contexts, logits), 2
        tournament: Any = SynthIDTextWatermarkLogitsProcessor(
            ngram_len=_WIDTH + 1, keys=_KEYS, sampling_table_size=2**16, sampling_table_seed=0,
            context_history_size=1024, device="cpu",
        )  # fmt: skip
        if batch == 1:  # a batch of 32 takes 30 int64 of the vocabulary a row: gigabytes, minutes
            name = f"Hugging Face SynthID, 30 layers, top 50, {shape}"
            yield name, _then_top(tournament, contexts, logits), 1
    if find_spec("synthid_text"):
        from synthid_text.logits_processing import SynthIDLogitsProcessor

        processor: Any = SynthIDLogitsProcessor(
            ngram_len=_WIDTH + 1, keys=_KEYS, sampling_table_size=2**16, sampling_table_seed=0,
            context_history_size=1024, temperature=1.0, top_k=_TOP, device=torch.device("cpu"),
        )  # fmt: skip

        def synthid() -> object:
            scores, ids, _ = processor.watermarked_call(contexts, logits)
            return ids.gather(1, torch.multinomial(torch.softmax(scores, -1), 1))

        yield f"synthid-text, 30 layers, top 50, {shape}", synthid, 5
    if _textseal():
        from textseal.common.watermark.core import WatermarkConfig
        from textseal.posthoc.generator import GumbelmaxGenerator

        sampler: Any = GumbelmaxGenerator.__new__(GumbelmaxGenerator)  # its model is not asked
        sampler.wm_args = WatermarkConfig(ngram=_WIDTH)
        yield (
            f"textseal Gumbel, top p 0.95, {shape}",
            lambda: sampler.sample_next(logits, contexts[:, -_WIDTH:], 1.0, 0.95),
            2,
        )


def detectors(vocabulary: int, length: int) -> Iterator[tuple[str, Work, int]]:
    """The name of each, what to time on one text of `length` tokens, and in how many rounds."""
    text = np.random.default_rng(1).integers(0, vocabulary, length)
    tokens = torch.from_numpy(text)[None]
    if find_spec("transformers"):
        from transformers import LlamaConfig, WatermarkDetector, WatermarkingConfig

        config = LlamaConfig(vocab_size=vocabulary)
        green = WatermarkDetector(config, "cpu", WatermarkingConfig(), ignore_repeated_ngrams=True)
        few = tokens[:, : min(length, 500)].repeat(1, 1)
        yield f"Hugging Face green-list detector, a token of {few.shape[1]}", lambda: green(few), 1
    if find_spec("synthid_text"):
        from synthid_text.logits_processing import SynthIDLogitsProcessor

        processor: Any = SynthIDLogitsProcessor(
            ngram_len=_WIDTH + 1, keys=_KEYS, sampling_table_size=2**16, sampling_table_seed=0,
            context_history_size=1024, temperature=1.0, top_k=_TOP, device=torch.device("cpu"),
        )  # fmt: skip
        name = f"synthid-text detector (g-values and mask), a token of {length}"
        yield name, lambda: _synthid_scores(processor, tokens), 1
    if _textseal():
        from textseal.common.watermark.core import WatermarkConfig, score_tokens

        yield (
            f"textseal detector (scores), a token of {length}",
            lambda: score_tokens(tokens[0], WatermarkConfig(ngram=_WIDTH)),
            1,
        )


def _textseal() -> bool:
    """Whether it is there. It imports a large library that it only judges texts with."""
    sys.modules.setdefault("sentence_transformers", MagicMock())
    return find_spec("textseal") is not None


def _rows(vocabulary: int, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 3, (batch, vocabulary)).astype(np.float32)
    contexts = rng.integers(0, vocabulary, (batch, 2 * _WIDTH))
    return torch.from_numpy(logits), torch.from_numpy(contexts)


def _then_top(processor: Any, contexts: torch.Tensor, logits: torch.Tensor) -> Work:
    def work() -> object:
        top, ids = torch.topk(processor(contexts, logits.clone()), _TOP, dim=-1)
        return ids.gather(1, torch.multinomial(torch.softmax(top, -1), 1))

    return work


def _synthid_scores(processor: Any, tokens: torch.Tensor) -> object:
    values = processor.compute_g_values(tokens)
    mask = processor.compute_context_repetition_mask(tokens)
    return (values * mask[..., None]).sum() / (mask.sum() * values.shape[-1])
