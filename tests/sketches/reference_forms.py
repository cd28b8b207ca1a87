"""Reference: which words are masked, and which forms a text has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from stillwatch.sketches import Shape

from .reference_text import (
    CLOSE,
    DOUBLE,
    ENDS,
    JOINERS,
    OPEN,
    SINGLE,
    SYMBOLS,
    Item,
    is_digit,
    is_letter,
    is_lower,
    is_space,
    is_word,
    utf8,
)

# Masks.


def chunks(items: list[Item]) -> Iterator[list[Item]]:
    """Runs of words and joiners, ended by what does not join."""
    chunk: list[Item] = []
    address = False
    for number, item in enumerate(items):
        if item.kind == "word":
            chunk.append(item)
            continue
        joins = item.kind == "mark" and item.text in JOINERS
        if address and item.kind == "mark" and item.text.isascii():
            joins = item.text[0] not in '"<>`'
        if joins:
            chunk.append(item)
            if item.text == ":" and "".join(i.text for i in items[number + 1 : number + 3]) == "//":
                address = True
        else:
            yield chunk
            chunk, address = [], False
    yield chunk


def last_visible(text: str, at: int) -> str:
    """The last character before `at` that is not a space, '' where a word ends there."""
    before = text[:at]
    while before and is_space(before[-1]):
        before = before[:-1]
    return "" if not before or is_word(before[-1]) else before[-1]


def is_dotted(item: Item, before: Item | None) -> bool:
    return (
        item.text == "."
        and before is not None
        and before.kind == "word"
        and before.size >= 2
        and item.after != ""
        and is_word(item.after)
        and (is_lower(item.after) or is_digit(item.after))
    )


def mark_entities(items: list[Item], text: str) -> None:
    for chunk in chunks(items):
        words = [i for i in chunk if i.kind == "word"]
        slashes, entity = 0, False
        seen = 0
        for number, item in enumerate(chunk):
            if item.kind == "word":
                seen += 1
                continue
            word_before = item.before != "" and is_word(item.before)
            word_after = item.after != "" and is_word(item.after)
            left = chunk[number - 1] if number else None
            joined = item.text == "_" and word_before and word_after
            mailed = item.text == "@" and word_after
            web = text[item.at : item.at + 3] == "://"
            if web or mailed or joined or is_dotted(item, left):
                entity = True
            elif item.text == "/":
                slashes += 2 if seen == 0 and word_after else 1
            elif item.text == "\\":
                slashes += word_before and word_after
                slashes += last_visible(text, item.at) == ":"
        if entity or slashes >= 2 or (len(words) > 1 and any(w.digit for w in words)):
            for word in words:
                word.masked = True
        elif len(words) > 1 and any(w.inner_capital for w in words):
            for word in words:
                word.by_case = True


def mark_sentences(items: list[Item]) -> None:
    starts = True
    previous: Item | None = None
    for item in items:
        if item.is_word:
            item.starts, starts = starts, False
        elif item.kind == "newline":
            starts = True
        elif item.text == ".":
            short = (
                previous is not None
                and previous.is_word
                and previous.size <= 3
                and previous.capital
            )
            starts = starts or not (is_dotted(item, previous) or short)
        elif item.text in ENDS:
            starts = True
        previous = item


@dataclass
class Quotations:
    """What is open, and which forms have closed."""

    opened: dict[str, int] = field(default_factory=dict)
    forms: Shape = field(default_factory=lambda: Shape(0))
    keys: int = 0
    fence_open_at: list[bool] = field(default_factory=list)


def mark_quotations(items: list[Item]) -> Quotations:
    state = Quotations()
    blank = True

    def close(slot: str, number: int, form: Shape) -> None:
        for item in items[state.opened.pop(slot) : number]:
            item.quoted = True
        state.forms |= form

    for number, item in enumerate(items):
        if item.kind == "newline":
            if blank:
                state.opened.pop("double", None)
                state.opened.pop("wide", None)
            state.opened.pop("single", None)
            state.opened.pop("back", None)
            blank = True
        elif item.kind != "space":
            blank = False
        if item.kind == "mark":
            text, opened = item.text, state.opened
            if text == '"""' or text == "```" or text == "`":
                slot = {'"""': "block", "```": "fence", "`": "back"}[text]
                form = {"block": Shape.QUOTATION, "fence": Shape.CODE_FENCE,
                        "back": Shape.INLINE_CODE}[slot]  # fmt: skip
                if slot in opened:
                    close(slot, number, form)
                else:
                    opened[slot] = number
            elif text in DOUBLE:
                if "double" in opened:
                    close("double", number, Shape.QUOTATION)
                    state.keys += item.after == ":"
                elif not (number and items[number - 1].is_word and items[number - 1].digit):
                    opened["double"] = number
            elif text in OPEN:
                opened.setdefault("wide", number)
            elif text in CLOSE and "wide" in opened:
                close("wide", number, Shape.QUOTATION)
            elif text in SINGLE:
                word_before = item.before != "" and is_word(item.before)
                word_after = item.after != "" and is_word(item.after)
                if "single" not in opened:
                    if not word_before and word_after:
                        opened["single"] = number
                elif not (item.before and is_space(item.before)) and not word_after:
                    inside = sum(i.is_word for i in items[opened["single"] : number])
                    if inside <= 12:
                        close("single", number, Shape.QUOTATION)
                    else:
                        opened.pop("single")
        state.fence_open_at.append("fence" in state.opened)
    return state


