"""The compiled kernel against the plain-Python reference, and SipHash against another one."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from siphash24 import siphash24

from stillwatch.exchange import Message, RawExchange
from stillwatch.sketches import Sketcher
from stillwatch.sketches.batch import pack
from stillwatch.sketches.kernel import kernels

from .reference import Reference

PIECES = {
    "latin": "think step by step and show your work please the reasoning behind this answer is "
    "what Ada Lovelace I'm I'LL GPT-4 iPhone NASA Step-by-Step don't naïve straße ǅ ﬁne ½ ²",
    "entities": "user_name foo.bar http://x.y/z?a=b,c(d) me@x.org @bob /usr/bin "
    "~/x and/or C:\\Users\\me 3.14 e.g. Dr. Mr. U.S. x:y a=b 1,000 www.x.org A+B __init__ base64==",
    "marks": '" \' ` ``` """ “ ” ‘ ’ « » 「 」 ( ) [ ] { } < > </b> {slot} {{x}} | || # ## - '
    '* • + ; : , . ! ? … — – _ $ \\frac{a} \\( A) B. C: 1. 2) "k":1 x=f(y); }',
    "cyrillic": "Пожалуйста объясни шаг за шагом Москва ответ ВСЕ hеllо В",
    "greek": "Παρακαλώ εξήγησε βήμα ΟΧΙ",
    "arabic": "اشرح خطوة بخطوة من فضلك ؟ ١٢٣",
    "hebrew": "הסבר צעד אחר צעד",
    "devanagari": "कृपया चरण दर चरण समझाएं ।",
    "han": "请逐步推理，并给出答案背后的思考过程。“你好”《红楼梦》今年23岁用Python写 〇",
    "kana": "ステップバイステップで考えて、「答え」を説明してください。",
    "hangul": "단계별로 설명해 주세요 서울",
    "thai": "กรุณาอธิบายทีละขั้นตอน",
    "khmer": "សូមពន្យល់",
    "burmese": "ကျေးဇူးပြု၍",
    "odd": "😀 👩‍👩‍👧 Ａｂｃ 𝐀𝐛 ™ \u200b a\u200bb \u00ad ẞ İ ı \ud800 \udfff \U0002a6a5 "
    "\U000e0041 \x00 \u0301 ʼ ´ \u2028",
}
GAPS = [" "] * 8 + ["", "\n", "\n\n", "\r\n", "  ", "\t", ". ", ", ", ": ", "'", '"', "\n    ", "-"]

piece = st.one_of(*(st.sampled_from(text.split(" ")) for text in PIECES.values()))
changed = st.builds(
    lambda text, change: change(text),
    piece,
    st.sampled_from(
        [str, str, str, str.upper, str.capitalize, lambda t: unicodedata.normalize("NFD", t)]
    ),
)
composed = st.lists(st.tuples(changed, st.sampled_from(GAPS)), max_size=60).map(
    lambda parts: "".join(a + b for a, b in parts)
)
lines = st.lists(
    st.sampled_from(
        [
            "- item",
            "* x",
            "1. one",
            "2) two",
            "| a | b |",
            "def f(x):",
            "    y = x",
            "```",
            "{",
            "}",
            "",
            "# Title",
            "A) yes",
            "B) no",
            "C) so",
            "plain words here",
            "\tend;",
            '"a": "b",',
            "x := y -> z;",
        ]
    ),
    max_size=12,
).map("\n".join)
anything = st.text(st.characters(), max_size=80)
texts = st.one_of(composed, composed, lines, anything)


def assert_agreement(sketcher: Sketcher, reference: Reference, system: str, user: str) -> None:
    row = RawExchange(at=0, account="a", system=system, prompt=user, completion=user)
    made = sketcher.sketch([row]).to_pylist()[0]
    expected = reference.sketch(system, user)
    assert made["code_share"] == pytest.approx(expected.pop("code_share"))
    assert {name: made[name] for name in expected} == expected
    assert made["output_shingles"] == expected["shingles"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(system=st.one_of(st.just(""), texts), user=texts)
def test_every_column_agrees_on_random_text(
    sketcher: Sketcher, reference: Reference, system: str, user: str
) -> None:
    assert_agreement(sketcher, reference, system, user)


@pytest.mark.parametrize("script", PIECES)
def test_every_column_agrees_in_each_script(
    sketcher: Sketcher, reference: Reference, script: str
) -> None:
    assert_agreement(sketcher, reference, "", f"{PIECES[script]} " * 3)


@pytest.mark.parametrize(
    "text",
    [
        "one `two three\nfour` five six seven eight nine ten",
        "one 'two three\nfour' five six seven eight nine ten",
        'one "two three\nfour" five six seven eight nine ten',
        'one "two three\n\nfour" five six seven eight nine ten',
        "one «two three\n\nfour» five six seven eight nine ten",
        'one """two\n\nthree""" four five six seven eight nine',
        "one ```two\n\nthree``` four five six seven eight nine",
        "it is 'one two three four five six seven eight nine ten eleven twelve thirteen' now",
        'a board of 5" by 10" and a "fine" nail is all that we need to fix it',
        "see http://x.example/a?b=(c,d) and then say what it is that you have seen",
    ],
)
def test_every_column_agrees_on_quotations_that_cross_lines_or_are_none(
    sketcher: Sketcher, reference: Reference, text: str
) -> None:
    assert_agreement(sketcher, reference, "", text)


def test_every_column_agrees_on_a_text_longer_than_its_sampled_ends(
    sketcher: Sketcher, reference: Reference
) -> None:
    passage = " ".join(f"{word} w{chr(97 + n % 26)}" for n, word in enumerate(["river"] * 1500))
    assert_agreement(sketcher, reference, "Be brief.", f"{PIECES['latin']} {passage} the very end.")


@given(st.lists(st.binary(max_size=40), max_size=8), st.binary(min_size=16, max_size=16))
def test_siphash_is_that_of_another_library(messages: list[bytes], secret: bytes) -> None:
    buf = np.frombuffer(b"".join(messages), np.uint8)
    offsets = np.cumsum([0, *map(len, messages)], dtype=np.int64)
    halves = np.frombuffer(secret, "<u8").astype(np.uint64)
    made = np.empty(len(messages), np.uint64)
    kernels().hash_each(buf, offsets, halves[0], halves[1], made)
    expected = [int.from_bytes(siphash24(m, key=secret).digest(), "little") for m in messages]
    assert made.tolist() == expected


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["user", "assistant", "system", "tool"]), st.text(max_size=30)),
        min_size=1,
        max_size=20,
    ),
    st.one_of(st.none(), st.text(max_size=10)),
)
def test_the_chain_of_prefixes_agrees(
    sketcher: Sketcher, reference: Reference, turns: list[tuple[str, str]], system: str | None
) -> None:
    messages = tuple(Message(role, text) for role, text in turns)
    row = RawExchange(at=0, account="a", system=system, messages=messages)
    made = sketcher.sketch([row])["prefixes"][0].as_py()
    assert made == reference.chain(system, turns)


def test_texts_are_packed_with_lone_surrogates_too() -> None:
    buf, offsets = pack(["a", "\ud800", "é"])
    assert bytes(buf) == b"a\xed\xa0\x80\xc3\xa9"
    assert offsets.tolist() == [0, 1, 4, 6]
