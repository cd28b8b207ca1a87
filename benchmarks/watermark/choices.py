"""What it costs to write choices: time against a copy of the text, and characters held back.

    python -m benchmarks.watermark.choices

The texts are pages of ours (English Markdown with code, tables and lists), and answers of a model
of text with many connectives. Costs are ratios within one run: each round times everything once,
in turn, and the median over rounds is divided by that of the baseline.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from stillwatch.lab.students import HabitModel
from stillwatch.watermark import KeyRing
from stillwatch.watermark.choices import EnglishReader, KeyedMark, Rewriter, rewrite

ROUNDS, PIECE = 15, 4
READER = EnglishReader()
MARK = KeyedMark.of(KeyRing(bytes(range(32)), "2026-11"), "c-1", READER.name)


def pages() -> list[str]:
    folder = Path(__file__).parents[2] / "docs"
    return [path.read_text() for path in sorted(folder.glob("*.md"))]


def answers() -> list[str]:
    return [HabitModel(1)(f"Tell me about {i}") for i in range(400)]


def streamed(text: str) -> None:
    rewriter = Rewriter(MARK, READER, "")
    for at in range(0, len(text), PIECE):
        rewriter.feed(text[at : at + PIECE])
    rewriter.end()


def copied(text: str) -> None:
    "".join([text[at : at + PIECE] for at in range(0, len(text), PIECE)])


def decoded(text: str) -> Callable[[], object]:
    """The events of a stream, decoded and encoded: what every stream costs at least."""
    events = [
        msgspec.json.encode({"choices": [{"index": 0, "delta": {"content": text[a : a + PIECE]}}]})
        for a in range(0, len(text), PIECE)
    ]
    return lambda: [msgspec.json.encode(msgspec.json.decode(each)) for each in events]


def held(texts: list[str]) -> list[int]:
    """Characters that are held after each piece."""
    found = []
    for text in texts:
        written = rewrite(MARK, READER, "", text)  # writing it again changes no length
        rewriter, gone = Rewriter(MARK, READER, ""), 0
        for at in range(0, len(written), PIECE):
            gone += len(rewriter.feed(written[at : at + PIECE]))
            found.append(min(at + PIECE, len(written)) - gone)
    return found


def costs(texts: list[str]) -> dict[str, float]:
    """Microseconds for 1,000 characters, the median over rounds."""
    size = sum(map(len, texts)) / 1_000
    events = [decoded(text) for text in texts]
    work: dict[str, Callable[[], object]] = {
        "copy in pieces": lambda: [copied(text) for text in texts],
        "JSON of its events": lambda: [each() for each in events],
        "rewrite": lambda: [rewrite(MARK, READER, "", text) for text in texts],
        "Rewriter, in pieces": lambda: [streamed(text) for text in texts],
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, run in work.items():
            began = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - began) / size * 1e6)
    return {name: statistics.median(each) for name, each in times.items()}


def growth(unit: str) -> tuple[float, float]:
    """Microseconds a character of a text of one thing alone, and how much more in a long one."""
    spent = []
    for size in (100_000, 1_000_000):
        text = unit * (size // len(unit))
        began = time.perf_counter()
        rewrite(MARK, READER, "", text)
        spent.append((time.perf_counter() - began) / len(text) * 1e6)
    return spent[0], spent[1] / spent[0]


def main() -> None:
    for unit in ("x ", "a — ", ". However, it", "- a\n", '"a ', "`", "["):
        each, more = growth(unit)
        print(f"{unit!r} alone: {each:.2f} us a character, {more:.2f} times that in a million")
    for name, texts in (("pages", pages()), ("answers", answers())):
        size = sum(map(len, texts))
        slots = sum(sum(1 for _ in READER.read("", text)) for text in texts)
        found = sorted(held(texts))
        median, most = found[len(found) // 2], found[-1]
        print(f"{name}: {len(texts)} texts, {size:,} characters, "
              f"{slots / size * 1000:.1f} choices in 1,000 characters")  # fmt: skip
        late = sum(each > 0 for each in found) / len(found)
        print(f"  held after a piece of {PIECE}: nothing after {1 - late:.1%}; median {median}, "
              f"99 % at most {found[int(0.99 * len(found))]}, never more than {most}")  # fmt: skip
        spent = costs(texts)
        base = spent["JSON of its events"]
        for what, each in spent.items():
            print(f"  {what}: {each / base:.2f} of the JSON of its events ({each:.0f} us)")


if __name__ == "__main__":
    main()
