"""Words of a text, in any script."""

from __future__ import annotations

import re

import pytest

from stillwatch.watermark import WORDS, word_ids


def same(one: str, other: str) -> bool:
    return word_ids(one).tolist() == word_ids(other).tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one two three", 3),
        ("don't stop", 3),
        ("x=f(y1, y2)", 4),
        ("1,000.5 kg", 4),
        ("  \n\t ...!", 0),
        ("🙂 ok 🙂", 1),
        ("你好世界", 4),
        ("カタカナ", 4),
        ("안녕하세요 세계", 2),
        ("สวัสดี", 4),
        ("नमस्ते दुनिया", 2),
        ("مرحبا بالعالم", 2),
        ("Naïve façade", 2),
        ("GPT4は速い", 4),
        ("𠀀𠀁", 2),
        ("\u0301 a\u0301b", 1),
        ("a\ud800b", 2),
    ],
)
def test_words_are_counted_in_every_script(text: str, words: int) -> None:
    assert len(word_ids(text)) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello, WORLD!", "hello world"),
        ("ﬁne ｗｉｄｅ", "fine wide"),
        ("re\u0301sume\u0301", "résumé"),
        ("Straße", "STRASSE"),
        ("wa\u200bter\u00admark", "watermark"),
        ("漢\ufe00字", "漢字"),
        ("ΣΑΣ", "σας"),
        ("5㎒", "5mhz"),
    ],
)
def test_what_reads_the_same_has_the_same_words(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ab c", "a bc"), ("ab", "ba"), ("a b", "ab"), ("resume", "résumé"), ("a b", "b a")],
)
def test_what_reads_differently_has_other_words(one: str, other: str) -> None:
    assert not same(one, other)


def test_ids_fit_their_vocabulary_and_rarely_meet() -> None:
    text = " ".join(f"w{i}" for i in range(50_000))
    ids = word_ids(text)
    assert ids.min() >= 0
    assert ids.max() < WORDS.size == 2**32 - 1
    assert len(set(ids.tolist())) >= 49_998
    assert len(ids) == len(re.findall(r"\w+", text))


def test_ids_stay_what_they_were() -> None:
    known = [1984170341, 2206239450, 595733281, 3541999318]
    assert word_ids("the mark 你好").tolist() == known
