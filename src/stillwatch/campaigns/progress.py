"""What long work tells the person who waits for it."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """A step has a name and, where it is known, a total; it ends when the next one begins."""

    def step(self, name: str, total: int | None = None) -> None:
        """A new step begins; `total` in the unit that :meth:`advance` counts."""
        ...

    def advance(self, done: int) -> None:
        """`done` more of the step's total."""
        ...

    def note(self, text: str) -> None:
        """Something that the person should read now."""
        ...


class Silent:
    """Says nothing; for benchmarks and tests."""

    def step(self, name: str, total: int | None = None) -> None:
        """See :class:`Progress`."""

    def advance(self, done: int) -> None:
        """See :class:`Progress`."""

    def note(self, text: str) -> None:
        """See :class:`Progress`."""
