"""One writer process, from its start to its end, as the gateway sees it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from stillwatch.gateway.recording.pipe import SIZE, Note, NoteReader

__all__ = ["MODULE", "WriterProcess"]

#: what a writer process runs
MODULE = "stillwatch.gateway.recording.writer"
_READ = 1 << 16  # bytes
_POLL = 0.005  # seconds: between the end of its notes and that of the process


class WriterProcess:
    """A process of its own, not a fork: a loaded gateway has gigabytes, sockets and threads.

    It ends by itself when :attr:`descriptor` is closed, and what was written into that is kept.
    Only the event loop that started it may use it.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], descriptor: int, notes: int,
        on_note: Callable[[Note], None],
    ) -> None:  # fmt: skip
        self._process, self._notes, self._on_note = process, notes, on_note
        self.descriptor: int | None = descriptor
        self._reader = NoteReader()
        self._loop = asyncio.get_running_loop()
        self._silent = asyncio.Event()
        self._loop.add_reader(notes, self._read)

    @classmethod
    def start(
        cls, arguments: Sequence[str], on_note: Callable[[Note], None], module: str = MODULE
    ) -> WriterProcess:
        """Start one that runs `module`; it says when it is ready. Takes a few milliseconds.

        Raises:
            OSError: there is no process, or no pipe, to be had.
        """
        theirs, ours = os.pipe()
        notes, told = os.pipe()
        try:
            with contextlib.suppress(OSError):  # a user may have too many large pipes
                fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, SIZE)
            command = [sys.executable, "-m", module, *arguments]
            process = subprocess.Popen(command, stdin=theirs, stdout=told)
        except BaseException:
            os.close(ours)
            os.close(notes)
            raise
        finally:
            os.close(theirs)
            os.close(told)
        os.set_blocking(ours, False)
        os.set_blocking(notes, False)
        return cls(process, ours, notes, on_note)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def close_input(self) -> None:
        """Nothing more will come; the writer keeps what it has, and ends."""
        if self.descriptor is not None:
            self._loop.remove_writer(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = None

    def kill(self) -> None:
        """End it at once; what it did not acknowledge may or may not be kept."""
        self._process.kill()

    async def ended(self) -> str:
        """Wait for its end, and say how it ended."""
        await self._silent.wait()
        while (status := self._process.poll()) is None:
            await asyncio.sleep(_POLL)
        self.close_input()
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    def leave(self) -> None:
        """Care no longer for a process that still tries to write: it goes on alone."""
        self.close_input()
        self._hear_no_more()
        self._process.returncode = 0  # else a warning says that it runs, which is meant

    def _read(self) -> None:
        try:
            data = os.read(self._notes, _READ)
        except BlockingIOError:
            return
        if not data:
            self._hear_no_more()
            return
        for note in self._reader.read(data):
            self._on_note(note)

    def _hear_no_more(self) -> None:
        if not self._silent.is_set():
            self._loop.remove_reader(self._notes)
            os.close(self._notes)
            self._silent.set()
