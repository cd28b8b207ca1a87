"""Runs the command line within this process, where starting one for each question would be slow."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from unittest import mock

from stillwatch.cli import main

__all__ = ["run"]


def run(*arguments: str | Path, input: str = "") -> subprocess.CompletedProcess[str]:  # noqa: A002
    """As :func:`tests.cli.running.run`: status and what was said, never a mistake of ours."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    words, status = list(map(str, arguments)), 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "stdin", io.StringIO(input)),
    ):
        try:
            main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        out.flush()
        err.flush()
    said, complained = (each.detach().getvalue().decode() for each in (out, err))  # type: ignore[attr-defined]
    assert "mistake of ours" not in complained, complained
    return subprocess.CompletedProcess(words, status, said, complained)
