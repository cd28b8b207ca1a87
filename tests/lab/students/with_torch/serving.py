"""A teacher's answers and training on them (run in the proof's environment: `make smoke-proof`)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stillwatch.lab.students.generating import Serving, serve
from stillwatch.lab.students.training import Course, loss_of, train
from stillwatch.lab.students.transformer import Shape, Transformer
from stillwatch.watermark import GumbelMark, KeyRing, detect

torch.set_num_threads(1)
SHAPE = Shape(vocabulary=300, width=32, layers=1, heads=2, length=40)
RING = KeyRing(bytes(range(32)), epoch="test")
HOW = Serving(answer=32, batch=8)


def mark(cluster: str) -> GumbelMark:
    return GumbelMark(RING.key(cluster), context=1)


def prompts(count: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 300, (count, 8))


def test_an_answer_carries_the_mark_that_it_was_served_under() -> None:
    rows, nats = serve(Transformer(SHAPE, seed=1).eval(), prompts(20), mark("a"), HOW, seed=1)
    a, b = detect(rows[:, 8:].ravel(), [mark("a"), mark("b")])
    assert a.log10_p < -50
    assert b.log10_p > -4
    assert 3 < nats < np.log(64) + 1e-6  # an untrained model has no preference
    np.testing.assert_array_equal(rows[:, :8], prompts(20))


def test_an_unmarked_answer_carries_none() -> None:
    rows, _ = serve(Transformer(SHAPE, seed=1).eval(), prompts(20), None, HOW, seed=1)
    (found,) = detect(rows[:, 8:].ravel(), [mark("a")])
    assert found.log10_p > -4


def test_a_context_is_marked_once_an_answer() -> None:
    model = Transformer(Shape(vocabulary=300, width=32, layers=1, heads=2, length=200), seed=1)
    with torch.no_grad():  # two tokens are all that it says
        model.said.weight.zero_()
        model.said.weight[2:] = -model.last(model.embedding.weight).mean(0) * 1e4
    rows, _ = serve(model.eval(), prompts(1), mark("a"), Serving(answer=190, top_k=2), seed=1)
    followed = {token: set() for token in rows[0].tolist()}
    for before, after in zip(rows[0, 7:-1].tolist(), rows[0, 8:].tolist(), strict=True):
        followed[before].add(after)
    assert max(map(len, followed.values())) > 1  # marked every time, each would be followed by one


def test_training_learns_what_is_said_and_not_what_was_asked() -> None:
    said = np.tile(np.arange(20), (64, 2))
    asked = np.random.default_rng(1).integers(100, 200, (64, 8))
    rows = np.hstack([asked, said[:, :32]])
    model = Transformer(SHAPE, seed=1)
    untouched = model.embedding.weight[250].clone()
    course = Course(rate=5e-3, epochs=10, batch=4, decay=0.0, brief=False)
    loss = train(model, rows, course, seed=1, prompt=8)
    assert loss < 1.0
    whole = float(loss_of(model, torch.from_numpy(rows)).detach())
    assert whole > loss + 0.5  # of the prompt it knows nothing
    torch.testing.assert_close(model.embedding.weight[250], untouched)


def test_a_seed_is_an_order() -> None:
    rows = np.random.default_rng(1).integers(0, 300, (64, 40))
    losses = []
    for seed in (1, 1, 2):
        model = Transformer(SHAPE, seed=1)
        losses.append(train(model, rows, Course(), seed=seed))
    assert losses[0] == losses[1] != losses[2]


def test_too_few_sequences_are_refused() -> None:
    with pytest.raises(ValueError, match="3 sequences"):
        train(Transformer(SHAPE, seed=1), np.zeros((3, 40), np.int64), Course(), seed=1)
