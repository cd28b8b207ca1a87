"""Reference: characters, folding, and the cutting of a text into words, spaces and marks."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from stillwatch.sketches import Script
from stillwatch.sketches.characters import CAPITAL_LOOKALIKES, DROPPED, LOOKALIKES, SCRIPT_RANGES

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
