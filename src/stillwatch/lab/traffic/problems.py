"""Story problems for school arithmetic, composed: what stands in for a public set of such problems.

Their words come from the dictionary that ships, so that two problems hardly share five words in a
row. Numbers need not work out: nobody solves them here. A benchmark puts a real set in their place
(``docs/simulator.md``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from stillwatch.lab.corpus import Corpus
from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["nouns", "public_problems", "story_problem"]

_SIZE = 4_000
_FIELDS = ("noun.artifact", "noun.food", "noun.plant", "noun.animal", "noun.object", "noun.person")
_PLAIN = re.compile(r"[a-z]{3,14}( [a-z]{3,12})?")

_BEGIN = tuple(
    Wording(grammar)
    for grammar in (
        "<who> {buys|orders|collects} <a> <x> {crates|boxes|bags} and <b> <y> {packs|tins}{ from a"
        " <z>| on credit|}.",
        "{At|In|Behind} the <x> {stall|depot|fair}, <a> <y> {pieces|units} {cost|weigh|match}"
        " <b> <z> {ones|parts}.",
        "{A|One} <x> {runs|works|lasts} <a> <z> {hours|days} on <b> <y> {litres|grams}{, {half|a"
        " third} spilt|}.",
        "<a> {visitors|members|children} {share|split} <b> <x> {tickets|slices} {beside|near} the"
        " <y>; {some|a few} also {want|bring} <z>.",
        "<who>'s <x> {fills|holds} <a> {jars|shelves}; {each|every} {jar|shelf} {takes|has} <b>"
        " <y>, {never|rarely} <z>.",
        "{For|During} the <x> {week|season} a <y> {earns|loses} <a> <z> {coins|points},"
        " {then|later} <b> {daily|per trip}.",
        "{Two|Three} <x> {teams|crews} {paint|carry|count} <a> <y> {boards|sacks} {while|before}"
        " <who> {fetches|mends} <b> <z>.",
        "{Of|Among} <a> <x> {samples|entries}, <b> {contain|mention} <y>{ {or|and} <z>|}.",
        "<who>'s <z> {walks|cycles|rows} <a> {metres|miles} {to|past} <x>, {rests|stops} {for|at}"
        " <y>, {then|and} <b> {back|more}.",
        "{Yesterday|Last spring|On market day} <x> {rose|fell} <a> {per cent|cents}, <y> <b>{, <z>"
        " {not at all|too}|}.",
    )
)
_GO_ON = tuple(
    Wording(grammar)
    for grammar in (
        "{Later|Next|After lunch} <other> {adds|returns|breaks} <b> <z> {and|but} {keeps|sells} the"
        " <x>.",
        "{Every|Each} <y> {costs|needs} <c> <x> {coins|minutes} {above|below|beside} <z>.",
        "{A|One} {quarter|fifth|third} of the <x> {goes|went} to <other>'s <z>, {the rest|others}"
        " to <y>.",
        "{If|Once} <c> <z> {arrive|leave}, <other> {pays|gets} {twice|half} for <x>.",
        "<other> {has|owns} <c> {times|more} <y>, {yet|though} {fewer|no} <z>.",
        "{Rain|A strike|A leak} {spoils|delays} <c> <x> {loads|rows}; {nobody|only <other>}"
        " {buys|saves} <z>.",
        "{Both|All} <y> {owners|sellers|lovers} {swap|trade} <b> <x> for <c> <z>{ {with|from}"
        " <other>|}.",
    )
)
_ASK = tuple(
    Wording(grammar)
    for grammar in (
        "{How many|How much} <x> {remain|are left|does <other> hold}{ {by|on} {noon|Friday}|}?",
        "{What|Which} {share|fraction|ratio} of <y> {is|becomes} <z>?",
        "{After|In} how {many|few} <y> {days|rounds|trips} {do|will} <x> and <z> {match|run out}?",
        "{Find|Work out} <who>'s {total|profit|average} {over|across} <y>{ and <z>|}.",
        "{Who|Whose <y>} {has|spends} {more|less} on <z>, {how much|and what} per <x>?",
        "{Could|Can} <other> {afford|carry} <c> {more|extra} <y>{? {Give|Show} the <z>"
        " {sum|figure}|}?",
    )
)
_WHO = (
    "Ada", "Bo", "Chidi", "Dora", "Emre", "Farah", "Goran", "Hana", "Ines", "Jun", "Kofi", "Lena",
    "Milo", "Nadia", "Otto", "Priya", "Quinn", "Rosa", "Sven", "Tala", "Umar", "Vera", "Wim",
)  # fmt: skip


def story_problem(rng: Random, words: Sequence[str]) -> str:
    """A problem of three or four sentences; things in it are from `words`."""
    slots = {
        "who": pick(rng, _WHO),
        "other": pick(rng, _WHO),
        "x": pick(rng, words),
        "y": pick(rng, words),
        "z": pick(rng, words),
        "a": str(12 + int(rng.random() * 900)),
        "b": str(2 + int(rng.random() * 90)),
        "c": str(2 + int(rng.random() * 9)),
    }
    parts = [pick(rng, _BEGIN), pick(rng, _GO_ON), pick(rng, _ASK)]
    if rng.random() < 0.5:
        parts.insert(1, pick(rng, _GO_ON))
        slots["z"], slots["y"] = slots["y"], pick(rng, words)
    return " ".join(part.say(rng, **slots) for part in dict.fromkeys(parts))


def nouns(corpus: Corpus) -> list[str]:
    """Plain nouns of the dictionary: things, food, plants, animals, people."""
    definitions = corpus.pool("definitions")
    groups = definitions.groups()
    heads = (definitions[i].text.partition(":")[0] for f in _FIELDS for i in groups.get(f, ()))
    return [head for head in dict.fromkeys(heads) if _PLAIN.fullmatch(head)]


def public_problems(corpus: Corpus) -> list[str]:
    """The stand-in for a public set: always the same problems."""
    rng, words = Random("public problems"), nouns(corpus)
    return list(dict.fromkeys(story_problem(rng, words) for _ in range(_SIZE)))
