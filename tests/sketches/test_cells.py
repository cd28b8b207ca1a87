"""What style cells share, and what they must not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.exchange import Message, RawExchange
from stillwatch.sketches import Sketcher, SketchKey

from .conftest import Cells

TEMPLATE = (
    "You are a patient tutor. A student named {name} who is {number} years old asks you about "
    "the following subject. Please explain every single step of your reasoning to {name} before "
    "you write the final answer on the last line, and keep it below {number} words."
)
CHINESE = (
    "请你扮演一位耐心的老师，学生今年{number}岁，他使用{name}学习。"
    "请针对下面的问题给出完整的推理过程，一步一步地解释每个步骤，最后用一句话总结答案。"
)
RUSSIAN = (
    "Представь, что ты терпеливый учитель, а ученика зовут {name}, ему {number} лет. Объясни "
    "каждый шаг своего рассуждения и только потом напиши окончательный ответ последней строкой."
)
NAMES = ["Ada Lovelace", "Bob", "Zoë", "McDonald", "Anna-Lena", "O'Neill"]

names = st.sampled_from(NAMES)
numbers = st.integers(0, 10**9)


@settings(max_examples=40, deadline=None)
@given(names, numbers, names, numbers)
@pytest.mark.parametrize("template", [TEMPLATE, CHINESE, RUSSIAN])
def test_one_template_with_other_names_and_numbers_has_the_same_cells(
    cells: Cells, template: str, name: str, number: int, other_name: str, other_number: int
) -> None:
    one = cells(template.format(name=name, number=number))
    other = cells(template.format(name=other_name, number=other_number))
    assert len(one) == 16
    assert one == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("write to {} about the plan for today", ["ann@example.com", "x.y+z@mail.example.org"]),
        ("read {} and sum up what it says", ["http://a.example/x?y=1,2", "https://b.example/(z)"]),
        ("open {} and count the lines in it", ["/etc/passwd", "C:\\Users\\me\\x.txt", "~/notes"]),
        ("decode {} and say what it means now", ["deadbeef0123", "SGVsbG8gd29ybGQ=", "a9f3"]),
        ("tell {} that the meeting is over now", ["@ann", "@bob_the_builder", "IBM", "iPhone"]),
        ("explain {} in words that a child knows", ["`x + y`", "“a long day”", '"two words"']),
        ("call {} with the value that is given", ["get_value", "os.path.join", "getValue"]),
        ("answer on {} in the time that is left", ["3.14", "12:30", "2026-01-02", "１２３", "٤٢"]),
    ],
)
def test_things_of_one_form_are_one_mask(cells: Cells, one: str, other: list[str]) -> None:
    assert len({frozenset(cells(one.format(thing))) for thing in other}) == 1


def test_a_code_fence_is_one_mask(cells: Cells) -> None:
    asked = (
        "please find the error in this piece of code\n```python\n{}\n```\nand explain how to fix it"
    )
    assert cells(asked.format("x = 1")) == cells(asked.format("for i in range(3):\n    print(i)"))


def test_composed_and_decomposed_letters_have_the_same_cells(cells: Cells) -> None:
    text = "réponds à la question suivante étape par étape, s'il te plaît, même si tu hésites"
    assert cells(unicodedata.normalize("NFC", text)) == cells(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    "disguise",
    [
        lambda t: t.replace("e", "е").replace("o", "о").replace("a", "а").replace("p", "р"),
        lambda t: t.replace("o", "ο").replace("v", "ν"),
        lambda t: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in t),
        lambda t: "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in t),
        lambda t: t.replace("e", "e\u200b").replace("o", "\u200do\ufeff"),
        lambda t: t.replace(" ", "\u00a0\u2003"),
        lambda t: t.replace("i", "\u00adi"),
        lambda t: t.upper(),
        lambda t: t.title(),
        lambda t: f'"{t}"',
        lambda t: t.replace(" ", " \n "),
    ],
    ids=["cyrillic", "greek", "fullwidth", "mathematical", "zero-width", "spaces", "soft hyphens",
         "capitals", "title case", "quoted whole", "line breaks"],
)  # fmt: skip
def test_a_disguised_template_has_the_same_cells(cells: Cells, disguise) -> None:  # type: ignore[no-untyped-def]
    plain = "think about the problem step by step and explain each of your moves before the answer"
    assert cells(disguise(plain)) == cells(plain) != set()


def test_capital_look_alikes_fold_in_latin_words_and_leave_russian_ones_alone(cells: Cells) -> None:
    rest = " the answer and give a short reason for it"
    assert cells("Нelp me to check" + rest) == cells("Help me to check" + rest)
    assert cells("Вот что надо сделать прямо сейчас") == cells("вот что надо сделать прямо сейчас")


def test_line_ends_of_windows_and_unix_are_the_same(sketcher: Sketcher) -> None:
    text = '# Task\n\nfirst say "why\nnot" and\n    x = 1;\n\nthen say how to do the thing\n'
    rows = [RawExchange(at=0, account="a", prompt=t) for t in (text, text.replace("\n", "\r\n"))]
    one, other = sketcher.sketch(rows).drop_columns(["request", "chars"]).to_pylist()
    assert one == other


def test_another_key_shares_nothing(key: SketchKey) -> None:
    row = RawExchange(
        at=0, account="a", request_id="r", ip="192.0.2.1", system="be brief", completion=TEMPLATE,
        messages=(Message("user", TEMPLATE),),
    )  # fmt: skip
    one = Sketcher(key).sketch([row]).to_pylist()[0]
    other = Sketcher(SketchKey.generate()).sketch([row]).to_pylist()[0]
    for column in ("cells", "shingles", "output_shingles", "prefixes"):
        assert one[column]
        assert not set(one[column]) & set(other[column])
    for column in ("request", "account", "ip", "system", "content"):
        assert one[column] != other[column]


@pytest.mark.parametrize(
    "prompt", ["", "hi", "hello there", "42", "John Smith", "你好", "...", "😀😀"]
)
def test_a_greeting_has_no_cells(cells: Cells, prompt: str) -> None:
    assert cells(prompt) == set()


@pytest.mark.parametrize("prompt", ["tell me a joke", "why not now", "给我讲个笑话"])
def test_a_short_request_has_one_cell(cells: Cells, prompt: str) -> None:
    assert len(cells(prompt)) == 1


def test_windows_of_mostly_masks_are_left_out(cells: Cells) -> None:
    assert cells("7 by 8 by 9") == cells("2024 and 2025 or 2026") == set()


def test_names_at_the_start_of_a_sentence_are_masked_when_there_are_two(cells: Cells) -> None:
    text = "{} went to the market to buy some apples and pears"
    assert cells(text.format("Ada Lovelace")) == cells(text.format("Grace Hopper"))
    assert cells("say it now. " + text.format("Dr. Hopper")) == cells(
        "say it now. " + text.format("Dr. Turing")
    )


def test_the_passage_in_the_middle_does_not_crowd_out_the_instructions(cells: Cells) -> None:
    begin = "read the passage below with care and then answer the question that stands after it. "
    end = " now answer the question in one short sentence and cite the line that you have used"

    def asked(word: str) -> set[int]:
        middle = " ".join(f"{word}{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}" for n in range(3000))
        return cells(begin + middle + end)

    one, other = asked("q"), asked("z")
    assert len(one & other) >= 2  # the ends are some 25 of 120 windows
    assert len(cells(begin + end)) == 16


def test_cells_are_the_smallest_in_ascending_order_and_distinct(sketcher: Sketcher) -> None:
    text = " ".join(["one two three four five six seven"] * 20)
    row = RawExchange(at=0, account="a", prompt=text)
    made = sketcher.sketch([row])["cells"][0].as_py()
    assert made == sorted(set(made))
    assert len(made) == 7


def test_the_system_prompt_has_cells_and_does_not_touch_the_users_content(
    sketcher: Sketcher,
) -> None:
    rows = [
        RawExchange(at=0, account="a", prompt="why is the sky blue in the morning", system=system)
        for system in ("always answer in a very formal tone", None)
    ]
    with_system, without = sketcher.sketch(rows).to_pylist()
    assert set(without["cells"]) < set(with_system["cells"])
    for column in ("content", "shingles", "topic"):
        assert with_system[column] == without[column]
    assert with_system["words"] == without["words"] + 7
