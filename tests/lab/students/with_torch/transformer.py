"""The small transformer (run in the proof's environment: `make smoke-proof`)."""

from __future__ import annotations

import pytest
import torch

from stillwatch.lab.students.transformer import Cache, Shape, Transformer

SHAPE = Shape(vocabulary=300, width=32, layers=2, heads=4, length=24)


def model() -> Transformer:
    return Transformer(SHAPE, seed=1).eval()


def some(*size: int) -> torch.Tensor:
    return torch.randint(0, 300, size, generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def test_one_token_at_a_time_says_the_same_as_all_at_once() -> None:
    tokens = some(3, 12)
    whole = model()(tokens)
    cache = Cache(SHAPE, 3)
    said = [model()(tokens[:, :5], cache)]
    said += [model()(tokens[:, at : at + 1], cache) for at in range(5, 12)]
    torch.testing.assert_close(torch.cat(said, 1), whole[:, 4:], atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_what_follows_is_not_seen() -> None:
    tokens, other = some(1, 12), some(1, 12)
    other[:, :7] = tokens[:, :7]
    other[:, 7:] = (tokens[:, 7:] + 1) % 300
    a, b = model()(tokens), model()(other)
    torch.testing.assert_close(a[:, :7], b[:, :7])
    assert (a[:, 7:] - b[:, 7:]).abs().amin(-1).min() > 0 or not torch.allclose(a[:, 7:], b[:, 7:])


def test_a_seed_is_a_model() -> None:
    torch.testing.assert_close(Transformer(SHAPE, seed=1).said.weight, model().said.weight)
    assert not torch.equal(Transformer(SHAPE, seed=2).said.weight, model().said.weight)


def test_more_tokens_than_places_are_refused() -> None:
    with pytest.raises(ValueError, match="24 places, not 25"):
        model()(some(1, 25))
    cache = Cache(SHAPE, 1)
    model()(some(1, 3), cache)
    with pytest.raises(ValueError, match="one at a time"):
        model()(some(1, 2), cache)
