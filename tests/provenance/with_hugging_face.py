"""A torch model as a suspect. Not collected: `make smoke-proof` runs it, where torch is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stillwatch.provenance.radioactivity import HuggingFaceSuspect


class Config:
    vocab_size = 7


class Output:
    def __init__(self, logits: object) -> None:
        self.logits = logits


class Model(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Logits that depend on the token and on the one before it; two of them are padding."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.config = Config()
        self.table = torch.nn.Parameter(torch.randn(7, 7, 9))

    def forward(self, input_ids: object) -> Output:
        before = torch.nn.functional.pad(input_ids, (1, 0))[:, :-1]
        return Output(self.table[before, input_ids])


def test_rows_are_the_softmax_of_the_tokens_without_padding() -> None:
    model, text = Model(), np.array([3, 1, 6, 0, 2])
    [rows] = HuggingFaceSuspect(model).probabilities([text])
    assert rows.shape == (5, 7)
    assert rows.dtype == np.float32
    expected = torch.softmax(model.table[1, 6, :7], -1).detach().numpy()
    assert np.allclose(rows[2], expected, atol=1e-6)


def test_a_long_text_is_read_in_pieces_that_see_what_came_before() -> None:
    model, text = Model(), np.random.default_rng(1).integers(0, 7, 50)
    [whole] = HuggingFaceSuspect(model).probabilities([text])
    [pieces] = HuggingFaceSuspect(model, window=8).probabilities([text])
    assert np.allclose(whole, pieces, atol=1e-6)


def test_any_callable_will_do_and_is_told_its_vocabulary() -> None:
    table = Model().table.detach()
    suspect = HuggingFaceSuspect(lambda ids: table[ids, ids], vocabulary=7)
    [rows] = suspect.probabilities([np.array([4])])
    assert np.allclose(rows[0], torch.softmax(table[4, 4, :7], -1), atol=1e-6)
    with pytest.raises(ValueError, match="name the vocabulary"):
        HuggingFaceSuspect(lambda ids: table[ids, ids])
    one = [np.array([4])]
    with pytest.raises(ValueError, match="9 logits for 10"):
        list(HuggingFaceSuspect(lambda ids: table[ids, ids], vocabulary=10).probabilities(one))
    with pytest.raises(ValueError, match="logits are"):
        list(HuggingFaceSuspect(lambda ids: table[ids], vocabulary=7).probabilities(one))
