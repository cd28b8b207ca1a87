"""Any other detector: ``CMD LOG --out DIR``, run on the native log of a cell."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from stillwatch.errors import SettingsError
from stillwatch.lab.bench.cell import REFERENCE
from stillwatch.lab.bench.detector import DetectorError, Periods, Spent
from stillwatch.lab.bench.view import View

__all__ = ["Command"]

#: nothing found, campaigns found; every other status is a failure (see docs/errors.md)
_FINE = (0, 3)
_NAMED = re.compile(r"([\w.-]+) = ")
_TAIL = 300  # characters of what it said last


class Command:
    """A program that keeps to the files of the design.

    Args:
        command: words as a shell would read them; ``NAME = `` before them is what tables call it.
        timeout: seconds after which a run is ended.

    ``{reference}`` in the command becomes the log of the reference period of the same seed. The
    program may leave ``state.json`` with ``{"bytes": n}``: what it keeps between two looks.

    Raises:
        SettingsError: the command is empty, or its quotes do not match.
    """

    def __init__(self, command: str, *, timeout: float = 1_800.0) -> None:
        named = _NAMED.match(command)
        self.name = named[1] if named else command
        try:
            self._words = shlex.split(command[named.end() :] if named else command)
        except ValueError as error:
            raise SettingsError(f"--detector: {error}") from error
        if not self._words:
            raise SettingsError("--detector: the command is empty")
        self._timeout = timeout

    def run(self, view: View, out: Path, periods: Periods) -> Spent:
        """See :class:`stillwatch.lab.bench.detector.Detector`."""
        words = self._words
        if any("{reference}" in word for word in words):
            reference = str(periods.log(REFERENCE))
            words = [word.replace("{reference}", reference) for word in words]
        with tempfile.TemporaryDirectory(dir=out.parent) as place:
            log = Path(place) / "log.parquet"
            view.write_log(log)
            began, before = time.perf_counter(), _children()
            said = self._call([*words, str(log), "--out", str(out)], Path(place))
            seconds, busy = time.perf_counter() - began, _children() - before
        if not (out / "campaigns.json").exists():
            raise DetectorError(f"wrote no campaigns.json{_tail(said)}")
        return Spent(seconds=seconds, processor=busy, state=_state(out / "state.json"))

    def _call(self, words: list[str], place: Path) -> str:
        """What the program wrote to standard error."""
        with (place / "stderr").open("w+b") as error, open(os.devnull, "r+b") as nothing:  # noqa: PTH123
            try:
                process = subprocess.Popen(
                    words, stdin=nothing, stdout=nothing, stderr=error, start_new_session=True
                )
            except OSError as failed:
                raise DetectorError(f"cannot be started: {failed.strerror or failed}") from failed
            try:
                status = process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                raise DetectorError(f"took longer than {self._timeout:g} s") from None
            finally:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)  # and whatever it has left running
                process.wait()
            error.seek(0)
            said = error.read().decode("utf-8", "replace")
        if status not in _FINE:
            ended = f"signal {-status}" if status < 0 else f"status {status}"
            raise DetectorError(f"ended with {ended}{_tail(said)}")
        return said


def _tail(said: str) -> str:
    line = " ".join(said.split())[-_TAIL:]
    return f": {line}" if line else ""


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _state(path: Path) -> int | None:
    try:
        content: Any = json.loads(path.read_text("utf-8"))
        return int(content["bytes"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
