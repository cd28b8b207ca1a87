"""What a writer writes: one request, before it gets an account's name, a time and a price."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec

from stillwatch.exchange import Message

__all__ = ["Desk", "Request", "Stock", "Writer", "tokens"]


class Request(msgspec.Struct):
    """One request.

    `text` is what is new in it; `history` are the turns before. `context` are the tokens of system
    prompt, tools and history, of which `shared` come first and are the same in every request of the
    activity. `output` is the median of the answer's tokens where `completion` does not settle it.
    `images` counts pictures that go with the text: their tokens count, their content is not here.
    The rest overrides the account's request parameters.
    """

    text: str
    history: tuple[Message, ...] = ()
    system: str | None = None
    tools: tuple[str, ...] | None = None
    completion: str | None = None
    composed: bool = True
    context: int = 0
    shared: int = 0
    output: float = 130.0
    thread: int = 0
    role: str = "user"
    images: int = 0
    end_user: str | None = None
    temperature: float | None = None
    n: int | None = None
    max_tokens: int | None = None
    response_format: str | None = None
    prefill: str | None = None
    reasoning: str | None = None
    finish: str | None = None


class Stock:
    """The texts of one pool that belong to one activity, in order, each handed out once.

    When they run out, :meth:`take` joins a text with words of the others: new, but composed. Its
    beginning is still this activity's alone, so that no other account sends the same.
    """

    __slots__ = ("_at", "_composed", "_rng", "_words", "texts")

    def __init__(self, texts: Sequence[str], rng: Random, composed: bool = False) -> None:
        self.texts = texts
        self._composed = composed
        self._rng = rng
        self._words: list[str] = []
        self._at = 0

    def take(self) -> tuple[str, bool]:
        """A text of this activity alone, and whether it was composed."""
        at, size = self._at, len(self.texts)
        self._at += 1
        if at < size:
            return self.texts[at], self._composed
        head = self.texts[at % size]
        blank = " " if " " in head else ""  # some scripts have no blanks
        if not self._words:
            self._words = [w for text in self.texts[:200] for w in (text.split() or [text])]
            if not blank:
                self._words = list("".join(self._words))
        start = int(self._rng.random() * len(self._words))
        some = self._words[start : start + 4 + int(self._rng.random() * 16)]
        return f"{head}{blank or '，'}{blank.join(some)}", True

    def any(self) -> str:
        """One of the texts, with repetition: a document of the tenant's own collection."""
        return self.texts[int(self._rng.random() * len(self.texts))]


class Desk(msgspec.Struct):
    """What one activity of one account works with.

    Attributes:
        rng: this activity's own draws; the period is part of its seed.
        tenant: the account's own draws that are the same in every period.
        common: draws that are the same in every period, for all members of a group or campaign.
        group: number of the tenant, framework, tool or class within the kind.
        threads: conversation number of each request, in the order of time; ascending per new one.
        lengths: requests of each conversation.
        stocks: pool → texts that belong to this activity.
        public: pool → texts that everybody may send, the same for all.
        effort: state of a campaign, common to its accounts; None for innocent ones.
    """

    rng: Random
    tenant: Random
    common: Random
    group: int
    threads: Sequence[int]
    lengths: dict[int, int]
    stocks: dict[str, Stock]
    public: Callable[[str], Sequence[str]]
    effort: Any = None

    def take(self, *pools: str) -> tuple[str, bool]:
        """A text from the first of `pools` that this activity has, and whether it is composed."""
        return self.stock(*pools).take()

    def aside(self, *pools: str) -> str:
        """A few words in passing, from the account's own texts: people add them to anything."""
        if not any(pool in self.stocks for pool in pools):
            nouns = self.public("nouns")
            return " ".join(nouns[int(self.rng.random() * len(nouns))] for _ in range(3))
        words = self.stock(*pools).any().split()
        start = int(self.rng.random() * max(1, len(words) - 6))
        return " ".join(words[start : start + 4 + int(self.rng.random() * 8)])

    def stock(self, *pools: str) -> Stock:
        """The stock of the first of `pools` that this activity has."""
        for pool in pools:
            stock = self.stocks.get(pool)
            if stock is not None:
                return stock
        raise KeyError(pools)


Writer = Callable[[Desk], Iterator[Request]]


def tokens(text: str) -> int:
    """About as many tokens as a byte-pair vocabulary makes of `text`: a quarter of its bytes."""
    return (len(text) if text.isascii() else len(text.encode())) // 4 + 1


def digest(text: str) -> int:
    """A cheap, stable 32-bit digest, to divide texts among periods; not keyed, not secret."""
    return zlib.crc32(text.encode())
