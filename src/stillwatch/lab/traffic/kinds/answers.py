"""What the simulated model answers. Composed, short, and about the words of the request.

Answers matter where they come back in (see the cleaner) and as the history of a conversation; no
detection may learn from their style, which is why every kind uses these.
"""

from __future__ import annotations

import re
from functools import cache
from random import Random

from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["answer", "phrase", "topics"]

_ANSWER = Wording(
    "{{Sure|Certainly|Of course|Happy to help}{.|!|, here goes.}|{Good|Fair|Great} question.|}"
    " {On|About|As for|Regarding} <topic>{,|:} {the {short|main|first|key}"
    " {answer|point|thing|idea} is|it {mostly|largely|really} {depends|turns} on|what"
    " {matters|counts|helps} {most|here} is} <more>. {{You could|One way is to|I would|It may help"
    " to} {start|begin|try} with <end>{ and {see|check|note} {what|how it}"
    " {changes|goes|works}|}.|{Keep|Bear} in mind that <end> {can|may|might} {differ|vary|change}"
    " {a bit|somewhat|over time}.|{Also|Then} there is <end>.} {Let me know if {you want|you"
    " need|there is} {more|anything else}.|{Hope|I hope} {this|that} helps!|}"
)


def answer(rng: Random, text: str) -> str:
    """An answer of some 30 words that takes up phrases of `text`."""
    words = text.split()
    frame = pick(rng, _frames())
    return frame % (_run(rng, words, 3), _run(rng, words, 5), _run(rng, words, 3))


@cache
def _frames() -> list[str]:
    """Some hundred of the wordings, worded once: answers are written more often than anything."""
    rng = Random("answers")
    return [_ANSWER.say(rng, topic="%s", more="%s", end="%s") for _ in range(800)]


def phrase(rng: Random, text: str, words: int = 4) -> str:
    """A run of words of `text` that a question could be about."""
    return _run(rng, text.split(), words)


def topics(rng: Random, text: str) -> dict[str, str]:
    """Three content words of `text`, for the slots a, b and c of a paraphrase."""
    words = _CONTENT.findall(text) or ["matter", "subject", "case"]
    return {slot: pick(rng, words) for slot in "abc"}


_CONTENT = re.compile(r"\b[a-z]{5,}\b")


def _run(rng: Random, words: list[str], length: int) -> str:
    if len(words) <= length:
        return " ".join(words).strip(_EDGE) or "that"
    start = int(rng.random() * (len(words) - length))
    return " ".join(words[start : start + length]).strip(_EDGE) or pick(rng, ("that", "this"))


_EDGE = " .,;:!?\"'()[]{}<>*`#-_"
