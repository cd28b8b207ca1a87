"""A small transformer, for teachers and students alike: pre-norm, causal, with a cache of keys.

Vaswani et al. (2017) as GPT-2 arranges it, with RMSNorm and no biases. Sizes are such that one core
trains a million tokens in about a minute.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Cache", "Shape", "Transformer"]


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


class Cache:
    """The keys and values of what a batch has read, so that the next token costs one step."""

    def __init__(self, shape: Shape, batch: int) -> None:
        size = (shape.layers, 2, batch, shape.heads, shape.length, shape.width // shape.heads)
        self.room = torch.zeros(size)
        self.filled = 0

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values of this layer with these after them [batch, heads, length, …]."""
        end = self.filled + keys.shape[2]
        room = self.room[layer]
        room[0, :, :, self.filled : end] = keys
        room[1, :, :, self.filled : end] = values
        return room[0, :, :, :end], room[1, :, :, :end]


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

    def forward(self, x: Tensor, cache: Cache | None, layer: int) -> Tensor:
        batch, length, width = x.shape
        parts = self.asks_keys_values(self.before_attention(x))
        parts = parts.view(batch, length, 3, self.heads, width // self.heads)
        asks, keys, values = parts.permute(2, 0, 3, 1, 4)
        if cache is not None:
            keys, values = cache.extend(layer, keys, values)
        if length == 1:  # plain products are faster than the fused kernel for one row
            shares = (asks @ keys.transpose(2, 3) * (width // self.heads) ** -0.5).softmax(-1)
            mixed = shares @ values
        else:
            mixed = functional.scaled_dot_product_attention(asks, keys, values, is_causal=True)
        x = x + self.attended(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(functional.gelu(self.up(self.before_feeding(x))))


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

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Logits of what follows each token, float [batch, length, vocabulary].

        With a cache, of what follows the last token only: [batch, 1, vocabulary].

        Args:
            tokens: int64 [batch, length]; after what is cached, one at a time.
            cache: of what came before; it takes these tokens in.

        Raises:
            ValueError: more tokens than the model has places for; several after a cache.
        """
        before = 0 if cache is None else cache.filled
        length = tokens.shape[1]
        if before + length > self.shape.length:
            raise ValueError(f"the model has {self.shape.length} places, not {before + length}")
        if before and length > 1:
            raise ValueError("after what is cached, tokens come one at a time")
        x = self.embedding(tokens) + self.places.weight[before : before + length]
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer)
        if cache is not None:
            cache.filled += length
            x = x[:, -1:]  # who keeps a cache asks for the next token only
        said: Tensor = self.said(self.last(x))
        return said
