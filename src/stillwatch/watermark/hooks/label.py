"""What the gateway tells an engine about the mark of one request: names, and never a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["ARGUMENT", "CLUSTER_HEADER", "MARK_HEADER", "Label"]

MARK_HEADER: Final = "x-stillwatch-mark"
CLUSTER_HEADER: Final = "x-stillwatch-cluster"
#: under which the same stands in ``vllm_xargs``, for engines whose hooks see no headers
ARGUMENT: Final = "stillwatch_mark"

_NAME = r"[\w-][\w.-]{0,63}"
_LABEL = re.compile(rf"({_NAME});(normal|strong)(?:;({_NAME}))?", re.ASCII)


class Label(NamedTuple):
    """A mark by its name, its strength (``normal`` or ``strong``), and for whom: the digest of a
    cluster, as exchanges have it; ``None`` where the gateway does not tell."""

    name: str
    strength: str = "normal"
    cluster: str | None = None

    @classmethod
    def read(cls, text: str) -> Label | None:
        """From ``NAME;STRENGTH`` or ``NAME;STRENGTH;CLUSTER``; ``None`` if it is neither."""
        found = _LABEL.fullmatch(text)
        return None if found is None else cls(found[1], found[2], found[3])

    @classmethod
    def of_headers(cls, headers: Mapping[str, str]) -> Label | None:
        """From the headers of a request, their names in lower case; ``None``: no mark is asked for,
        or what is asked for cannot be read."""
        asked, cluster = headers.get(MARK_HEADER), headers.get(CLUSTER_HEADER)
        if asked is None or asked.count(";") != 1:
            return None
        return cls.read(asked if cluster is None else f"{asked};{cluster}")

    def __str__(self) -> str:
        ending = "" if self.cluster is None else f";{self.cluster}"
        return f"{self.name};{self.strength}{ending}"
