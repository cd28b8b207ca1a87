"""Runs the command line as its users do: a process of its own, real files, a status at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["FILES", "campaigns", "command", "rejects", "run", "scan", "source"]

#: what a folder holds that a scan has finished
FILES = {"accounts.parquet", "campaigns.json", "rejects.jsonl", "report.html"}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "stillwatch", *map(str, arguments)]


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `stillwatch`; nothing that it says may be a traceback or a mistake of ours."""
    ended = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=120, **options
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    assert "mistake of ours" not in ended.stderr, ended.stderr
    return ended


def scan(log: Path, out: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return run("scan", log, "--out", out, "--quiet", *options)


def campaigns(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _written(out)["campaigns"]
    return found


def source(out: Path) -> dict[str, Any]:
    """What ``campaigns.json`` says of the log; the folder must be whole."""
    assert {path.name for path in out.iterdir()} == FILES
    about: dict[str, Any] = _written(out)["source"]
    return about


def rejects(out: Path) -> list[tuple[str, int, str]]:
    """File name, line and reason of every row that was refused."""
    lines = (out / "rejects.jsonl").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return [(Path(each["path"]).name, each["line"], each["reason"]) for each in entries]


def _written(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "campaigns.json").read_text("utf-8"))
    return content
