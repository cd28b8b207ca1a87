"""A small transformer, for teachers and students alike: pre-norm, causal, with a cache of keys.

Vaswani et al. (2017) as GPT-2 arranges it, with RMSNorm and no biases. Sizes are such that one core
trains a million tokens in about a minute.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Caches", "Shape", "Transformer"]

Caches = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, float32 [batch, heads, length, width / heads] each."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a model.

    Args:
        vocabulary: how many token ids there are.
        width: of the residual stream.
        layers: blocks of attention and feed-forward.
        heads: of each attention; they divide the width.
        length: the longest sequence.
        tied: whether the output reads the embedding of the input.
    """

    vocabulary: int = 2_048
    width: int = 128
    layers: int = 2
    heads: int = 4
    length: int = 128
    tied: bool = False


class _Block(nn.Module):
    """Attention and feed-forward, each added to what came in."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.before_attention = nn.RMSNorm(width)
        self.asks_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.attended = nn.Linear(width, width, bias=False)
        self.before_feeding = nn.RMSNorm(width)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(
        self, x: Tensor, cache: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        batch, length, width = x.shape
        parts = self.asks_keys_values(self.before_attention(x))
        parts = parts.view(batch, length, 3, self.heads, width // self.heads)
        asks, keys, values = parts.permute(2, 0, 3, 1, 4)
        if cache is not None:
            keys = torch.cat((cache[0], keys), 2)
            values = torch.cat((cache[1], values), 2)
        mixed = functional.scaled_dot_product_attention(
            asks, keys, values, is_causal=cache is None
        )
        x = x + self.attended(mixed.transpose(1, 2).reshape(batch, length, width))
        x = x + self.down(functional.gelu(self.up(self.before_feeding(x))))
        return x, (keys, values)


class Transformer(nn.Module):
    """Token ids to logits of what follows each."""

    def __init__(self, shape: Shape, *, seed: int) -> None:
        super().__init__()
        self.shape = shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embedding = nn.Embedding(shape.vocabulary, shape.width)
            self.places = nn.Embedding(shape.length, shape.width)
            self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.layers))
            self.last = nn.RMSNorm(shape.width)
            self.said = nn.Linear(shape.width, shape.vocabulary, bias=False)
            for weight in (self.embedding.weight, self.places.weight, self.said.weight):
                nn.init.normal_(weight, std=0.02)
        if shape.tied:
            self.said.weight = self.embedding.weight

    def forward(self, tokens: Tensor, caches: Caches | None = None) -> tuple[Tensor, Caches]:
        """Logits [batch, length, vocabulary], and the caches that the next token needs.

        Args:
            tokens: int64 [batch, length]; with caches, what follows the cached, one at a time.
            caches: of an earlier call.

        Raises:
            ValueError: more tokens than the model has places for; several after a cache.
        """
        before = 0 if caches is None else caches[0][0].shape[2]
        length = tokens.shape[1]
        if before + length > self.shape.length:
            raise ValueError(f"the model has {self.shape.length} places, not {before + length}")
        if before and length > 1:
            raise ValueError("after a cache comes one token at a time")
        x = self.embedding(tokens) + self.places.weight[before : before + length]
        kept: Caches = []
        for i, block in enumerate(self.blocks):
            x, cache = block(x, None if caches is None else caches[i])
            kept.append(cache)
        return self.said(self.last(x)), kept
