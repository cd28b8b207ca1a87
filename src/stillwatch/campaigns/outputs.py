"""The files of a scan: written aside, made visible in one rename when whole."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.campaigns.campaign import Campaign, ScanReport
from stillwatch.campaigns.reading import AccountNames
from stillwatch.detections import Evidence, Findings
from stillwatch.errors import OutputError, StorageError

__all__ = ["FORMAT", "output_folder", "write_accounts", "write_campaigns"]

FORMAT = "stillwatch.campaigns/1"


@contextlib.contextmanager
def output_folder(out: Path, *, force: bool) -> Iterator[Path]:
    """A folder to write into, which becomes `out` when the block ends without an exception.

    Raises:
        OutputError: `out` is a file, or holds something and `force` is not given.
        StorageError: the disk is full or gone; `out` is as it was before.
    """
    out = out.absolute()
    if out.exists() and not out.is_dir():
        raise OutputError("is a file; name a folder with --out", path=out)
    if out.is_dir() and any(out.iterdir()) and not force:
        raise OutputError("the folder is not empty; --force replaces it", path=out)
    aside = out.with_name(f".{out.name}.partial")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        yield aside
        if out.is_dir():
            old = out.with_name(f".{out.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            out.rename(old)
            aside.rename(out)
            shutil.rmtree(old, ignore_errors=True)
        else:
            aside.rename(out)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        what = "the disk is full; free space or choose another --out" if full else error.strerror
        raise StorageError(str(what), path=error.filename or out) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_campaigns(report: ScanReport, path: Path) -> None:
    """``campaigns.json``; the same report gives the same bytes."""
    source = report.source
    content = {
        "format": FORMAT,
        "source": {
            "rows": source.rows,
            "rejected": source.rejected,
            "from": _rfc3339(source.first),
            "to": _rfc3339(source.last),
        },
        "campaigns": [campaign_json(each) for each in report.campaigns],
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def campaign_json(campaign: Campaign) -> dict[str, object]:
    """One campaign as ``campaigns.json`` and ``findings.jsonl`` hold it."""
    return {
        "id": campaign.id,
        "accounts": [member.account for member in campaign.members],
        "score": campaign.score,
        "first_seen": _rfc3339(campaign.first_seen),
        "last_seen": _rfc3339(campaign.last_seen),
        "exchanges": campaign.exchanges,
        "tokens": campaign.tokens,
        "evidence": [_evidence_json(each) for each in campaign.evidence],
        "counter_evidence": [
            {"text": each.text, "value": _round(each.value)} for each in campaign.counter_evidence
        ],
    }


def _evidence_json(evidence: Evidence) -> dict[str, object]:
    return {
        "family": str(evidence.family),
        "detection": evidence.detection,
        "value": _round(evidence.value),
        "base_rate": None if evidence.base_rate is None else _round(evidence.base_rate),
        "text": evidence.text,
    }


def write_accounts(
    report: ScanReport,
    findings: Mapping[str, Findings],
    scores: Mapping[int, float],
    names: AccountNames,
    path: Path,
) -> None:
    """``accounts.parquet``: every account of the log, with its score under each detection."""
    table = names.table()
    digests = table["digest"].to_numpy()
    member_of = {m.account: (c.id, m.score) for c in report.campaigns for m in c.members}
    columns: dict[str, pa.Array | pa.ChunkedArray] = {"account": table["name"]}
    accounts = table["name"].to_pylist() if member_of else []
    nothing: tuple[str | None, float] = (None, 0.0)
    found = [member_of.get(account, nothing) for account in accounts] or [nothing] * len(digests)
    columns["campaign"] = pa.array([campaign for campaign, _ in found], pa.string())
    columns["score"] = np.maximum([score for _, score in found], _column(digests, scores))
    for name, finding in sorted(findings.items()):
        columns[f"score_{name}"] = _column(digests, finding.scores)
    pq.write_table(pa.table(columns).sort_by("account"), path, compression="zstd")


def _column(digests: np.ndarray[tuple[int], np.dtype[np.int64]], scores: Mapping[int, float]):  # type: ignore[no-untyped-def]
    column = np.zeros(len(digests))
    if scores:
        wanted = np.fromiter(scores.keys(), np.int64, len(scores))
        at = np.searchsorted(digests, wanted)
        column[at] = np.fromiter(scores.values(), np.float64, len(scores))
    return column


def _round(value: float) -> float:
    return round(float(value), 6)


def _rfc3339(time: dt.datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")
