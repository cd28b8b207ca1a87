"""What an indicator looks for: a pattern of the profile, under the key that its scheme names."""

from __future__ import annotations

import re

import msgspec

from stillwatch.errors import IndicatorError
from stillwatch.intel.profile.names import TEMPLATE_PATTERN
from stillwatch.intel.profile.patterns import SCHEME, DigestPattern, TemplatePattern

__all__ = ["Pattern", "read_pattern"]

_SCHEME = re.compile(SCHEME, re.ASCII)


class Pattern(msgspec.Struct, frozen=True):
    """A pattern. `scheme` names the community, epoch and key of its hashes."""

    scheme: str
    what: DigestPattern | TemplatePattern

    @property
    def name(self) -> str:
        """One text for all patterns that look for the same."""
        if isinstance(self.what, TemplatePattern):
            return str(self.what)
        return f"{self.scheme} {self.what}"


def read_pattern(kind: str, text: str, scheme: str) -> Pattern:
    """Read the pattern of an indicator; it is compared, and never evaluated.

    Args:
        kind: its ``pattern_type``.
        scheme: how, and under which key, its hashes were made, by the object's extension.

    Raises:
        IndicatorError: it is none of the profile's two, or its scheme is another one.
    """
    if not _SCHEME.fullmatch(scheme):
        raise IndicatorError("scheme: this names no community, epoch and key")
    if kind == "stix":
        return Pattern(scheme, DigestPattern.parse(text))
    if kind != TEMPLATE_PATTERN:
        raise IndicatorError(f"pattern_type: only stix and {TEMPLATE_PATTERN} are read")
    found = TemplatePattern.parse(text)
    if found.scheme != scheme:
        raise IndicatorError("pattern: its scheme is not that of the extension")
    return Pattern(scheme, found)
