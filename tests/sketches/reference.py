"""The sketch format in plain Python, written from docs/sketches.md: slow, and easy to check.

Shares with the compiled code only the data tables (ranges of scripts, look-alikes, dropped
characters, phrases, topic model). Works on whole lists of items where the kernel streams.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from siphash24 import siphash24

from stillwatch.sketches import Script, Shape
from stillwatch.sketches.characters import CAPITAL_LOOKALIKES, DROPPED, LOOKALIKES, SCRIPT_RANGES
from stillwatch.sketches.phrases import Pattern
from stillwatch.sketches.topics import TopicModel

M = 0x9E3779B97F4A7C15
DOUBLE = '"“”„‟″'
SINGLE = "'‘’‚‛′"
OPEN, CLOSE = "«「『《〈", "»」』》〉"
DASHES = "‐‑‒–—―−"
NEWLINES = "\n\v\f\r\x85\u2028\u2029"
ENDS = ".!?。؟।…｡።"
JOINERS = "-_.=+:/\\@&#%~*^$'"
SYMBOLS = "{}()[];=<>_+*/\\|&%$#@^~"
SMALL = {c: latin for latin, others in LOOKALIKES.items() for c in others}
CAPITAL = {c: latin for latin, others in CAPITAL_LOOKALIKES.items() for c in others}


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def prepared(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return text if text.isascii() else unicodedata.normalize("NFKC", DROPPED.sub("", text))


def utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# Characters.


def category(c: str) -> str:
    if "\U00020000" <= c < "\U00040000":
        return "Lo"
    if "㐀" <= c <= "\u9fff" or "가" <= c <= "힣":
        return "Lo"
    return "Cn" if c >= "\U00020000" or "\ud800" <= c <= "\udfff" else unicodedata.category(c)


def is_word(c: str) -> bool:
    return category(c)[0] in "LMN" and c not in SINGLE


def is_digit(c: str) -> bool:
    return category(c)[0] == "N"


def is_letter(c: str) -> bool:
    return category(c)[0] == "L"


def is_upper(c: str) -> bool:
    return category(c) in ("Lu", "Lt")


def is_lower(c: str) -> bool:
    return category(c) == "Ll"


def is_space(c: str) -> bool:
    return category(c)[0] == "Z" or category(c) == "Cc"


def script_of(c: str) -> int:
    if not is_letter(c):
        return 0
    if c >= "\U00020000":
        return Script.HAN
    return next((s for a, b, s in SCRIPT_RANGES if a <= ord(c) <= b), Script.OTHER)


def is_unspaced(c: str) -> bool:
    if category(c)[0] not in "LM":
        return False
    if c >= "\U00020000":
        return True
    return any(a <= ord(c) <= b and s >= Script.HAN for a, b, s in SCRIPT_RANGES)


def fold(c: str, mixed: bool = False) -> str:
    if c in DOUBLE:
        return '"'
    if c in SINGLE:
        return "'"
    if c in DASHES:
        return "-"
    if mixed and c in CAPITAL:
        return CAPITAL[c]
    if is_letter(c) and c < "\U00020000":
        c = next((f for f in (c.casefold(), c.lower()) if len(f) == 1), c)
    return SMALL.get(c, c)


# Items: words, spaces and other characters, in order.


@dataclass
class Item:
    text: str
    at: int
    kind: str  # word, character, space, newline, mark
    before: str = ""
    after: str = ""
    masked: bool = False
    by_case: bool = False
    quoted: bool = False
    starts: bool = False

    @property
    def is_word(self) -> bool:
        return self.kind in ("word", "character")

    @property
    def folded(self) -> str:
        mixed = any(script_of(c) == Script.LATIN for c in self.text) and any(
            c in CAPITAL for c in self.text
        )
        return "".join(fold(c, mixed and self.kind == "word") for c in self.text)

    @property
    def size(self) -> int:
        return len(utf8(self.folded))

    @property
    def digit(self) -> bool:
        return any(map(is_digit, self.text))

    @property
    def inner_capital(self) -> bool:
        return self.kind == "word" and any(map(is_upper, self.text[1:]))

    @property
    def pronoun(self) -> bool:
        return self.capital and (self.folded == "i" or self.folded.startswith("i'"))

    @property
    def capital(self) -> bool:
        return self.kind == "word" and is_upper(self.text[0])


def items_of(text: str) -> list[Item]:
    found: list[Item] = []
    i = 0
    while i < len(text):
        j = i + 1
        if is_unspaced(text[i]):
            while j < len(text) and ord(text[j]) > 127 and category(text[j])[0] == "M":
                j += 1
            kind = "character"
        elif is_word(text[i]):
            while j < len(text):
                if (is_word(text[j]) and not is_unspaced(text[j])) or (
                    text[j] in SINGLE
                    and any(map(is_letter, text[i:j]))
                    and j + 1 < len(text)
                    and is_letter(text[j + 1])
                    and is_word(text[j + 1])
                    and not is_unspaced(text[j + 1])
                ):
                    j += 1
                else:
                    break
            kind = "word"
        elif text[i] in NEWLINES:
            kind = "newline"
        elif is_space(text[i]):
            kind = "space"
        else:
            kind = "mark"
            if text[i] in '"`' and text[i : i + 3] == text[i] * 3:
                j = i + 3
        found.append(Item(text[i:j], i, kind, text[i - 1] if i else "", text[j : j + 1]))
        i = j
    return found


def normal_form(items: list[Item]) -> str:
    parts = [i.folded if i.is_word else "".join(map(fold, i.text)) for i in items]
    out: list[str] = []
    for item, part in zip(items, parts, strict=True):
        if item.kind in ("space", "newline"):
            if out and out[-1] != " ":
                out.append(" ")
        else:
            out.append(part)
    if out and out[-1] == " ":
        out.pop()
    return "".join(out)


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


# The row.


class Reference:
    def __init__(self, secret: bytes, topics: TopicModel, patterns: tuple[Pattern, ...]) -> None:
        self.secret, self.topics, self.patterns = secret, topics, patterns
        self.rows = {word: n for n, word in enumerate(topics.vocabulary)}

    def subkey(self, purpose: str) -> bytes:
        return blake2b(self.secret, digest_size=32, person=purpose.encode()).digest()

    def digest(self, purpose: str, value: str) -> int:
        made = blake2b(
            utf8(value), key=self.subkey(purpose), digest_size=8, person=purpose.encode()
        )
        return int.from_bytes(made.digest(), "little", signed=True)

    def sip(self, purpose: str, data: bytes) -> int:
        made = siphash24(data, key=self.subkey(purpose)[:16]).digest()
        return int.from_bytes(made, "little")

    def window(self, purpose: str, tokens: list[int]) -> int:
        value = 0
        for token in tokens:
            value = (value * M + token) % (1 << 64)
        return signed(self.sip(purpose, value.to_bytes(8, "little")))

    def sketch(self, system: str, user: str) -> dict[str, object]:
        texts = [prepared(system), prepared(user)]
        parsed = [items_of(text) for text in texts]
        shape, lines, code_lines = Shape(0), 0, 0
        for items, text in zip(parsed, texts, strict=True):
            mark_entities(items, text)
            mark_sentences(items)
            forms, counted, code = form_of(items, text, mark_quotations(items))
            shape, lines, code_lines = shape | forms, lines + counted, code_lines + code
        words = [item for items in parsed for item in items if item.is_word]
        own = [item for item in parsed[1] if item.is_word]
        script = dominant(words)
        hashes = [self.sip("word", utf8(w.folded)) for w in words]
        tokens = self.tokens(words, parsed, hashes, script)
        return {
            "content": signed(self.sip("content", utf8(normal_form(parsed[1])))),
            "cells": self.cells(tokens),
            "shingles": self.shingles(own),
            "topic": self.topic(own),
            "words": len(words),
            "script": int(script),
            "code_share": code_lines / max(lines, 1),
            "shape": int(shape),
            "asks": self.asks([w.folded for w in words]),
        }

    def tokens(
        self, words: list[Item], parsed: list[list[Item]], hashes: list[int], script: int
    ) -> list[tuple[int, int]]:
        """Pairs of value and weight: 0 a mask, 2 a word, 1 a character."""
        cased = [w for w in words if w.kind == "word" and not w.starts
                 and any(is_upper(c) or is_lower(c) for c in w.text)]  # fmt: skip
        capitals = [w for w in cased if (w.capital or w.inner_capital) and not w.pronoun]
        by_case = not (len(cased) >= 8 and len(capitals) * 5 > len(cased) * 3)
        always = [w.kind == "word" and (w.masked or w.digit or w.size > 24) for w in words]
        outside = sum(not a and not w.quoted for a, w in zip(always, words, strict=True))
        by_quotes = outside >= 5
        following: dict[int, Item] = {}
        for items in parsed:
            for number, item in enumerate(items):
                gap = number + 1
                while gap < len(items) and items[gap].kind == "space":
                    gap += 1
                if item.is_word and gap < len(items) and items[gap].kind == "word":
                    following[id(item)] = items[gap]
        tokens: list[tuple[int, int]] = []
        for word, sure, value in zip(words, always, hashes, strict=True):
            masked = sure or (by_quotes and word.quoted)
            if word.kind == "word":
                masked = masked or script >= Script.HAN
                name = word.capital and not word.pronoun
                if by_case and (word.by_case or word.inner_capital):
                    masked = True
                if by_case and name:
                    after = following.get(id(word))
                    pair = after is not None and after.capital and not after.pronoun
                    masked = masked or not word.starts or pair
            if not masked:
                tokens.append((value, 2 if word.kind == "word" else 1))
            elif not tokens or tokens[-1][1] != 0:
                tokens.append((0, 0))
        return tokens

    def cells(self, tokens: list[tuple[int, int]]) -> list[int]:
        parts = [tokens] if len(tokens) <= 384 else [tokens[:192], tokens[-192:]]
        found: set[int] = set()
        for part in parts:
            for i in range(len(part) - 4):
                window = part[i : i + 5]
                if any(weight == 1 for _, weight in window):
                    window = part[i : i + 8]
                    if len(window) < 8:
                        continue
                elif sum(weight == 0 for _, weight in window) >= 3:
                    continue
                found.add(self.window("cell", [value for value, _ in window]))
        if not found and len(tokens) <= 8 and sum(weight for _, weight in tokens) >= 6:
            found.add(self.window("cell", [value for value, _ in tokens]))
        return sorted(found)[:16]

    def shingles(self, words: list[Item]) -> list[int]:
        hashes = [self.sip("word", utf8(w.folded)) for w in words]
        count = len(words) - 5
        found: set[int] = set()
        for i in range(count):
            size = 12 if any(w.kind == "character" for w in words[i : i + 6]) else 6
            if i + size <= len(words):
                found.add(self.window("shingle", hashes[i : i + size]))
        return sorted(found)[: max(8, min(64, -(-count // 16)))]

    def topic(self, words: list[Item]) -> int:
        known = [self.rows[w.folded] for w in words if w.folded in self.rows]
        if len(known) >= 3 and len(known) * 6 >= len(words):
            sums = self.topics.weights[known].astype(int).sum(axis=0).tolist()
            return int(sums.index(max(sums)))
        counted = [w for w in words if not w.digit and (w.kind == "character" or w.size >= 4)]
        if len(counted) < 3:
            return -1
        hashes = [self.sip("word", utf8(w.folded)) for w in counted]
        sums = [sum(-1 if h >> d & 1 else 1 for h in hashes) for d in range(32)]
        best = max(range(32), key=lambda d: abs(sums[d]))
        return int(self.topics.weights.shape[1]) + 2 * best + (sums[best] < 0)

    def asks(self, words: list[str]) -> int:
        places: dict[str, list[int]] = {}
        for at, word in enumerate(words):
            places.setdefault(word, []).append(at)
        bits = 0
        for pattern in self.patterns:
            reached: set[int] = set()
            for number, (alternatives, gap) in enumerate(pattern.slots):
                here = {at for word in alternatives for at in places.get(word, ())}
                if number:
                    here = {
                        at for at in here if any(at - back in reached for back in range(1, gap + 2))
                    }
                reached = here
                if not reached:
                    break
            if reached:
                bits |= pattern.bit
        return bits

    def chain(self, system: str | None, messages: list[tuple[str, str]]) -> list[int]:
        link = self.digest("seed", system) % (1 << 64) if system else 0
        links: list[int] = []
        for role, text in messages:
            values = (link, self.digest("role", role) % (1 << 64), self.sip("prefix", utf8(text)))
            link = self.sip("prefix", b"".join(v.to_bytes(8, "little") for v in values))
            links.append(signed(link))
        return links[-16:]


def dominant(words: list[Item]) -> int:
    letters = Counter(script_of(c) for w in words for c in w.text if is_letter(c) and is_word(c))
    if not letters:
        return 0
    best = min(letters, key=lambda s: (-letters[s], s))
    if best == Script.HAN and letters[Script.JAPANESE] * 9 >= letters[Script.HAN]:
        return int(Script.JAPANESE)
    return int(best)
