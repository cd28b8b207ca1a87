"""The sketch format in plain Python, written from docs/sketches.md: slow, and easy to check.

Shares with the compiled code only the data (ranges of scripts, look-alikes, dropped characters,
phrases, topic model). Works on whole lists of items where the kernel streams.
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

from siphash24 import siphash24

from stillwatch.sketches import Script, Shape
from stillwatch.sketches.phrases import Pattern
from stillwatch.sketches.topics import TopicModel

from .reference_forms import form_of, mark_entities, mark_quotations, mark_sentences
from .reference_text import (
    Item,
    is_letter,
    is_lower,
    is_upper,
    is_word,
    items_of,
    normal_form,
    prepared,
    script_of,
    utf8,
)

M = 0x9E3779B97F4A7C15


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


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
        parts = [tokens] if len(tokens) <= 128 else [tokens[:64], tokens[-64:]]
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