# Form.


def form_of(items: list[Item], text: str, quotations: Quotations) -> tuple[Shape, int, int]:
    """Surface forms, lines, lines of code of one text."""
    shape = quotations.forms
    if quotations.keys >= 2:
        shape |= Shape.JSON
    lines: list[list[Item]] = [[]]
    fences = [False]
    for item, fence in zip(items, quotations.fence_open_at, strict=True):
        if item.kind == "newline":
            lines.append([])
            fences.append(fence)
        else:
            lines[-1].append(item)
            fences[-1] = fence
    counted = code_lines = bullets = numbered = tables = 0
    previous_code = False
    for line, fence in zip(lines, fences, strict=True):
        indent, rest = 0, list(line)
        while rest and rest[0].kind == "space":
            indent += 4 if rest.pop(0).text == "\t" else 1
        if not rest:
            continue
        counted += 1
        characters = "".join(i.text for i in rest)
        # A tripled mark is one symbol.
        symbols = sum(i.kind == "mark" and i.text in SYMBOLS for i in rest)
        visible = [i for i in rest if i.kind != "space"]
        code = bool(
            fence
            or (symbols >= 2 and symbols * 8 >= len(utf8(characters)))
            or visible[-1].text in ("{", "}", ";")
            or (previous_code and indent >= 4)
        )
        code_lines += code
        previous_code = code
        bullets += rest[0].text in "-*+•" and rest[0].after != "" and is_space(rest[0].after)
        if (
            rest[0].text == "#"
            and rest[0].after
            and (is_space(rest[0].after) or rest[0].after == "#")
        ):
            shape |= Shape.HEADINGS
        if rest[0].kind == "word" and rest[0].digit:
            end = rest[0].at + len(rest[0].text)
            numbered += text[end : end + 2] in (". ", ") ")
        tables += sum(i.text == "|" for i in rest) >= 2
    shape |= Shape.LIST if bullets >= 2 else Shape(0)
    shape |= Shape.NUMBERED_LIST if numbered >= 2 else Shape(0)
    shape |= Shape.TABLE if tables >= 2 else Shape(0)
    return shape | small_forms(items, text), counted, code_lines


def small_forms(items: list[Item], text: str) -> Shape:
    shape = Shape(0)
    if "://" in text:
        shape |= Shape.URL
    in_address: set[int] = set()
    for chunk in chunks(items):
        joined = next((i.at for i in chunk if text[i.at : i.at + 3] == "://"), None)
        if joined is not None:
            in_address |= {i.at for i in chunk if i.at > joined}
    choices: set[str] = set()
    math = False
    for number, item in enumerate(items):
        word_before = item.before != "" and is_word(item.before)
        if item.text in "?؟" and item.at not in in_address:
            shape |= Shape.QUESTION
        if item.text == "\\" and not word_before and item.after:
            math = math or (is_word(item.after) and is_lower(item.after)) or item.after in "(["
        if item.text == "/" and item.before == "<" and item.after and is_letter(item.after):
            shape |= Shape.TAGS
        if item.text == "}" and not math and number >= 2:
            word, brace = items[number - 1], items[number - 2]
            if word.is_word and brace.text == "{":
                shape |= Shape.PLACEHOLDERS
        if item.capital and item.folded in ("a", "b", "c") and item.after and item.after in ").:":
            choices.add(item.folded)
    if math:
        shape |= Shape.MATH
    if len(choices) == 3:
        shape |= Shape.CHOICES
    return shape
