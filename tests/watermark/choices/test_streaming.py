"""An answer that comes in pieces is written as it would be written whole, with little held back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stillwatch.watermark.choices import EnglishReader, Rewriter, rewrite
from stillwatch.watermark.choices.english import CONNECTIVES
from stillwatch.watermark.choices.scanner import HELD
from tests.provenance.keyed.conftest import MARKS, READER
from tests.watermark.choices.test_rewriting import ANSWER, UNTOUCHED, all_marks

MARK = MARKS[0]
#: of what Markdown is made, so that whatever may stand next to anything does
_PARTS = [
    *(phrase for phrases in CONNECTIVES.values() for phrase in phrases),
    *(f"{start}{phrases[0]} {word}"
      for phrases in CONNECTIVES.values()
      for start, word in ((". ", "gold"), ("\n", "the cell is"), ("\n\n", "der Hund"))),
    *("the cell", "we", "Gold", "a", "é", "x" * 45, "\ud800", "他说", "(", ")", "]", "steps:"),
    *("\n", "\n", "\n\n", "\r\n", " ", " ", " ", ". ", ": ", ":\n\n", "! ", ".", "\t", "    "),
    *(" — ", " – ", "—", "a — b", "---", "***", "___", "\n\n---\n\n", "a\n\n***\n\nb", "- ", "* "),
    *("a:\n- a\n- b", "a:\n\n1. a\n2. b", "+ ", "1. ", "2) ", "10.", "\n- ", "\n* ", "\n2. "),
    *("`", "``", "```", "\n```\n", "~~~", "$", "$$", "\\[", "\\]", "\\(", "\\)", "\\", "<", "<!--"),
    *("-->", "<b>", "[", "](", '"', "“", "”", "„", "«", "»", "|", "\n> ", "\n# ", "{", "\n  "),
]  # fmt: skip
_TEXTS = st.lists(st.sampled_from(_PARTS), max_size=30).map("".join)


def streamed(prompt: str, pieces: list[str], reader: EnglishReader = READER) -> list[str]:
    rewriter = Rewriter(MARK, reader, prompt)
    return [*map(rewriter.feed, pieces), rewriter.end()]


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    return [text[a:b] for a, b in pairwise(ends)]


@settings(max_examples=600, deadline=None)
@given(_TEXTS, st.lists(st.integers(0, 300), max_size=30))
@example("Steps:\n\n- a\n- b\n* c", [1, 8, 9, 10, 14])
@example("x.\n\n---\n\nHowever, we", [3, 5, 6, 7, 8, 9, 17])
def test_how_an_answer_is_cut_does_not_change_what_is_written(text: str, places: list[int]) -> None:
    whole = rewrite(MARK, READER, "", text)
    assert "".join(streamed("", cut(text, places))) == whole
    assert "".join(streamed("", list(text))) == whole


@settings(max_examples=600, deadline=None)
@given(_TEXTS, st.integers(0, 24))
def test_what_is_written_is_read_again_with_the_same_contexts(text: str, key: int) -> None:
    mark = all_marks()[key]
    written = rewrite(mark, READER, "", text)
    assert rewrite(mark, READER, "", written) == written
    before = [(s.kind, s.context, s.options) for s in READER.read("", text)]
    after = [*READER.read("", written)]
    assert [(s.kind, s.context, s.options) for s in after] == before
    assert all(s.taken == mark.favourite(s.kind, s.context, s.options) for s in after)


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_no_more_than_a_few_words_are_ever_held_back(text: str) -> None:
    come = gone = 0
    rewriter = Rewriter(MARK, EnglishReader.of(["rare"]), "no")  # nothing is changed in length
    rewriter._scanner._choose = lambda slot: slot.taken
    for each in text:
        come += 1
        gone += len(rewriter.feed(each))
        assert 0 <= come - gone <= HELD
    assert gone + len(rewriter.end()) == come


@pytest.mark.parametrize("text", [ANSWER, *UNTOUCHED])
def test_known_answers_come_out_alike_one_character_at_a_time(text: str) -> None:
    for reader, prompt in ((READER, ""), (EnglishReader.of(["Rare?"]), "rare?")):
        whole = rewrite(MARK, reader, prompt, text)
        assert "".join(streamed(prompt, list(text), reader)) == whole


def test_plain_text_is_not_held_back_at_all() -> None:
    said = streamed("", ["Water ", "boils at ", "100 degrees", ", more or ", "less."])
    assert said == ["Water ", "boils at ", "100 degrees", ", more or ", "less.", ""]


@pytest.mark.parametrize("part", ["x", "`", "- ", '"', "[", " ", "\\", "$", "—", "\n", "---", "1"])
def test_text_of_one_thing_alone_is_never_kept(part: str) -> None:
    rewriter = Rewriter(MARK, READER, "")
    for _ in range(20):
        rewriter.feed(part * 1_000)
        assert len(rewriter._scanner._text) <= HELD + 2


def test_how_many_choices_were_written_is_known() -> None:
    rewriter = Rewriter(MARK, READER, "")
    written = rewriter.feed(ANSWER) + rewriter.end()
    assert rewriter.slots == 9
    again = Rewriter(MARK, READER, "")
    again.feed(written)
    again.end()
    assert (again.slots, again.changed) == (9, 0)
    assert rewriter.changed > 0
