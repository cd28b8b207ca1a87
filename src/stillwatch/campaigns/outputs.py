"""The files of a scan: written aside, made visible in one rename when whole."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import math
import os
import shutil
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch.campaigns.campaign import Campaign, ScanReport
from stillwatch.campaigns.reading import AccountNames
from stillwatch.campaigns.track_record import track_record_json
from stillwatch.detections import Evidence, Findings
from stillwatch.durable import failures
from stillwatch.errors import OutputError

__all__ = ["FORMAT", "output_folder", "write_accounts", "write_campaigns"]

FORMAT = "stillwatch.campaigns/1"
#: accounts that are written at a time
GROUP_ROWS = 1 << 19

Ints = npt.NDArray[np.int64]


@contextlib.contextmanager
def output_folder(out: Path, *, force: bool) -> Iterator[Path]:
    """A folder to write into, which becomes `out` when the block ends without an exception.

    It is hidden beside `out`; one that a killed process has left there is removed.

    Raises:
        OutputError: `out` is a file or a mount point, its name is no text, it holds something and
            `force` is not given, or another process is writing it.
        StorageError: the disk is full or gone; `out` is as it was before.
    """
    out = out.resolve()
    if not _is_text(str(out)):  # the engines take paths as text
        raise OutputError("the name is not UTF-8, or holds control signs; name another", path=out)
    if out.is_mount():
        raise OutputError("is a mount point; name a folder inside it with --out", path=out)
    aside, old = out.with_name(f".{out.name}.partial"), out.with_name(f".{out.name}.old")
    with failures(out, "the output"), contextlib.ExitStack() as ending:
        if old.is_dir() and not out.exists():  # killed between the two renames
            old.rename(out)
        _refuse(out, force=force)
        aside.parent.mkdir(parents=True, exist_ok=True)
        ending.enter_context(_own(aside))
        yield aside
        shutil.rmtree(old, ignore_errors=True)
        if out.is_dir():
            out.rename(old)
        try:
            aside.rename(out)
        except OSError:
            if old.is_dir():
                old.rename(out)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _refuse(out: Path, *, force: bool) -> None:
    """Say now what would be in the way when everything is written."""
    if out.exists() and not out.is_dir():
        raise OutputError("is a file; name a folder with --out", path=out)
    if out.is_dir() and any(out.iterdir()) and not force:
        raise OutputError("the folder is not empty; --force replaces it", path=out)


@contextlib.contextmanager
def _own(aside: Path) -> Iterator[None]:
    """An empty folder `aside` of this process alone; gone at the end, unless it was renamed.

    The lock goes with the process, however that ends.
    """
    aside.mkdir(exist_ok=True)
    descriptor = os.open(aside, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError("another process is writing there; wait for it", path=aside) from None
        try:
            for left in aside.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):  # renamed, and perhaps another's by now
                if aside.stat().st_ino == os.fstat(descriptor).st_ino:
                    shutil.rmtree(aside, ignore_errors=True)
    finally:
        os.close(descriptor)


def _is_text(path: str) -> bool:
    """Whether `path` is UTF-8 without control signs; file names on Linux may be any bytes."""
    surrogate_or_control = ("Cs", "Cc")
    return all(unicodedata.category(sign) not in surrogate_or_control for sign in path)


def write_campaigns(report: ScanReport, path: Path) -> None:
    """``campaigns.json``; the same report gives the same bytes."""
    source = report.source
    content: dict[str, object] = {
        "format": FORMAT,
        "source": {
            "rows": source.rows,
            "rejected": source.rejected,
            "from": _rfc3339(source.first),
            "to": _rfc3339(source.last),
        },
        "promise": {
            "fdr": report.alpha,
            "tested": report.tested,
            "withheld": [{"segment": name, "reason": why} for name, why in report.withheld],
            "calibration": {
                "groups": report.calibration.groups,
                "e_20": report.calibration.large,
            },
            "bounds": [
                {
                    "groups": each.groups,
                    "log10_e": _round(each.e_value / math.log(10)),
                    "false": each.false,
                }
                for each in report.bounds
            ],
        },
        "campaigns": [campaign_json(each) for each in report.campaigns],
        "review": [campaign_json(each) for each in report.review],
    }
    if report.track_record:
        content["track_record"] = track_record_json(report.track_record)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def campaign_json(campaign: Campaign) -> dict[str, object]:
    """One campaign as ``campaigns.json`` and ``findings.jsonl`` hold it."""
    return {
        "id": campaign.id,
        "accounts": [member.account for member in campaign.members],
        "score": campaign.score,
        "log10_e": None
        if math.isinf(campaign.e_value)
        else _round(campaign.e_value / math.log(10)),
        "level": float(f"{campaign.level:.3g}"),
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
    members = [(m.account, c.id, m.score) for c in report.campaigns for m in c.members]
    member = pa.array([account for account, _, _ in members], pa.string())
    campaign = pa.array([name for _, name, _ in members], pa.string())
    score = pa.array([nats for _, _, nats in members], pa.float64())
    columns = {"score": _Sparse(scores)} | {
        f"score_{name}": _Sparse(finding.scores) for name, finding in sorted(findings.items())
    }
    schema = pa.schema(
        [("account", pa.string()), ("campaign", pa.string())]
        + [(name, pa.float64()) for name in columns]
    )
    order = pc.sort_indices(table["name"])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, len(order), GROUP_ROWS):
            rows = table.take(order.slice(start, GROUP_ROWS))
            digests = rows["digest"].to_numpy()
            written = {name: column.at(digests) for name, column in columns.items()}
            at = pc.index_in(rows["name"], value_set=member)
            own = pc.fill_null(score.take(at), 0.0)
            written["score"] = np.maximum(written["score"], own.to_numpy())
            ids = campaign.take(at)
            writer.write_table(
                pa.table({"account": rows["name"], "campaign": ids, **written}, schema),
                row_group_size=GROUP_ROWS,
            )


class _Sparse:
    """Scores of few among many accounts: an array an account and detection would be gigabytes."""

    def __init__(self, scores: Mapping[int, float]) -> None:
        digests = np.fromiter(scores.keys(), np.int64, len(scores))
        order = np.argsort(digests)
        self._digests = digests[order]
        self._scores = np.fromiter(scores.values(), np.float64, len(scores))[order]

    def at(self, digests: Ints) -> npt.NDArray[np.float64]:
        """The scores of `digests`, 0 where there is none."""
        found = np.zeros(len(digests))
        if len(self._digests):
            at = np.minimum(np.searchsorted(self._digests, digests), len(self._digests) - 1)
            scored = self._digests[at] == digests
            found[scored] = self._scores[at[scored]]
        return found


def _round(value: float) -> float:
    return round(float(value), 6)


def _rfc3339(time: dt.datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")
