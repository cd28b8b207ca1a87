"""The report: its first page is for a lawyer, it asks nothing of the network, it is escaped."""

from __future__ import annotations

import html
import math
import re
from pathlib import Path

import pytest

from stillwatch.provenance import ask
from stillwatch.provenance.bundle import Sealed
from stillwatch.provenance.bundle.limits import KEYED
from stillwatch.provenance.bundle.words import chance, exponent, listing, names, one_in
from tests.provenance.bundle.conftest import Bench
from tests.provenance.keyed.conftest import PROBES


def page(sealed: Sealed) -> str:
    return (sealed.path / "report.html").read_text()


def first_page(text: str) -> str:
    plain = re.sub(r"<[^>]+>", "", text.partition("</section>")[0])
    return re.sub(r"\s+", " ", html.unescape(plain))


def test_the_first_page_says_what_is_claimed_and_at_which_error_rate(sealed: Sealed) -> None:
    said = first_page(page(sealed))
    assert "suspect-7b carries the key of c-2 (2026-11)" in said
    assert "by mistake in at most 1 in 1,000 cases" in said
    assert "covers 2 suspects and 2 keys" in said
    assert "finds no key in other-a" in said
    assert "put on a ledger at" in said
    assert "No independent authority has stamped" in said


def test_the_first_page_says_what_is_not_shown(sealed: Sealed) -> None:
    said = first_page(page(sealed))
    for head, text in KEYED:
        assert head in said
        assert text in said
    for word in ("abuse", "Republication", "Forgery", "Restyling"):
        assert word in said


def test_nothing_is_fetched_and_nothing_runs(sealed: Sealed) -> None:
    text = page(sealed)
    assert "default-src &#39;none&#39;" in text
    assert not re.search(r"<script|<img|<link|src=|href=|url\(|@import|https?:", text)


def test_a_name_that_is_markup_stays_a_name(bench: Bench, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    ask(lambda _: "I cannot help.", PROBES.prompts, tmp_path / "evil.jsonl", model=evil)
    text = page(bench.seal("evil", suspects=[tmp_path / "evil.jsonl"], controls=[]))
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    said = first_page(text)
    assert "Nothing can be said of" in said
    assert "This weakens the evidence" in said


def test_a_control_that_carries_the_key_is_on_the_first_page(bench: Bench, tmp_path: Path) -> None:
    text = bench.files[0].read_text().replace("suspect-7b", "innocent")
    (tmp_path / "innocent.jsonl").write_text(text)
    said = first_page(page(bench.seal("doubt", controls=[tmp_path / "innocent.jsonl"])))
    assert "finds a key in innocent" in said
    assert "carries the key" not in said


@pytest.mark.parametrize(
    ("log10_p", "said"),
    [
        (-80.0, "less than 1 in 10³⁰"), (-28.56, "at most 1 in 10²⁸"),
        (-6.0, "at most 1 in 1 million"),
        (-3.0, "at most 1 in 1,000"), (-3.9, "at most 1 in 7,900"), (-0.2, "at most 64 in 100"),
        (0.0, "at most 1 in 1"), (math.log10(0.674), "at most 68 in 100"),
        (math.log10(0.996), "at most 1 in 1"),
    ],
)  # fmt: skip
def test_chances_are_never_said_to_be_rarer_than_they_are(log10_p: float, said: str) -> None:
    assert chance(log10_p) == said


def test_a_power_of_ten_is_never_said_to_be_less_than_it_is() -> None:
    said = [exponent(each) for each in (None, -2.9961, -3.0, -3.009, -0.004, 0.0)]
    assert said == ["–", "−2.99", "−3.00", "−3.00", "0.00", "0.00"]


def test_a_control_of_which_nothing_can_be_said_is_not_called_innocent(
    bench: Bench, tmp_path: Path
) -> None:
    ask(lambda _: "I cannot help.", PROBES.prompts, tmp_path / "mute.jsonl", model="mute")
    said = first_page(page(bench.seal("mute", controls=[tmp_path / "mute.jsonl"])))
    assert "No control could be judged. This weakens the evidence" in said
    both = [bench.files[1], tmp_path / "mute.jsonl"]
    said = first_page(page(bench.seal("half-mute", controls=both)))
    assert "finds no key in other-a." in said
    assert "Of mute nothing could be said, so that this is no control" in said


def test_a_plan_for_another_program_is_said_to_be_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench", code="0" * 64)
    text = page(bench.seal("other", other_code=True))
    assert "the results were computed by ANOTHER one" in text


def test_small_words() -> None:
    assert one_in(1 / 15_499) == "1 in 15,000"
    assert [listing(list(words)) for words in ("", "a", "ab", "abc")] == [
        "", "a", "a and b", "a, b and c"
    ]  # fmt: skip


def test_names_are_escaped_once_and_markup_not_at_all() -> None:
    assert str(names(["a<b", "c"])) == (
        '<span class="name">a&lt;b</span> and <span class="name">c</span>'
    )
