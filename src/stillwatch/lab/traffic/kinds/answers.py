"""What the simulated model answers. Composed, short, and about the words of the request.

Answers matter where they come back in (see the cleaner), as candidates for a judge, and as the
history of a conversation. Every kind uses these, so that no detection can learn from their style.
"""

from __future__ import annotations

import re
from functools import cache
from random import Random

from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["answer", "phrase", "topics"]

#: sentences with three slots each; a slot every few words keeps five-word runs from coming back
_SENTENCES = tuple(
    Wording(grammar)
    for grammar in (
        "{Sure|Certainly|Of course}: <a> {comes|goes} {first|early}, {then|next} <b>, {and|with}"
        " <c> {last|after}.",
        "{On|About|As for} <a>, {the gist|my view} is <b>, {not|less} <c>.",
        "{With|Given} <a> {in mind|at hand}, <b> {seems|looks} {best|right} {unless|until} <c>"
        " {changes|fails}.",
        "{It|This} {turns|hinges} on <a>; <b> {matters|counts} {more|most}, <c> {hardly|little}.",
        "{Try|Start with} <a>, {see|check} <b> {twice|again}, {leave|skip} <c> {out|for now}.",
        "<a> {means|is} <b> {here|in short}, {so|hence} <c> {follows|holds}.",
        "{Two|Three} {points|notes} on <a>: <b>{,| and} <c>.",
        "{People|Many} {mix|confuse} <a> {with|and} <b>; {what|that} {helps|works} is <c>.",
        "{If|When} <a> {worries|bothers} you, {let|have} <b> {lead|go}, {as|for} <c> {waits|can"
        " wait}.",
        "{Roughly|In a word}, <a> {gives|yields} <b> {per|for each} <c>.",
        "{The|One} {catch|limit} is <a>: {too much|any} <b> {spoils|hides} <c>.",
        "{Short|Quick} {version|answer}: <a>. {Longer|In full}: <b> {by way of|through} <c>.",
        "{Keep|Hold} <a> {apart|away} from <b> {while|as} <c> {settles|runs}.",
        "{Compare|Weigh} <a> {against|and} <b>, {minding|noting} <c>{ too| as well|}.",
        "{Happy|Glad} to {help|assist} with <a>{!|.} <b> {first|then}, {or|maybe} <c>?",
        "{Between|Among} <a> and <b> {there lies|you find} <c>, {oddly|often}.",
    )
)


def answer(rng: Random, text: str) -> str:
    """An answer of two or three sentences that takes up words of `text`."""
    words = _CONTENT.findall(text[:400]) or _FEW
    random, many = rng.random, len(words)
    said = [pick(rng, _frames()) for _ in range(2 + (random() < 0.4))]
    first, step = int(random() * many), 1 + int(random() * many)
    return " ".join(said) % tuple([words[(first + i * step) % many] for i in range(3 * len(said))])


def phrase(rng: Random, text: str, words: int = 4) -> str:
    """A run of words of `text` that a question could be about."""
    found = text.split()
    if len(found) <= words:
        return " ".join(found).strip(_EDGE) or "that"
    start = int(rng.random() * (len(found) - words))
    return " ".join(found[start : start + words]).strip(_EDGE) or pick(rng, ("that", "this"))


def topics(rng: Random, text: str) -> dict[str, str]:
    """Three content words of `text`, for the slots a, b and c of a paraphrase."""
    words = _CONTENT.findall(text) or _FEW
    first, step = int(rng.random() * len(words)), 1 + int(rng.random() * (len(words) - 1))
    return {slot: words[(first + i * step) % len(words)] for i, slot in enumerate("abc")}


_CONTENT = re.compile(r"\b[a-z]{5,24}\b")
_FEW = ("matter", "subject", "case")
_EDGE = " .,;:!?\"'()[]{}<>*`#-_"


@cache
def _frames() -> list[str]:
    """Thousands of sentences, worded once: answers are written more often than anything else."""
    rng = Random("answers")
    return [pick(rng, _SENTENCES).say(rng, a="%s", b="%s", c="%s") for _ in range(4_000)]
