"""Plain text: words as tokens, synonyms and where they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.errors import InputError
from stillwatch.lab.attacks import (
    Chunks,
    Mixing,
    OnWords,
    Synonyms,
    Truncation,
    Wording,
    attacked,
    read_thesaurus,
)
from stillwatch.watermark import KeyRing, SelectionMark, detect_texts

RNG = np.random.default_rng

MYTHES = """UTF-8
quick|2
(adj)|speedy|fast (similar term)
(adj)|agile|nimble|spry
house|2
(noun)|dwelling (generic term)|family|household
(noun)|firm|business firm
large|1
(adj)|big|Brobdingnagian|large
paris|1
(noun)|City of Light|French capital
with|1
(noun)|withe
old|1
(adj)|aged
empty|1
(adj)|full (antonym)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "th.dat"
    path.write_text(MYTHES)
    return path


@given(st.text())
def test_a_text_read_and_written_is_the_text(text: str) -> None:
    wording = Wording()
    assert wording.write(wording.read(text).tolist()) == text


def test_words_that_come_together_are_parted() -> None:
    wording = Wording()
    ids = wording.read("one two").tolist()
    assert wording.write([*ids, *ids]) == "one two one two"


def test_an_attack_on_tokens_is_one_on_words() -> None:
    text, wording = "One two.\n\nThree four.", Wording()
    assert OnWords(Truncation(3), wording)(text, RNG(0)) == "One two.\n\nThree "
    assert OnWords(Chunks(2, 0.5), wording)(text, RNG(0)) in ("One two.\n\n", "Three four.")


def test_sentences_are_mixed_whole() -> None:
    wording = Wording()
    ours = " ".join(f"Our {i} sentence is here." for i in range(30))
    cover = wording.read(" ".join(f"Their {i} words stand around it!" for i in range(200)))
    wording.read(ours)
    mixed = OnWords(Mixing(0.3, cover, 4, wording.ends), wording)(ours, RNG(1))
    sentences = mixed.replace("! ", "!|").replace(". ", ".|").split("|")
    assert {s for s in sentences if s.startswith("Our")} == set(ours.replace(". ", ".|").split("|"))
    # where the cover begins and ends it may be in the middle of a sentence
    broken = [s for s in sentences if not s.startswith(("Our", "Their"))]
    assert len(broken) <= 1
    assert sum(s.startswith("Our") for s in sentences) / len(sentences) == pytest.approx(
        0.3, abs=0.1
    )


def test_a_thesaurus_gives_single_words_of_the_first_sense_that_has_some(file: Path) -> None:
    assert read_thesaurus(file) == {
        "quick": ("speedy",), "house": ("family", "household"), "large": ("big",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "complaint"),
    [("UTF-8\nquick|2\n(adj)|speedy\n", "th.dat:2: is no entry"), ("UTF-8\nquick\n", "th.dat:2: "),
     ("no-such-code\nquick|1\n(adj)|fast\n", "th.dat:1: is no thesaurus"),
     ("UTF-8\nquick|0\n", "th.dat:2: ")],
)  # fmt: skip
def test_what_is_no_thesaurus_is_said_with_its_line(file: Path, said: str, complaint: str) -> None:
    file.write_text(said)
    with pytest.raises(InputError, match=complaint):
        read_thesaurus(file)


def test_a_thesaurus_that_is_not_there_is_said_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mythes-en-us"):
        read_thesaurus(tmp_path / "none.dat")


def test_synonyms_keep_the_case_and_what_stands_between(file: Path) -> None:
    replaced = Synonyms(1.0, {"quick": ("speedy",), "large": ("big",), "house": ("household",)})
    said = replaced("Quick,  LARGE «house» – quickly; a paris.", RNG(0))
    assert said == "Speedy,  BIG «household» – quickly; a paris."


def test_so_many_words_are_replaced_as_the_rate_says() -> None:
    text = " ".join(["quick other"] * 100)
    for rate in (0.0, 0.1, 0.5, 1.0):
        said = Synonyms(rate, {"quick": ("speedy",)})(text, RNG(0)).split()
        assert said.count("speedy") == min(round(rate * 200), 100)


def test_synonyms_lower_the_evidence_of_a_selection_and_raise_no_other() -> None:
    """Words that all have a synonym, so that a rate of one leaves no window."""
    ring, rng = KeyRing(bytes(32), "2026-11"), RNG(1)
    mark = SelectionMark(ring.key("c", "selection"), context=2)
    words = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]
    sent = []
    for _ in range(40):
        drafts = [" ".join(rng.choice(words, 50)) for _ in range(8)]
        sent.append(drafts[mark.choose(drafts, rng=rng)])
    # numbers are no words to a synonym
    spelt = {word: (f"other{word[4:]}",) for word in words}
    other = mark.with_key(ring.key("d", "selection"))
    left = []
    for rate in (0.0, 0.25, 1.0):
        said = " ".join(attacked(sent, Synonyms(rate, spelt)))
        [[own, innocent]] = detect_texts([said], [mark, other], decoys=0)
        assert own.log10_p is not None
        assert innocent.log10_p is not None
        assert innocent.log10_p > -2.5
        left.append(own.log10_p)
    assert left[0] < -8
    assert left[0] + 2 < left[1] < left[2]
    assert left[2] > -2
