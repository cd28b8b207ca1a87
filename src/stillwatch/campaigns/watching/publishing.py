"""The files of a watch for others: ``findings.jsonl``, and the report of the latest look."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from stillwatch.campaigns.campaign import ScanReport
from stillwatch.campaigns.outputs import write_accounts, write_campaigns
from stillwatch.campaigns.reading import AccountNames
from stillwatch.campaigns.report import render
from stillwatch.campaigns.watching.folder import Folder
from stillwatch.detections import Findings
from stillwatch.durable import failures, sync_folder

__all__ = ["publish_findings", "publish_look"]


def publish_findings(folder: Folder) -> None:
    """Bring ``findings.jsonl`` up to what the state says; a torn last line is cut off first.

    Raises:
        StorageError: the disk is full.
    """
    path = folder.findings
    with failures(path), path.open("ab") as file:
        size = file.seek(0, os.SEEK_END)
        whole = folder.state.written(size)
        if whole != size:
            file.truncate(whole)
        for line in folder.state.findings(whole):
            file.write(line)
        file.flush()
        os.fsync(file.fileno())


def publish_look(
    folder: Folder,
    report: ScanReport,
    findings: Mapping[str, Findings],
    scores: Mapping[int, float],
    names: AccountNames,
) -> None:
    """Replace the files of the look before, each whole; see ``docs/scan.md`` for what they hold.

    Raises:
        StorageError: the disk is full.
    """
    page = render(report).encode()
    _replace(folder.path / "campaigns.json", lambda path: write_campaigns(report, path))
    _replace(
        folder.path / "accounts.parquet",
        lambda path: write_accounts(report, findings, scores, names, path),
    )
    _replace(folder.path / "report.html", lambda path: _write(path, page))
    with failures(folder.path):
        sync_folder(folder.path)


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    aside = path.with_name(f".{path.name}.partial")
    with failures(path):
        write(aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
