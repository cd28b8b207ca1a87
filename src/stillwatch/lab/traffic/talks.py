"""Conversations that grow while they are open."""

from __future__ import annotations

from stillwatch.exchange import Message
from stillwatch.lab.traffic.request import tokens

__all__ = ["Talk", "Talks"]


class Talk:
    """One conversation: its messages so far, and their tokens."""

    __slots__ = ("messages", "tokens")

    def __init__(self) -> None:
        self.messages: tuple[Message, ...] = ()
        self.tokens = 0

    def add(self, text: str, completion: str, role: str = "user") -> None:
        """Append a finished turn."""
        self.messages = (*self.messages, Message(role, text), Message("assistant", completion))
        self.tokens += tokens(text) + tokens(completion) + 8


class Talks:
    """The open conversations; one is forgotten after its last request.

    `lengths`: conversation → requests that it will have.
    """

    def __init__(self, lengths: dict[int, int]) -> None:
        self._left = dict(lengths)
        self._open: dict[int, Talk] = {}

    def open(self, thread: int) -> Talk:
        if thread not in self._open:
            self._open[thread] = Talk()
        return self._open[thread]

    def close(self, thread: int) -> None:
        """One request of `thread` is done."""
        self._left[thread] -= 1
        if self._left[thread] <= 0:
            self._open.pop(thread, None)
