"""Plain text and tokens of another model are looked through as tokens of the model's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.errors import InputError
from stillwatch.watermark import (
    GumbelMark,
    KeyRing,
    TokenizerFile,
    detect,
    retokenized,
    surviving,
)
from stillwatch.watermark.mark import Int64s
from tests.watermark.tokenizers_of_tests import trained

RING = KeyRing(bytes(range(32)), epoch="2026-11")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> TokenizerFile:
    return trained(tmp_path_factory.mktemp("own") / "tokenizer.json", 600)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> TokenizerFile:
    return trained(tmp_path_factory.mktemp("other") / "tokenizer.json", 400, seed=9)


def answer(tokenizer: TokenizerFile, mark: GumbelMark, length: int, spread: float) -> Int64s:
    """A marked text of tokens that stand for words, so that decoding and encoding keeps many."""
    rng = np.random.default_rng(4)
    whole = [t for t in range(tokenizer.size) if tokenizer.decode([t]).startswith(" ")]
    logits = np.full((1, tokenizer.size), -np.inf, np.float32)
    text = [whole[0]]
    for _ in range(length):
        logits[0, whole] = rng.normal(0, spread, len(whole))
        text += mark.sample(logits, np.array([text[-mark.context :]]), rng=rng).tolist()
    return np.array(text[1:])


@given(st.text())
def test_every_text_comes_back_from_a_tokenizer_of_bytes(own: TokenizerFile, text: str) -> None:
    tokens, kept = retokenized(text, own)
    assert own.decode(tokens.tolist()) == text
    assert kept == 1


def test_the_mark_is_found_in_what_was_decoded_and_encoded_again(own: TokenizerFile) -> None:
    mark = GumbelMark(RING.key("c-1"), context=1)
    sampled = answer(own, mark, 400, 1.0)
    tokens, _ = retokenized(own.decode(sampled.tolist()), own)
    [found] = detect(tokens, [mark])
    assert found.log10_p is not None
    assert found.log10_p < -12
    assert surviving([sampled], own, 1) > 0.5


def test_tokens_of_another_model_show_the_mark_when_they_are_made_ours(
    own: TokenizerFile, foreign: TokenizerFile
) -> None:
    mark = GumbelMark(RING.key("c-1"), context=1)
    text = own.decode(answer(own, mark, 400, 1.0).tolist())
    theirs, _ = retokenized(text, foreign)
    again, _ = retokenized(foreign.decode(theirs.tolist()), own)
    [in_theirs], [in_ours] = detect(theirs, [mark]), detect(again, [mark])
    assert in_ours.log10_p is not None
    assert in_ours.log10_p < -12
    assert in_theirs.log10_p is not None
    assert in_theirs.log10_p > -4


def test_what_a_tokenizer_cannot_say_is_not_counted_as_kept() -> None:
    class Folding:
        name = "folding"

        def encode(self, text: str) -> list[int]:
            return [ord(letter) for letter in text.lower()]

        def decode(self, tokens: list[int]) -> str:
            return "".join(map(chr, tokens))

    tokens, kept = retokenized("abc\nDef\nghi\n", Folding())
    assert len(tokens) == 12
    assert kept == pytest.approx(8 / 12)


def test_windows_survive_wholly_where_tokens_do(own: TokenizerFile) -> None:
    canonical = retokenized(own.decode(list(range(300, 340))), own).tokens
    assert surviving([canonical], own, 2) == 1


def test_answers_that_have_no_window_are_refused(own: TokenizerFile) -> None:
    with pytest.raises(ValueError, match="more than 4 tokens"):
        surviving([np.array([1, 2, 3])], own, 4)


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    with pytest.raises(InputError, match="cannot be read"):
        TokenizerFile(file)
    file.write_text("{}")
    with pytest.raises(InputError, match="is no tokenizer"):
        TokenizerFile(file)
