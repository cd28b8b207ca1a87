"""Takes frames out of the pipe as they come, so that what the gateway sent survives its end."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import BinaryIO

from stillwatch.gateway.recording.pipe import ROWS, Frame, read_frames

__all__ = ["Intake"]

_SIZE = 8 << 20  # bytes that are committed at once


class Intake(threading.Thread):
    """Reads from its start on; the gateway bounds how much that can be."""

    def __init__(self, pipe: BinaryIO) -> None:
        super().__init__(name="intake", daemon=True)
        #: when the other end was closed (monotonic clock, seconds); None while it is open
        self.ended: float | None = None
        self._pipe = pipe
        self._frames: deque[Frame] = deque()
        self._arrived = threading.Condition()

    def run(self) -> None:
        for frame in read_frames(self._pipe):
            with self._arrived:
                self._frames.append(frame)
                self._arrived.notify()
        with self._arrived:
            self.ended = time.monotonic()
            self._arrived.notify()

    def take(self) -> list[Frame]:
        """The oldest frames, as many as are committed at once; none when there will be no more."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._frames or self.ended is not None)
            taken: list[Frame] = []
            rows = size = 0
            while self._frames:
                rows += self._frames[0].rows
                size += len(self._frames[0].data)
                if taken and (rows > ROWS or size > _SIZE):
                    break
                taken.append(self._frames.popleft())
            return taken
