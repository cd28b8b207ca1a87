"""Notices that a client has left while we wait for the upstream, and breaks off there too."""

from __future__ import annotations

import asyncio
from types import TracebackType

from stillwatch.gateway.wire import ClientGone, Receive, until_gone

__all__ = ["Noticing"]

#: Seconds after which a request is worth a task that notices that its client has left: most whole
#: answers are faster.
_AFTER = 0.1


class Noticing:
    """A block that ends with :class:`ClientGone` when the client leaves, wherever it waits.

    The task that runs the block is cancelled, so that everything in it lets go as it would when the
    server ends; a cancellation that comes from elsewhere stays one.
    """

    def __init__(self, receive: Receive, after: float = _AFTER) -> None:
        self._receive, self._after = receive, after
        self._left = False
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None
        self._block: asyncio.Task[object] | None = None

    def __enter__(self) -> Noticing:
        self._block = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(self._after, self._begin)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if not self._left or self._block is None:
            return
        only_ours = self._block.uncancel() == 0
        if only_ours and isinstance(error, asyncio.CancelledError):
            raise ClientGone from None

    def _begin(self) -> None:
        self._watch = asyncio.ensure_future(until_gone(self._receive))
        self._watch.add_done_callback(self._ended)

    def _ended(self, watch: asyncio.Task[None]) -> None:
        block = self._block
        if watch.cancelled() or watch.exception() is not None or block is None or block.done():
            return
        self._left = True
        block.cancel()
