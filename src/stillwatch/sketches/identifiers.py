"""Identifiers → keyed digests, remembered, since one account sends many requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from stillwatch.sketches.characters import prepare
from stillwatch.sketches.key import SketchKey

__all__ = ["IDENTIFIERS", "Identifiers", "normalised_system", "request_digests"]

IDENTIFIERS = (
    "account", "org", "key", "end_user", "conversation", "ip", "ja4", "user_agent",
    "accept_language", "payment", "device", "email_domain",
)  # fmt: skip
"""Columns that hold the digest of the field of the same name."""

_MOST_REMEMBERED = 1 << 17


class _Digests(dict[str | None, int | None]):
    """Digests of one purpose; missing ones are computed. None and '' are unknown."""

    def __init__(
        self, key: SketchKey, purpose: str, normalise: Callable[[str], str] | None
    ) -> None:
        super().__init__()
        self._key, self._purpose, self._normalise = key, purpose, normalise

    def __missing__(self, value: str | None) -> int | None:
        digest = None
        if value:
            clear = self._normalise(value) if self._normalise else value
            digest = self._key.digest(self._purpose, clear)
        self[value] = digest
        return digest


class Identifiers:
    """Digests columns of identifiers; remembers a bounded number of them for each purpose."""

    def __init__(self, key: SketchKey) -> None:
        self._key = key
        self._purposes: dict[str, _Digests] = {}

    def digest(
        self,
        purpose: str,
        values: Sequence[str | None],
        normalise: Callable[[str], str] | None = None,
    ) -> pa.Array:
        """An int64 column, null where the value is None or empty."""
        if not any(values):
            return pa.nulls(len(values), pa.int64())
        return pa.array(self.digest_each(purpose, values, normalise), pa.int64())

    def digest_each(
        self,
        purpose: str,
        values: Iterable[str | None],
        normalise: Callable[[str], str] | None = None,
    ) -> list[int | None]:
        """The same as a list."""
        known = self._purposes.get(purpose)
        if known is None or len(known) > _MOST_REMEMBERED:
            known = self._purposes[purpose] = _Digests(self._key, purpose, normalise)
        return list(map(known.__getitem__, values))


def normalised_system(text: str) -> str:
    """The form in which a system prompt is digested: case and spacing do not matter."""
    return " ".join(prepare(text).casefold().split())


def request_digests(
    key: SketchKey,
    names: Sequence[str | None],
    accounts: Sequence[str],
    times: Sequence[int],
    contents: pa.Array,
) -> pa.Array:
    """Digests of request ids, or of account, time and content where there is none.

    They are not remembered: they hardly ever repeat.
    """
    if not all(names):
        made = contents.to_pylist()
        names = [
            name or f"{accounts[n]}\x00{times[n]}\x00{made[n]}" for n, name in enumerate(names)
        ]
    digest = key.digest
    return pa.array([digest("request", name) for name in names if name], pa.int64())
