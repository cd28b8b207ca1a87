"""Progress for a person: a bar on a terminal, a plain line a step elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

__all__ = ["Bar", "Lines", "open_progress"]


class Bar:
    """A live bar on standard error; finished steps stay visible."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._finish()
        self._bar.stop()

    def step(self, name: str, total: int | None = None) -> None:
        """See :class:`stillwatch.campaigns.Progress`."""
        self._finish()
        self._task = self._bar.add_task(name, total=total)

    def advance(self, done: int) -> None:
        """See :class:`stillwatch.campaigns.Progress`."""
        if self._task is not None:
            self._bar.advance(self._task, done)

    def note(self, text: str) -> None:
        """See :class:`stillwatch.campaigns.Progress`."""
        self._console.print(text, highlight=False, markup=False)

    def _finish(self) -> None:
        if self._task is not None:
            total = self._bar.tasks[self._task].total or 1
            self._bar.update(self._task, total=total, completed=total)


class Lines:
    """A line on standard error when a step begins, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def step(self, name: str, total: int | None = None) -> None:
        """See :class:`stillwatch.campaigns.Progress`."""
        self.note(name)

    def advance(self, done: int) -> None:
        """See :class:`stillwatch.campaigns.Progress`."""

    def note(self, text: str) -> None:
        """See :class:`stillwatch.campaigns.Progress`."""
        print(f"[{time.monotonic() - self._started:6.1f} s] {text}", file=sys.stderr, flush=True)  # noqa: T201


def open_progress(*, quiet: bool = False) -> Bar | Lines | Quiet:
    """A bar on a terminal, lines elsewhere, nothing when `quiet`."""
    if quiet:
        return Quiet()
    return Bar() if sys.stderr.isatty() else Lines()


class Quiet(Lines):
    """Says nothing."""

    def note(self, text: str) -> None:
        """See :class:`stillwatch.campaigns.Progress`."""
