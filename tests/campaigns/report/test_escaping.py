"""Account names, labels and masked words are chosen by strangers: nothing of them may act."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.campaigns import Campaign, ScanReport, Template, Tie
from stillwatch.campaigns.report import render
from stillwatch.campaigns.report.names import BUDGET, SHOWN, LongNames, masked, shorten, visible
from stillwatch.detections import Evidence, Family

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></svg><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "]]><!--",
    "javascript:alert(1)",
    "&lt;b&gt;&#x3c;",
    "safe\u202egnp.exe",
    "zero\u200bwidth\ufeff",
    "line\nbreak\x00null",
    "\ud800 lone surrogate",
    "e" + "\u0301" * 40,
    "   ",
    "",
    "x" * 5000,
    "ب" * 5000,
]  # fmt: skip


@pytest.fixture
def page_of(
    make_report: Callable[..., ScanReport],
    make_campaign: Callable[..., Campaign],
    read: Callable[[str], Any],
) -> Callable[[str], Any]:
    """A page in which a text stands in every place that a stranger can reach."""

    def page(text: str) -> Any:
        names = [text, "neighbour", "other"]
        evil = Evidence(Family.CONTENT, text or "none", 1.0, 0.5, text, weight=2.0)
        campaign = make_campaign(
            names,
            evidence=(evil,),
            counter=(dataclasses.replace(evil, speaks_for=False),),
            templates=(Template(f"say ▢ {text}", 2, 1, 3),),
            ties=(Tie("echo", text, tuple(names)), Tie(text, text, tuple(names[:2]))),
            reasons=(text,),
        )
        campaign = dataclasses.replace(campaign, id=text)
        source = dataclasses.replace(make_report().source, files=(text,), format=text)
        report = make_report(
            campaign,
            source=source,
            notes=(text,),
            reference=text or None,
            version=text,
            caveat=text,
        )
        html = render(report)
        html.encode()
        return read(html)

    return page


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:24]))
def test_no_hostile_text_adds_an_element_or_an_attribute(
    text: str, page_of: Callable[[str], Any]
) -> None:
    def skeleton(page: Any) -> set[tuple[str, tuple[str, ...]]]:
        return {(tag, tuple(attrs)) for tag, attrs in page.elements}

    harmless = skeleton(page_of("harmless")) | skeleton(page_of("h" * 5000))
    assert skeleton(page_of(text)) - harmless == set()


def test_what_was_escaped_can_still_be_read(page_of: Callable[[str], Any]) -> None:
    text = page_of("<script>alert(1)</script>").text
    assert text.count("<script>alert(1)</script>") >= 6


def test_a_template_expression_in_a_name_is_not_evaluated(page_of: Callable[[str], Any]) -> None:
    text = page_of("{{ 7 * 7 }}").text
    assert "{{ 7 * 7 }}" in text
    assert " 49 " not in text


def test_bidi_overrides_and_zero_width_characters_are_shown(page_of: Callable[[str], Any]) -> None:
    text = page_of("safe\u202egnp\u200b.exe").text
    assert "safe⟨U+202E⟩gnp⟨U+200B⟩.exe" in text
    assert "\u202e" not in text


@given(st.text())
def test_visible_text_holds_no_character_that_acts_on_others(text: str) -> None:
    assert {unicodedata.category(c) for c in visible(text)} & {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
    } == set()
    visible(text).encode()


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")), max_size=30))
def test_visible_text_leaves_ordinary_characters_alone(text: str) -> None:
    assert visible(text) == text


@given(st.text(), st.integers(min_value=10, max_value=60))
def test_a_shortened_text_keeps_its_length_and_both_ends(text: str, most: int) -> None:
    short = shorten(text, most)
    assert len(short) <= most
    if short != visible(text):
        begin, _, end = short.partition("…")
        assert visible(text).startswith(begin) or "…" in visible(text)
        assert visible(text).endswith(end) or "…" in visible(text)


def test_accents_stay_and_towers_of_them_are_taken_down() -> None:
    assert visible("e\u0301\u0323x") == "e\u0301\u0323x"
    assert visible("e" + "\u0301" * 4) == "e\u0301\u0301\u0301⟨U+0301⟩"


def test_a_long_name_can_be_unfolded_in_full() -> None:
    name = LongNames().cut("a" * 2500 + "b" * 2500)
    assert len(name.shown) == SHOWN
    assert name.full == "a" * 2500 + "b" * 2500
    assert name.rest == ""


def test_what_is_left_of_an_endless_name_is_counted_and_pointed_to() -> None:
    name = LongNames().cut("a" * 12_500)
    assert name.full is not None
    assert len(name.full) == 10_000
    assert name.rest == "2,500 more characters stand in accounts.parquet"


def test_endless_names_do_not_make_an_endless_page() -> None:
    names = LongNames()
    cut = [names.cut(str(i) * 9_000) for i in range(50)]
    assert sum(len(name.full or "") for name in cut) <= BUDGET
    assert cut[-1].rest == "18,000 more characters stand in accounts.parquet"


def test_spaces_at_the_ends_of_a_name_and_an_empty_name_are_shown() -> None:
    assert LongNames().cut(" a b ").shown == "⟨U+0020⟩a b⟨U+0020⟩"
    assert LongNames().cut("").shown == "(empty)"


def test_masked_words_keep_their_masks_and_lose_their_markup() -> None:
    shown = masked("rate <b> ▢ of ▢")
    assert shown.count('<abbr title="masked">▢</abbr>') == 2
    assert "rate &lt;b&gt; <abbr" in shown
