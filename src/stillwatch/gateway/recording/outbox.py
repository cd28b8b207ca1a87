"""Frames that are not acknowledged yet: sent in order, and again from the first one if need be."""

from __future__ import annotations

import os
from collections import deque

from stillwatch.gateway.recording.pipe import Frame

__all__ = ["Outbox"]


class Outbox:
    """``rows`` and ``size`` (bytes) are those of all frames that are not acknowledged."""

    def __init__(self) -> None:
        self.rows = self.size = 0
        self._waiting: deque[Frame] = deque()
        self._sent: deque[Frame] = deque()
        self._offset = 0  # bytes of the first waiting frame that are sent

    def put(self, frame: Frame) -> None:
        """Add the frame after all others."""
        self._waiting.append(frame)
        self.rows += frame.rows
        self.size += len(frame.data)

    def write(self, descriptor: int) -> bool:
        """Write as much as a pipe takes without waiting; whether that was all.

        Of a pipe that nobody reads any more, all is said to be written: its end is noticed by
        whoever waits for it, and then comes :meth:`again`.
        """
        while self._waiting:
            frame = self._waiting[0]
            try:
                self._offset += os.write(descriptor, memoryview(frame.data)[self._offset :])
            except BlockingIOError:
                return False
            except BrokenPipeError:
                return True
            if self._offset == len(frame.data):
                self._sent.append(self._waiting.popleft())
                self._offset = 0
        return True

    def acknowledged(self, sequence: int) -> list[Frame]:
        """Let go of the frames up to `sequence`; which those were."""
        gone = []
        while self._sent and self._sent[0].sequence <= sequence:
            frame = self._sent.popleft()
            self.rows -= frame.rows
            self.size -= len(frame.data)
            gone.append(frame)
        return gone

    def again(self) -> None:
        """Begin with the oldest frame once more, for another reader."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self._offset = 0
