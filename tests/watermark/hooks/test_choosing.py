"""One step of an engine: what it asked for is honoured, and no row can spoil another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.watermark.hooks import Label, Marks
from stillwatch.watermark.hooks.choosing import choose_tokens, places_of
from stillwatch.watermark.hooks.sampling import Sampling
from stillwatch.watermark.hooks.sequence import MarkedSequence

Logits = npt.NDArray[np.float32]
LABEL = Label("radioactive", "normal", "a" * 16)


def tokens(
    marks: Marks,
    logits: Logits,
    outputs: list[list[int]],
    sampling: Sampling = Sampling(),  # noqa: B008
) -> list[int]:
    rows = {
        i: MarkedSequence(marks.of(LABEL), output, sampling=sampling)
        for i, output in enumerate(outputs)
    }
    places = places_of(rows, len(logits))
    assert list(places) == list(rows)
    return choose_tokens(places, rows, logits, np.random.default_rng(0)).tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_without_an_answer_is_left_alone_and_the_others_are_marked(
    marks: Marks, bad: float
) -> None:
    logits = np.random.default_rng(1).normal(size=(3, 50)).astype(np.float32)
    good = tokens(marks, logits, [[1], [2], [3]])
    assert min(good) >= 0
    logits[1] = bad
    assert tokens(marks, logits, [[1], [2], [3]]) == [good[0], -1, good[2]]


def test_a_context_beyond_the_vocabulary_is_left_alone(marks: Marks) -> None:
    logits = np.zeros((2, 50), np.float32)
    left, marked = tokens(marks, logits, [[50], [49]])
    assert left == -1
    assert marked >= 0


def naive(row: Logits, sampling: Sampling) -> set[int]:
    """The tokens that temperature, min p, top k and top p leave, one after the other."""
    cold = row.astype(np.float64) / sampling.temperature
    shares = np.exp(cold - cold.max()) / np.exp(cold - cold.max()).sum()
    left = [int(i) for i in np.argsort(-shares, kind="stable")]
    left = [i for i in left if shares[i] >= sampling.min_p * shares.max()]
    left = left[: sampling.top_k or None]
    total, sums = sum(shares[i] for i in left), 0.0
    kept = set()
    for i in left:
        if sampling.top_p < 1 and sums >= sampling.top_p * total:
            break
        kept.add(i)
        sums += shares[i]
    return kept


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([5, 50, 3000]),
    sampling=st.builds(
        Sampling, temperature=st.floats(0.2, 2), top_k=st.sampled_from([0, 2, 3, 40, 500, 2999]),
        top_p=st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]), min_p=st.sampled_from([0.0, 0.05, 0.5]),
    ),
)  # fmt: skip
def test_a_nucleus_is_that_of_its_definition(seed: int, size: int, sampling: Sampling) -> None:
    row = np.random.default_rng(seed).normal(0, 2, size).astype(np.float32)
    shaped = sampling.shaped(row, (), ())
    left = np.flatnonzero(shaped > -np.inf)
    if sampling.top_k and len(left) > sampling.top_k:  # what remains to the kernel
        left = np.argsort(-shaped, kind="stable")[: sampling.top_k]
    assert set(left.tolist()) == naive(row, sampling)
    assert (shaped[left] == row[left]).all()


def test_penalties_are_those_of_openai_and_of_ctrl() -> None:
    row = np.array([1.0, -1.0, 2.0, 3.0], np.float32)
    sampling = Sampling(presence=0.5, frequency=0.25, repetition=2.0)
    shaped = sampling.shaped(row, prompt=[1, 99], output=[2, 2, -1])
    assert shaped.tolist() == [1.0, -2.0, 1.0 - 0.5 - 2 * 0.25, 3.0]
    assert row.tolist() == [1.0, -1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("sampling", "shares"),
    [
        (Sampling(top_p=0.8), [5 / 8, 3 / 8]),
        (Sampling(top_k=3), [5 / 9, 3 / 9, 1 / 9]),
        (Sampling(temperature=0.5, top_k=2), [25 / 34, 9 / 34]),
        (Sampling(temperature=0.5, min_p=0.2), [25 / 34, 9 / 34]),
    ],
)
def test_a_mark_chooses_what_is_left_as_often_as_its_share(
    marks: Marks, sampling: Sampling, shares: list[float]
) -> None:
    row = np.log(np.array([0.5, 0.3, 0.1, 0.06, 0.04], np.float32))
    rows = 1000
    logits = np.tile(np.pad(row, (0, 1_000 - 5), constant_values=-30), (rows, 1))
    drawn = tokens(marks, logits, [[i] for i in range(rows)], sampling)
    counts = np.bincount(drawn, minlength=len(shares))
    assert len(counts) == len(shares)
    for count, share in zip(counts, shares, strict=True):
        assert abs(count / rows - share) < 4 * np.sqrt(share * (1 - share) / rows)
