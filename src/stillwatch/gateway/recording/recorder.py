"""The gateway's side: exchanges are buffered, handed to the writer, and held until it has them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stillwatch.errors import StillwatchError, StorageError
from stillwatch.exchange import RawExchange
from stillwatch.gateway.recording.child import MODULE, WriterProcess
from stillwatch.gateway.recording.outbox import Outbox
from stillwatch.gateway.recording.pipe import Kept, Note, Ready, Refused, Stuck, frames

__all__ = ["FLUSH", "Comparing", "Recorder"]

#: seconds from the first exchange in the buffer until the buffer is in the pipe
FLUSH = 0.025
_KEY = "sketch.key"  # as the writer calls it
_PATIENCE = 30.0
_ENDING = 10.0  # seconds for a writer that has nothing left to do
_PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before a writer is started again
_DYING = 3  # ends without a commit in between, from which on it is a problem


class Comparing(NamedTuple):
    """What is kept of exchanges for others to compare: `files` of keys, and the writer's `module`
    that can read them, which stands above this room."""

    module: str
    files: tuple[Path, ...]


class Recorder:
    """Records exchanges of one event loop into a state folder; begins with :meth:`start`.

    What was recorded is handed to the writer process within :data:`FLUSH` seconds (and what the
    loop is late), and is then kept even if this process is killed. What the writer has not
    acknowledged is held here and sent again if the writer is killed; the store keeps it once.

    Args:
        state: the folder; its store ``events`` and ``sketch.key`` are made if absent. Several
            gateways may share one.
        key_file: the key of the digests, in place of ``sketch.key``.
        retention_days: rows of UTC days longer ago than that are removed; None keeps all.
        comparing: keep what others can compare, too.
        most_rows, most_bytes: bounds on what is not acknowledged, from which on there is no room.
        on_kept: is told, for each frame that was committed, its exchanges and its lag in seconds.
    """

    def __init__(
        self,
        state: Path,
        *,
        key_file: Path | None = None,
        retention_days: int | None = None,
        comparing: Comparing | None = None,
        most_rows: int = 20_000,
        most_bytes: int = 256 << 20,
        on_kept: Callable[[int, float], None] | None = None,
    ) -> None:
        #: seconds from the recording of the oldest exchange of the last acknowledged frame until
        #: it was on the disk
        self.lag = 0.0
        #: the key of the digests, which is there once the writer is ready
        self.key_file = key_file or state / _KEY
        self._most_rows, self._most_bytes, self._on_kept = most_rows, most_bytes, on_kept
        self._arguments = [str(state.resolve()), secrets.token_hex(16)]
        if key_file is not None:
            self._arguments += ["--key", str(key_file.resolve())]
        if retention_days is not None:
            self._arguments += ["--days", str(retention_days)]
        self._module = MODULE if comparing is None else comparing.module
        for file in () if comparing is None else comparing.files:
            self._arguments += ["--compare", str(file.resolve())]
        self._buffer: list[RawExchange] = []
        self._outbox = Outbox()
        self._sequence = 0
        self._since = 0
        self._armed = self._open = self._ready = False
        self._deaths = 0
        self._stuck: str | None = None
        self._neglected: str | None = None
        self._refused: StillwatchError | None = None
        self._writer: WriterProcess | None = None
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the writer, and wait until it can write.

        Raises:
            OutputError: the folder holds the state of a watch.
            KeyFileError: the store was made with another key, or its key is gone.
            StoreFormatError: another version wrote the store, or it is damaged.
            StorageError: the folder cannot be written, or the writer does not start.
        """
        self._keeper = asyncio.create_task(self._keep_a_writer())
        await self._until(lambda: self._ready or self._deaths > 0)
        if not self._ready:
            await self._stop_keeping()
            if self._refused is not None:
                raise self._refused
            raise StorageError(
                self.problem or "the process that writes exchanges does not start; see its messages"
            )
        self._open = True

    def record(self, exchange: RawExchange) -> None:
        """Take an exchange. It is not looked at before this returns, and must not change after.

        Raises:
            RuntimeError: the recorder is not started, or closed.
        """
        self._buffer.append(exchange)
        if not self._armed:
            self._arm()

    def room(self) -> bool:
        """Whether another request may be served, so that its exchange can be recorded."""
        outbox = self._outbox
        return (
            self._open
            and outbox.rows + len(self._buffer) < self._most_rows
            and outbox.size < self._most_bytes
        )

    async def wait_for_room(self) -> None:
        """Wait until there is :meth:`room`, for as long as that takes."""
        await self._until(self.room)

    @property
    def problem(self) -> str | None:
        """Why exchanges are not being kept as they should be; None if all is well."""
        return self._stuck or self._neglected

    @property
    def healthy(self) -> bool:
        """Whether a writer is ready and has no problem."""
        return self._ready and self.problem is None

    @property
    def waiting(self) -> int:
        """Exchanges that are not acknowledged."""
        return self._outbox.rows + len(self._buffer)

    @property
    def writer_pid(self) -> int | None:
        """The number of the writer process, if there is one."""
        return None if self._writer is None else self._writer.pid

    async def drain(self) -> None:
        """Wait until every exchange that was recorded is on the disk."""
        self._flush()
        await self._until(lambda: not self.waiting)

    async def close(self, patience: float = _PATIENCE) -> None:
        """Take no more, drain, and end the writer; gives up after `patience` seconds in which
        nothing came to the disk.

        Raises:
            StorageError: some exchanges are still not on the disk. The writer has them, and goes
                on alone, for ten minutes if the disk takes nothing.
        """
        if self._keeper is None:
            return
        self._flush()
        self._open = False
        left = 0
        while left != self.waiting:
            left = self.waiting
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._until(lambda: not self.waiting), patience)
        alone = await self._stop_keeping()
        if self.waiting:
            raise StorageError(
                f"{self.waiting:,} exchanges are not in the event store"
                + (f" ({self.problem})" if self.problem else "")
                + (f"; process {alone} has them, and goes on trying" if alone else "")
            )

    async def _stop_keeping(self) -> int | None:
        """End the writer, or leave it to what it still has; its number then."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
        writer, self._writer, self._ready = self._writer, None, False
        if writer is None:
            return None
        if self.waiting:
            writer.leave()
            return writer.pid
        writer.close_input()
        try:
            await asyncio.wait_for(writer.ended(), _ENDING)
        except TimeoutError:
            writer.kill()
            await writer.ended()
        return None

    def _arm(self) -> None:
        if not self._open:
            self._buffer.clear()
            raise RuntimeError("the recorder is not started, or closed: the exchange is not kept")
        self._armed = True
        self._since = time.monotonic_ns()
        asyncio.get_running_loop().call_later(FLUSH, self._flush)

    def _flush(self) -> None:
        self._armed = False
        if not self._buffer:
            return
        exchanges, self._buffer = self._buffer, []
        for frame in frames(exchanges, self._sequence + 1, self._since):
            self._sequence = frame.sequence
            self._outbox.put(frame)
        self._send()

    def _send(self) -> None:
        writer = self._writer
        if writer is None or writer.descriptor is None:
            return
        loop = asyncio.get_running_loop()
        if self._outbox.write(writer.descriptor):
            loop.remove_writer(writer.descriptor)
        else:
            loop.add_writer(writer.descriptor, self._send)

    async def _keep_a_writer(self) -> None:
        """Start a writer, and another one whenever it ends, until cancelled."""
        while True:
            try:
                again = ["--again"] if self._open else []
                self._writer = WriterProcess.start(
                    [*self._arguments, *again], self._heed, self._module
                )
                self._send()
                how = await self._writer.ended()
            except OSError as error:
                how = str(error)
            self._writer, self._ready = None, False
            self._outbox.again()
            self._deaths += 1
            if self._deaths >= _DYING and self._stuck is None:
                self._stuck = (
                    f"the process that writes exchanges ended {self._deaths} times in a row "
                    f"({how}); see its messages"
                )
            self._announce()
            await asyncio.sleep(_PAUSES[min(self._deaths, len(_PAUSES)) - 1])

    def _heed(self, note: Note) -> None:
        if isinstance(note, Ready):
            self._ready = True
            if not self.waiting:  # else it may be what waits that it cannot take
                self._stuck = None
        elif isinstance(note, Refused):
            self._refused = note.error()
            self._stuck = note.why
        elif isinstance(note, Kept):
            self._deaths, self._stuck = 0, None
            for frame in self._outbox.acknowledged(note.sequence):
                self.lag = (note.when - frame.recorded) / 1e9
                if self._on_kept is not None:
                    self._on_kept(frame.rows, self.lag)
        elif isinstance(note, Stuck):
            self._stuck = note.why
        else:
            self._neglected = note.why
        self._announce()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    def _announce(self) -> None:
        """Wake everybody who waits for a change."""
        self._changed.set()
        self._changed.clear()
