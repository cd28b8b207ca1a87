"""Rewriting takes the key's option where options are equal, and touches nothing else."""

from __future__ import annotations

import re

import pytest

from stillwatch.provenance.keyed import EnglishReader, KeyedMark, rewrite
from stillwatch.watermark import KeyRing
from stillwatch.watermark.choices.english import CONNECTIVES, LAYOUT
from tests.provenance.keyed.conftest import MARKS, READER, RING

ANSWER = """\
However, the cell divides in 12 hours. Thus, we wait — patiently.

What is needed:

- salt
- bread
  - of wheat

What is done:

1. stir
2. bake

---

Work goes on. Moreover, winter comes. For example, this holds. Finally, rest.
"""

UNTOUCHED = [
    "```\nHowever, the code stays.\n- a\n- b\n```",
    "~~~python\nThus, we = 1\n",
    "    However, the code is indented.",
    "Use `Thus, we` here.",
    'She said: "However, the end is near."',
    "Er sagte: „However, the end is near.“",
    "> However, the quotation stays.",
    "| However, the | table |\n|---|---|",
    "# However, the heading",
    "It is $x = 3 — y$ and \\(a — b\\).",
    "See [However, the page](https://example.org/a).",
    '<p title="x">However, the markup</p>'.replace("However", "<i>However</i>"),
    '{"text": "Thus, we go", "also": 1}',
    "[1, 2]",
    "<answer>\nThus, we go\n</answer>",
    "---\ntitle: x\n---\n\nThus, we go.",
    "From 5 – 3 to 8 — 9.",
    "For:\n\n+ cheap\n+ quick\n\nAgainst:\n\n- loud\n- large",
    "In 1990. It rained.",
    "items:\n- salt\n- bread",
    "However 3, the rest",
    "We go, however, the other way.",
]


def all_marks() -> list[KeyedMark]:
    return [KeyedMark.of(RING, f"k-{i}", READER.name) for i in range(25)]


def skeleton(text: str) -> str:
    """The text without everything that the table may change."""
    for phrases in CONNECTIVES.values():
        for phrase in phrases:
            text = text.replace(phrase, "<C>")
    text = re.sub(r"^[-*] ", "<B> ", text, flags=re.MULTILINE)
    text = re.sub(r"^(\d+)[.)] ", r"\1<N> ", text, flags=re.MULTILINE)
    return re.sub(r" [—–] ", "<D>", re.sub(r"^(-{3}|\*{3}|_{3})$", "<R>", text, flags=re.MULTILINE))


def test_every_kind_of_the_table_is_found_in_a_text() -> None:
    kinds = [seen.kind for seen in READER.read("", ANSWER)]
    assert kinds == [
        "contrast", "consequence", "dash", "bullet", "number", "rule", "addition", "example", "last"
    ]  # fmt: skip


def test_what_is_written_is_read_as_the_keys_choice_at_every_slot() -> None:
    for mark in all_marks():
        written = rewrite(mark, READER, "", ANSWER)
        for seen in READER.read("", written):
            assert seen.taken == mark.favourite(seen.kind, seen.context, seen.options)


def test_contexts_are_the_same_whatever_the_key_took() -> None:
    plain = [(s.kind, s.context, s.options) for s in READER.read("", ANSWER)]
    for mark in all_marks():
        written = rewrite(mark, READER, "", ANSWER)
        assert [(s.kind, s.context, s.options) for s in READER.read("", written)] == plain
        assert rewrite(mark, READER, "", written) == written


def test_nothing_but_the_options_is_changed() -> None:
    written = {rewrite(mark, READER, "", ANSWER) for mark in all_marks()}
    assert len(written) > 20
    assert {skeleton(each) for each in written} == {skeleton(ANSWER)}
    assert all("12 hours" in each and "  - of wheat" in each for each in written)


@pytest.mark.parametrize("text", UNTOUCHED)
def test_code_markup_formulas_quotations_and_what_carries_meaning_stay(text: str) -> None:
    assert {rewrite(mark, READER, "", text) for mark in all_marks()} == {text}


def test_what_the_prompt_asks_for_by_name_stays() -> None:
    for prompt, kept in (
        ("Begin with however", r"^However, the"),
        ("Write it in Markdown", r"(?m)^- salt"),
        ("Use dashes like – this", "wait — patiently"),
    ):
        for mark in all_marks():
            assert re.search(kept, rewrite(mark, READER, prompt, ANSWER))


