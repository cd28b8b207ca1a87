"""Files of synonyms in the form of MyThes, which OpenOffice and LibreOffice read.

The first line names the encoding. Then, for each entry, a line ``word|senses`` and a line for each
sense: ``(noun)|word|word (generic term)|…``. What has a remark in brackets is no synonym, but
broader, related or opposite.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from stillwatch.errors import InputError

__all__ = ["INSTALLED", "read_thesaurus"]

#: where the Debian package ``mythes-en-us`` puts its file
INSTALLED: Final = Path("/usr/share/mythes/th_en_US_v2.dat")

_WORD = re.compile(r"[^\W\d_]+")
#: as long as the shortest word that is replaced: shorter ones are particles and abbreviations
_SHORTEST = 4
#: words that a thesaurus has another, rare sense of
_KEPT: Final = frozenset(
    """
    also back been came does done down each else even ever from gone good have here home
    into just less like made more most much must next once only over said same some soon
    such than that them then they this thus till upon very well went were what when whom
    will with your about after again being could every having might never other quite shall
    still their there these thing think those under until where which while whose would
    should through without
    """.split()  # noqa: SIM905
)


def read_thesaurus(path: Path = INSTALLED) -> Mapping[str, tuple[str, ...]]:
    """Word → its synonyms, both in lower case, single words of letters only.

    Those of the first sense that has any; senses of a noun come before those of a verb. Inflected
    forms are not there.

    Raises:
        InputError: the file is not there, or is not of this form.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            "there is no thesaurus here; install one in the form of MyThes (Debian: mythes-en-us) "
            "or name one",
            path=path,
        ) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    first, _, rest = raw.partition(b"\n")
    try:
        codec = codecs.lookup(first.strip().decode("ascii"))
        lines = codec.decode(rest)[0].removesuffix("\n").split("\n")
    except (LookupError, ValueError) as error:
        raise InputError(f"is no thesaurus of MyThes: {error}", path=path, line=1) from error
    found: dict[str, tuple[str, ...]] = {}
    for word, senses in _entries(lines, path):
        if (synonyms := _first(word, senses)) and word not in found:
            found[word] = synonyms
    return found


def _entries(lines: list[str], path: Path) -> Iterator[tuple[str, list[str]]]:
    """Word and senses of each entry."""
    at = 0
    while at < len(lines):
        word, _, count = lines[at].rpartition("|")
        senses = lines[at + 1 : at + 1 + int(count)] if count.isdecimal() and word else []
        if not senses or len(senses) < int(count):
            raise InputError("is no entry of a thesaurus of MyThes", path=path, line=at + 2)
        yield word.lower(), senses
        at += 1 + len(senses)


def _first(word: str, senses: Iterable[str]) -> tuple[str, ...]:
    """The synonyms of the first sense that has some."""
    if len(word) < _SHORTEST or word in _KEPT or not _WORD.fullmatch(word):
        return ()
    for sense in senses:
        others = dict.fromkeys(other for other in sense.split("|")[1:] if _WORD.fullmatch(other))
        # what is written with a capital is a name
        others = {other: None for other in others if other.islower() and other != word}
        if others:
            return tuple(others)
    return ()
