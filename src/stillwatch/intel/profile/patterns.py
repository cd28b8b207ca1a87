"""The two patterns of the profile: written and read by one grammar, and nothing is ever evaluated.

A digest: ``[x-stillwatch-digest:payment = '<32 hex>']``, which is also a pattern of STIX 2.1. A
template: ``<scheme> <least> <cell> <cell>…``, cells being 16 hexadecimal digits each, ascending.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from stillwatch.errors import IndicatorError
from stillwatch.intel.identifiers import FIELDS
from stillwatch.intel.profile.names import DIGEST_OBJECT

__all__ = [
    "FEWEST_CELLS", "MOST_CELLS", "SCHEME", "DigestPattern", "TemplatePattern", "cell_text",
    "cell_value",
]  # fmt: skip

#: cells that an exchange must share with a template, at least, and cells of a template, at most
FEWEST_CELLS: Final = 2
MOST_CELLS: Final = 256
SCHEME: Final = (
    r"stillwatch\.digest/1:[a-z0-9][a-z0-9._-]{0,63}:[a-z0-9][a-z0-9._-]{0,63}:[0-9a-f]{16}"
)
_SCHEME = re.compile(SCHEME, re.ASCII)
_DIGEST = re.compile(rf"\[{DIGEST_OBJECT}:([a-z]{{1,20}}) = '([0-9a-f]{{32}})'\]", re.ASCII)
_CELL = re.compile(r"[0-9a-f]{16}", re.ASCII)
_LEAST = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_LONGEST = 200 + 17 * MOST_CELLS


def cell_text(cell: int) -> str:
    """A cell, a signed 64-bit integer, as 16 hexadecimal digits (two's complement)."""
    return f"{cell % 2**64:016x}"


def cell_value(text: str) -> int:
    """The cell that :func:`cell_text` wrote."""
    value = int(text, 16)
    return value - 2**64 if value >= 2**63 else value


@dataclass(frozen=True)
class DigestPattern:
    """One field of an exchange has one value. `value` is 32 hexadecimal digits."""

    field: str
    value: str

    def __str__(self) -> str:
        return f"[{DIGEST_OBJECT}:{self.field} = '{self.value}']"

    @classmethod
    def parse(cls, text: str) -> DigestPattern:
        """Read a pattern.

        Raises:
            IndicatorError: it is another one, or of a field that is not shared.
        """
        found = _DIGEST.fullmatch(text) if len(text) <= 200 else None
        if found is None or found[1] not in FIELDS:
            raise IndicatorError(
                f"pattern: {text[:80]!r} is no [{DIGEST_OBJECT}:FIELD = '32 hexadecimal digits'] "
                f"with a field out of {', '.join(FIELDS)}"
            )
        return cls(found[1], found[2])


@dataclass(frozen=True)
class TemplatePattern:
    """An exchange matches that has `least` of `cells` at least; `scheme` names their key."""

    scheme: str
    least: int
    cells: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join((self.scheme, str(self.least), *map(cell_text, self.cells)))

    @classmethod
    def parse(cls, text: str) -> TemplatePattern:
        """Read a pattern.

        Raises:
            IndicatorError: it is another one, or one that too much would match.
        """
        parts = text.split(" ") if len(text) <= _LONGEST else []
        if len(parts) < 2 or not _SCHEME.fullmatch(parts[0]) or not _LEAST.fullmatch(parts[1]):
            raise IndicatorError(f"pattern: {text[:80]!r} is no SCHEME LEAST CELL CELL…")
        least, cells = int(parts[1]), parts[2:]
        for cell in cells:
            if not _CELL.fullmatch(cell):
                raise IndicatorError(f"pattern: {cell[:20]!r} is no cell of 16 hexadecimal digits")
        if cells != sorted(set(cells)):
            raise IndicatorError("pattern: cells stand in ascending order, each once")
        if not FEWEST_CELLS <= least <= len(cells) <= MOST_CELLS:
            raise IndicatorError(
                f"pattern: {least} of {len(cells)} cells; at least {FEWEST_CELLS}, and at most as "
                f"many as there are, of {MOST_CELLS} cells at most"
            )
        return cls(parts[0], least, tuple(map(cell_value, cells)))
