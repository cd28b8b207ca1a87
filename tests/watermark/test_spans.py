"""Spans: found where the mark is, and hardly ever where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.watermark import GumbelMark, KeyRing, MarkKey, Vocabulary, spans
from tests.watermark.conftest import VOCABULARY, write


def plain(length: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, VOCABULARY, length)


def test_two_marked_passages_in_a_long_text_are_found_where_they_are(ring: KeyRing) -> None:
    mark = GumbelMark(ring.key("c"), 4)
    one, two = write([mark, mark], 150)
    text = np.concatenate([plain(900, 1), one, plain(1_500, 2), two, plain(300, 3)])
    found = spans(text, mark)
    covered = np.zeros(len(text), np.bool_)
    for span in found:
        covered[span.start : span.stop] = True
        assert span.log10_p <= -2
    marked = np.zeros(len(text), np.bool_)
    marked[900:1_050] = marked[2_550:2_700] = True
    assert (covered & marked).sum() >= 0.8 * 300
    assert (covered & ~marked).sum() <= 0.15 * 300
    assert [s.start for s in found] == sorted(s.start for s in found)


def test_a_text_that_is_marked_throughout_is_one_span(ring: KeyRing) -> None:
    mark = GumbelMark(ring.key("c"), 2)
    [text] = write([mark], 256)
    [span] = spans(text, mark)
    assert span.stop - span.start > 230


def test_no_span_is_named_in_a_text_of_another_key_more_often_than_alpha(ring: KeyRing) -> None:
    text = plain(400, 4)
    alpha, trials = 0.2, 400
    false = sum(bool(spans(text, GumbelMark(MarkKey(key, "e", "c"), 2), alpha=alpha))
                for key in range(trials))  # fmt: skip
    assert false <= alpha * trials + 3 * np.sqrt(trials * alpha * (1 - alpha))
    assert false > 0


def test_where_nothing_can_be_said_there_is_no_span(ring: KeyRing) -> None:
    mark = GumbelMark(ring.key("c"), 2)
    assert spans(np.array([], np.int64), mark) == []
    assert spans(np.full(500, 7), mark) == []
    assert spans(plain(12, 5), mark) == []
    [text] = write([mark], 100)
    assert spans(text, mark, vocabulary=Vocabulary(10)) == []
    assert spans(text, mark, vocabulary=Vocabulary(VOCABULARY)) != []
    for alpha in (0.0, 1.0):
        with pytest.raises(ValueError, match="alpha"):
            spans(text, mark, alpha=alpha)
