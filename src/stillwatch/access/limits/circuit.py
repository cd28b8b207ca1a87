"""Whether a store that failed is worth asking again, and what is to be told to it later."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Circuit", "Later"]

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Circuit:
    """Opens after `failures` in a row; then one caller in `pause` seconds may try, until one
    succeeds. So an outage costs a few timeouts, not one a request."""

    def __init__(
        self, pause: float, failures: int = 3, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pause = pause
        self._failures = failures
        self._clock = clock
        self._row = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        """Whether the store is taken to be away."""
        return self._row >= self._failures

    def may_try(self) -> bool:
        """Whether to ask the store. Of those who ask while it is open, one a pause may."""
        if not self.open:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._pause
        return True

    def failed(self, error: BaseException) -> None:
        """The store could not be asked."""
        self._row += 1
        if self._row == self._failures:
            _log.warning("the store of limits is away: %s", error)
        self._until = self._clock() + self._pause

    def succeeded(self) -> None:
        """The store answered."""
        if self.open:
            _log.warning("the store of limits is back")
        self._row = 0


class Later(Generic[_T]):
    """What waits until the store is back: at most `most`, each for `seconds`; the oldest go first.
    `lost` counts those that were never told."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._waiting: deque[tuple[float, _T]] = deque()
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self.lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, message: _T) -> None:
        """Keep a message; the oldest makes room."""
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append((self._clock() + self._seconds, message))

    def first(self) -> _T | None:
        """The oldest that still matters; it stays until :meth:`told`."""
        while self._waiting:
            until, message = self._waiting[0]
            if until > self._clock():
                return message
            self._waiting.popleft()
            self.lost += 1
        return None

    def told(self, message: _T) -> None:
        """Forget what :meth:`first` gave, unless it had to make room meanwhile."""
        if self._waiting and self._waiting[0][1] is message:
            self._waiting.popleft()
