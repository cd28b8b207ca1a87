"""What kind of network an address belongs to, from a file that people can read and correct."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from stillwatch.access.checking import ASN_CLASSES, nearest
from stillwatch.access.facts import UNKNOWN
from stillwatch.errors import SettingsError

__all__ = ["AsnClasses", "read_asn_classes"]

_WORD = re.compile(r"\w+")


class AsnClasses:
    """Classes by number, then by words of an organisation's name, in the order of the file."""

    def __init__(self, asns: dict[int, str], words: dict[str, str]) -> None:
        self._asns, self._words = asns, words
        self._order = {name: i for i, name in enumerate(dict.fromkeys(words.values()))}

    def of(self, asn: int, organisation: str = "") -> str:
        """The class of a network; ``unknown`` when neither its number nor its name tells."""
        if (known := self._asns.get(asn)) is not None:
            return known
        found = {self._words[w] for w in _WORD.findall(organisation.lower()) if w in self._words}
        return min(found, key=self._order.__getitem__, default=UNKNOWN)


def read_asn_classes(path: Path | None = None) -> AsnClasses:
    """Read a file of classes (TOML: a table a class, with `asns` and `words`); ours by default.

    Raises:
        SettingsError: it cannot be read, or a number or word stands under two classes.
    """
    name = str(path or "asn_classes.toml")
    try:
        text = (path or files("stillwatch.access") / "data" / "asn_classes.toml").read_text("utf-8")
        tables = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read the classes of networks: {error}", path=name) from error
    asns: dict[int, str] = {}
    words: dict[str, str] = {}
    for kind, table in tables.items():
        if kind not in ASN_CLASSES or not isinstance(table, dict):
            raise SettingsError(
                f"there is no class '{kind}'{nearest(kind, ASN_CLASSES)}"
                f" (there are: {', '.join(ASN_CLASSES)})",
                path=name,
            )
        _add(asns, kind, table.pop("asns", []), int, name)
        _add(words, kind, table.pop("words", []), str, name)
        if table:
            raise SettingsError(f"[{kind}] has no '{min(table)}', only asns and words", path=name)
    return AsnClasses(asns, words)


def _add(known: dict[Any, str], kind: str, values: object, wanted: type, path: str) -> None:
    for value in values if isinstance(values, list) else [values]:
        if type(value) is not wanted:
            raise SettingsError(f"[{kind}] holds {value!r}, no {wanted.__name__}", path=path)
        if value in known:
            raise SettingsError(f"{value!r} stands under [{known[value]}] and [{kind}]", path=path)
        known[value] = kind
