"""Windows: the first of each context, by a table that nobody can overfill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.watermark import History, windows
from stillwatch.watermark.windows import Once, contexts_of, counted


def by_hand(tokens: list[int], context: int, once: Once, prefix: bool) -> list[int]:
    padded, seen, kept = [-1] * context + tokens, set(), []
    for at in range(0 if prefix else context, len(tokens)):
        known = tuple(padded[at : at + context + (once == "pair")])
        if once == "never" or known not in seen:
            kept.append(at)
        seen.add(known)
    return kept


ONCE = st.sampled_from(["context", "pair", "never"])


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), max_size=300), st.integers(1, 5), ONCE, st.booleans())
def test_windows_that_count_are_those_of_a_plain_loop(
    tokens: list[int], context: int, once: Once, prefix: bool
) -> None:
    said = counted(np.array(tokens, np.int64), context, once=once, prefix=prefix)
    assert said.tolist() == by_hand(tokens, context, once, prefix)


@pytest.mark.parametrize("once", ["context", "pair"])
def test_a_text_of_many_parts_and_buckets_is_counted_alike(
    once: Once, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "_PART", 5_000)  # 60,000 tokens: sixteen parts, over all cores
    tokens = (np.random.default_rng(1).zipf(1.3, 60_000) % 1_000).astype(np.int64)
    for context in (1, 3):
        said = counted(tokens, context, once=once)
        assert said.tolist() == by_hand(tokens.tolist(), context, once, True)


def test_contexts_hold_what_came_before_and_minus_one_where_nothing_did() -> None:
    tokens = np.array([5, 6, 7, 8])
    assert contexts_of(tokens, 2, np.arange(4)).tolist() == [[-1, -1], [-1, 5], [5, 6], [6, 7]]
    assert contexts_of(tokens, 5, np.array([3])).tolist() == [[-1, -1, 5, 6, 7]]
    assert contexts_of(tokens, 3, np.array([], np.int64)).shape == (0, 3)
    for wrong in (-1, 4):
        with pytest.raises(ValueError, match="within the text"):
            contexts_of(tokens, 2, np.array([wrong]))


def test_a_history_knows_each_context_once_and_by_its_width() -> None:
    history = History()
    assert [history.first(np.array(c)) for c in ([1], [2], [1], [1, 1], [1, 1])] == [
        True, True, False, True, False,
    ]  # fmt: skip
    assert len(history) == 3
    assert History().first(np.array([1]))


@pytest.mark.parametrize("tokens", [np.zeros((2, 2), np.int64), np.zeros(3), np.array(["a"])])
def test_what_are_no_tokens_is_refused(tokens: np.ndarray) -> None:
    with pytest.raises(ValueError, match="tokens are integers"):
        counted(tokens, 1)


def test_a_context_of_no_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        counted(np.array([1]), 0)


@pytest.mark.slow
def test_ten_million_tokens_are_counted() -> None:
    tokens = np.arange(10_000_000) % 3_000_017
    assert len(counted(tokens, 2)) == 3_000_017 + 2
