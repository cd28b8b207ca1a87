"""Definitions with examples from WordNet: short texts about everything, not about software."""

from __future__ import annotations

import re
from pathlib import Path

from corpus_build.clean import Seen, clean, words
from corpus_build.fetch import debian
from corpus_build.licences import Licences, debian_licence
from corpus_build.store import Draft, SetDraft

__all__ = ["dictionary"]

_NAME, _VERSION, _MOST = "wordnet-base", "1:3.0-37", 16_000
#: lexicographer files in the order of their numbers, as `man 5 lexnames` lists them
_FIELDS = """
adj.all adj.pert adv.all noun.tops noun.act noun.animal noun.artifact noun.attribute noun.body
noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location
noun.motive noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process
noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change
verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation
verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative verb.weather
adj.ppl
"""


def dictionary(cache: Path, seen: Seen) -> SetDraft:
    """Evenly spaced entries of 12 to 60 words: the word, its definition, its examples."""
    root = debian(cache, _NAME, _VERSION)
    licences = Licences()
    kind = licences.add(f"{_NAME} {_VERSION}", debian_licence(root, _NAME))
    entries = []
    for part in ("noun", "verb", "adj", "adv"):
        path = root / f"usr/share/wordnet/data.{part}"
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = _entry(line)
            if entry is not None and seen.new(entry[1]):
                entries.append(entry)
    pool = Draft("definitions")
    step = len(entries) / _MOST
    for field, text in sorted((entries[int(i * step)] for i in range(_MOST)), key=lambda e: e[0]):
        pool.add(text, f"{_NAME} {_VERSION}", field)
    about = f"""
package: {_NAME} {_VERSION} of Debian 12
licence: {kind} (WordNet 3.0 licence)
holds: definitions: a word, its definition and its examples, in 12 to 60 words
selection: {_MOST} entries, evenly spaced; those that offend left out
group: the lexicographer file, such as noun.food
"""
    return SetDraft("wordnet", about, licences.texts(), [pool])


def _entry(line: str) -> tuple[str, str] | None:
    """Field and text of a line of a data file; None for one that does not fit."""
    if line.startswith("  "):
        return None
    fields, _, gloss = line.partition(" | ")
    _, field, _, _, word = fields.split(" ")[:5]
    word = re.sub(r"\(\w+\)$", "", word).replace("_", " ")
    text = clean(f"{word}: {gloss.strip()}")
    if text is None or not 12 <= len(words(text)) <= 60:
        return None
    return _FIELDS.split()[int(field)], text
