"""Surface forms, scripts, and the share of code."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.exchange import RawExchange
from stillwatch.sketches import Script, Shape, Sketcher

FORMS = {
    Shape.LIST: "buy:\n- milk\n- bread",
    Shape.NUMBERED_LIST: "do this:\n1. wake\n2. work",
    Shape.TABLE: "| a | b |\n| 1 | 2 |",
    Shape.JSON: '{"a": 1, "b": [2]}',
    Shape.CODE_FENCE: "see\n```\nx\n```",
    Shape.INLINE_CODE: "what does `ls` do",
    Shape.URL: "read https://example.org/a",
    Shape.QUESTION: "is it so?",
    Shape.CHOICES: "Which one\nA) red\nB) green\nC) blue",
    Shape.MATH: "compute \\frac{1}{2}",
    Shape.HEADINGS: "# Task\ndo it",
    Shape.TAGS: "<b>bold</b>",
    Shape.PLACEHOLDERS: "write about {topic} now",
    Shape.QUOTATION: 'he said "yes" to me',
}

SCRIPTS = {
    Script.NONE: "123 !",
    Script.LATIN: "naïve",
    Script.CYRILLIC: "Почему небо голубое, Bob",
    Script.GREEK: "γιατί",
    Script.ARABIC: "لماذا السماء زرقاء",
    Script.HEBREW: "למה",
    Script.DEVANAGARI: "आसमान नीला क्यों है",
    Script.BENGALI: "আকাশ নীল কেন",
    Script.TAMIL: "வானம்",
    Script.TELUGU: "ఆకాశం",
    Script.HANGUL: "하늘은 왜 파란가요",
    Script.GEORGIAN: "რატომ",
    Script.ARMENIAN: "ինչու",
    Script.ETHIOPIC: "ሰማይ",
    Script.OTHER: "ᚠᚢᚦ",
    Script.HAN: "天空为什么是蓝色的",
    Script.JAPANESE: "空はなぜ青いのですか",
    Script.THAI: "ทำไมท้องฟ้าเป็นสีฟ้า",
    Script.LAO: "ເປັນຫຍັງ",
    Script.KHMER: "ហេតុអ្វី",
    Script.MYANMAR: "ဘာကြောင့်",
}


def sketch(sketcher: Sketcher, prompt: str) -> dict[str, int]:
    return sketcher.sketch([RawExchange(at=0, account="a", prompt=prompt)]).to_pylist()[0]


@pytest.mark.parametrize("form", Shape, ids=lambda form: form.name)
def test_each_form_is_seen(sketcher: Sketcher, form: Shape) -> None:
    assert Shape(sketch(sketcher, FORMS[form])["shape"]) & form


def test_plain_prose_has_no_form(sketcher: Sketcher) -> None:
    prose = (
        "It's late - and the dogs' owner (a 5'10\" man) isn't here, e.g. he left/fled. So be it!"
    )
    assert Shape(sketch(sketcher, prose)["shape"]) == Shape(0)


@pytest.mark.parametrize("script", Script, ids=lambda script: script.name)
def test_each_script_is_told(sketcher: Sketcher, script: Script) -> None:
    assert sketch(sketcher, SCRIPTS[script])["script"] == script


def test_words_are_characters_in_scripts_without_spaces(sketcher: Sketcher) -> None:
    assert sketch(sketcher, "天空为什么是蓝色的？")["words"] == 9
    assert sketch(sketcher, "don't stop, step-by-step")["words"] == 5
    assert sketch(sketcher, "😀 ! ?")["words"] == 0


def test_chars_are_counted_before_normalisation(sketcher: Sketcher) -> None:
    assert sketch(sketcher, "e\u0301 ½\u200b")["chars"] == 5


def test_code_and_prose_are_told_apart(sketcher: Sketcher) -> None:
    code = (Path(__file__).parent / "reference_text.py").read_text()
    assert sketch(sketcher, code)["code_share"] > 0.6
    prose = "The river is wide here.\nWe cross it by boat, at noon.\nNobody speaks (it is too hot)."
    assert sketch(sketcher, prose)["code_share"] == 0
    assert sketch(sketcher, f"Explain this.\n```\n{prose}\n```")["code_share"] > 0.6


def test_the_page_names_every_form(project: Path) -> None:
    page = (project / "docs" / "sketches.md").read_text()
    for form in Shape:
        assert form.name is not None
        assert form.name in page
