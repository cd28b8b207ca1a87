"""Training of a teacher, a base or a student: AdamW, cosine, each sequence once an epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from stillwatch.lab.students.transformer import Transformer
from stillwatch.watermark.mark import Int64s

__all__ = ["Course", "loss_of", "train"]


@dataclass(frozen=True, slots=True)
class Course:
    """How a model is trained.

    Args:
        rate: the highest learning rate, after the warm-up; it falls to a tenth by a cosine.
        epochs: how often each sequence is seen.
        batch: sequences a step.
        warm: the share of the steps over which the rate rises.
        decay: of weights, AdamW's.
        brief: whether products are computed in bfloat16.
    """

    rate: float = 1e-3
    epochs: int = 1
    batch: int = 32
    warm: float = 0.05
    decay: float = 0.01
    brief: bool = True


def train(
    model: Transformer, sequences: Int64s, course: Course, *, seed: int, prompt: int = 1
) -> float:
    """Train in place; gives the mean loss of the last tenth of the steps, nats a token.

    Args:
        sequences: int64 [sequences, length].
        seed: of the order.
        prompt: the first tokens of each sequence, which nothing is learned from (at least 1).

    Raises:
        ValueError: fewer sequences than one step takes.
    """
    if len(sequences) < course.batch:
        raise ValueError(f"{len(sequences)} sequences are fewer than the {course.batch} of a step")
    rng = np.random.default_rng(seed)
    a_pass = len(sequences) // course.batch
    steps, model = a_pass * course.epochs, model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(), course.rate, betas=(0.9, 0.95), weight_decay=course.decay, fused=True
    )
    losses = []
    for step in range(steps):
        if step % a_pass == 0:
            order = rng.permutation(len(sequences))
        at = step % a_pass * course.batch
        some = torch.from_numpy(sequences[order[at : at + course.batch]])
        for group in optimizer.param_groups:
            group["lr"] = course.rate * _share(step / steps, course.warm)
        loss = loss_of(model, some, prompt, brief=course.brief)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    model.eval()
    return float(np.mean(losses[-max(1, steps // 10) :]))


def loss_of(
    model: Transformer, tokens: torch.Tensor, prompt: int = 1, *, brief: bool = False
) -> torch.Tensor:
    """The mean cross entropy of the tokens after the prompt, nats a token."""
    with torch.autocast("cpu", torch.bfloat16, enabled=brief):
        said = model(tokens[:, :-1])
    heard = said[:, prompt - 1 :].float()
    return functional.cross_entropy(heard.flatten(0, 1), tokens[:, prompt:].flatten())


def _share(done: float, warm: float) -> float:
    """The share of the highest rate after this share of the steps."""
    if done < warm:
        return (done + 1e-3) / (warm + 1e-3)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))
