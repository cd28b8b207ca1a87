"""What a teacher serves: answers to prompts, each token chosen through `stillwatch.watermark`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from stillwatch.lab.students.transformer import Cache, Transformer
from stillwatch.watermark import History, LayeredMark, Mark, sample_rows
from stillwatch.watermark.mark import Int64s

__all__ = ["Serving", "serve"]

#: the entropy is taken at every so many places
_EVERY: Final = 8


@dataclass(frozen=True, slots=True)
class Serving:
    """How answers are drawn.

    Args:
        answer: tokens an answer.
        temperature, top_k: as an engine takes them.
        batch: prompts that are answered side by side.
    """

    answer: int = 112
    temperature: float = 0.9
    top_k: int = 64
    batch: int = 256


@torch.inference_mode()
def serve(
    model: Transformer,
    prompts: Int64s,
    mark: Mark | LayeredMark | None,
    how: Serving,
    *,
    seed: int,
    into_prompt: bool = True,
) -> tuple[Int64s, float]:
    """Prompts with their answers, and the entropy of the choices.

    Each answer is a request: a context that it met before is sampled unmarked.

    Args:
        prompts: int64 [requests, prompt], at least as long as the mark's context.
        mark: of all answers; None is unmarked.
        into_prompt: whether contexts reach into the prompt, as with vLLM's and SGLang's own
            samplers; without, the first tokens are drawn freely, as by our hooks.

    Returns:
        int64 [requests, prompt + answer]; the mean entropy of the distributions that tokens were
        drawn from (after temperature and top k), nats a token.
    """
    rng = np.random.default_rng(seed)
    out = np.empty((len(prompts), prompts.shape[1] + how.answer), np.int64)
    entropy, counted = 0.0, 0
    for start in range(0, len(prompts), how.batch):
        some = prompts[start : start + how.batch]
        rows = out[start : start + how.batch]
        rows[:, : some.shape[1]] = some
        marks, histories = [mark] * len(some), [History() for _ in some]
        cache = Cache(model.shape, len(some))
        fed = torch.from_numpy(np.ascontiguousarray(some))
        for at in range(some.shape[1], out.shape[1]):
            logits = model(fed, cache)[:, -1]
            if at % _EVERY == 0:
                entropy, counted = entropy + _entropy(logits, how), counted + len(some)
            free = mark is None or (not into_prompt and at - some.shape[1] < mark.context)
            chosen = sample_rows(
                [None] * len(some) if free else marks, logits.numpy(), rows[:, :at],
                histories=histories,
                temperature=how.temperature, top_k=how.top_k, rng=rng,
            )  # fmt: skip
            rows[:, at] = chosen
            fed = torch.from_numpy(chosen)[:, None]
    return out, entropy / max(1, counted)


def _entropy(logits: torch.Tensor, how: Serving) -> float:
    """The entropies of the rows after temperature and top k, added, in nats."""
    few = torch.topk(logits, min(how.top_k, logits.shape[1])).values / how.temperature
    logs = torch.log_softmax(few, 1)
    return float(-(logs.exp() * logs).sum())