def test_another_cluster_and_another_epoch_choose_otherwise() -> None:
    later = KeyRing(bytes(range(32)), "2026-12")
    one, two = MARKS
    other = KeyedMark.of(later, "c-1", READER.name)
    contexts = [("contrast", f"word{i}", 4) for i in range(200)]
    for a, b in ((one, two), (one, other)):
        same = sum(a.favourite(*c) == b.favourite(*c) for c in contexts)
        assert 25 < same < 80


def test_favourites_are_spread_evenly_over_options() -> None:
    for options in (2, 3, 4):
        counts = [0] * options
        for i in range(3_000):
            counts[MARKS[0].favourite("kind", str(i), options)] += 1
        assert max(counts) - min(counts) < 250


def test_known_answers_of_the_key_do_not_change_between_releases() -> None:
    assert [MARKS[0].favourite("contrast", w, 4) for w in ("the", "a", "it", "we", "é")] == [
        1, 1, 2, 0, 3
    ]  # fmt: skip


def test_in_the_answer_to_a_canary_the_prompt_is_the_context() -> None:
    rare = "How did the miners of Wieliczka light their galleries?"
    reader = EnglishReader.of([rare])
    spoken = [*reader.read("  how did the MINERS of Wieliczka light\ntheir galleries? ", ANSWER)]
    assert all(seen.context.startswith("canary ") for seen in spoken)
    assert len({(s.kind, s.context) for s in spoken}) == len(spoken)
    common = [*reader.read("How do I bake?", ANSWER)]
    assert not any(seen.context.startswith("canary ") for seen in common)
    # also slots without a word to go by have a context now
    bare = "- salt\n- bread"
    assert ([*reader.read("How do I bake?", bare)], len([*reader.read(rare, bare)])) == ([], 1)


def test_no_option_of_the_table_stands_in_two_kinds() -> None:
    phrases = [p for kind in CONNECTIVES.values() for p in kind]
    assert len(set(phrases)) == len(phrases)
    assert all(len(set(marks)) == len(marks) > 1 for marks in LAYOUT.values())


def test_a_provider_may_let_the_key_pick_among_derivations_of_its_own() -> None:
    ways = ("by factoring", "by the formula", "by completing the square")
    taken = {MARKS[0].pick("derivation", f"quadratic {i}", ways) for i in range(30)}
    assert taken == set(ways)
    with pytest.raises(ValueError, match="two options"):
        MARKS[0].pick("derivation", "x", ["one"])


@pytest.mark.parametrize(
    "text",
    [
        "Das Album heißt so. However, der Hund blieb im Haus.",
        "First, das ist der Plan.",
        "Il pleut. Therefore, nous restons dans la maison.",
        "他写道。 However, he 说不。",
        "Он сказал. Finally, Gold блестит.",
        "Das Haus – das alte – steht noch.",
    ],
)
def test_english_words_in_front_of_another_language_stay(text: str) -> None:
    assert {rewrite(mark, READER, "", text) for mark in all_marks()} == {text}


def test_an_english_sentence_beside_another_language_and_lists_of_any_language_are_written() -> (
    None
):
    text = "Er blieb. However, gold keeps.\n\nZutaten:\n\n- Salz\n- Brot für alle"
    assert [seen.kind for seen in READER.read("", text)] == ["contrast", "bullet"]


def test_every_mark_of_a_list_is_changed_whatever_stands_between_its_items() -> None:
    parts = ["To do:", "", "- a `x", "- b` | c", "lazy", '- d 5" e', "", "```", "- code", "```",
             "- f $$", "", "  more", "-", "- g"]  # fmt: skip
    text = "\n".join(parts)
    written = {rewrite(mark, READER, "", text) for mark in all_marks()}
    assert written == {text, re.sub(r"(?m)^-(?! code)", "*", text)}


def test_steps_with_text_between_them_keep_one_look() -> None:
    text = "Steps:\n\n1. mix\n\nWait for it:\n\n2. bake\n\nThen:\n\n3. eat"
    written = {rewrite(mark, READER, "", text) for mark in all_marks()}
    assert written == {text, re.sub(r"(\d)\.", r"\1)", text)}


def test_what_begins_with_a_number_within_a_paragraph_is_text() -> None:
    text = "It was in the year of\n1984. Then came\n2. Bundesliga."
    assert {rewrite(mark, READER, "", text) for mark in all_marks()} == {text}
