"""What detection hands over: campaigns of ``campaigns.json``, or lines of ``findings.jsonl``."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from stillwatch.cases.evidence import Item
from stillwatch.errors import InputError

__all__ = ["OF_EMERGENCIES", "Finding", "digest_of", "flaw_of", "read_findings"]

T = TypeVar("T")
_FORMAT = "stillwatch.campaigns/1"
_LONGEST_NAME = 1_000  # characters
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
#: with this begin the campaigns of cases that no finding opened
OF_EMERGENCIES = "emergency-"


class _For(msgspec.Struct, frozen=True):
    family: str
    detection: str
    value: float
    text: str
    base_rate: float | None = None


class _Against(msgspec.Struct, frozen=True):
    text: str
    value: float | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A campaign as a scan or a watch reported it. Times are RFC 3339.

    `level` is the smallest error rate at which it would have been reported. `event` and `at` are
    those of a watch. `at` of a scan is the end of its log. `promised` says that it was reported and
    not put under ``review``; `withheld` are the segments in which the scan gave no verdict, because
    the null did not hold there.
    """

    id: str
    accounts: tuple[str, ...]
    score: float
    first_seen: str
    last_seen: str
    exchanges: int
    evidence: tuple[_For, ...]
    counter_evidence: tuple[_Against, ...] = ()
    tokens: int | None = None
    level: float | None = None
    log10_e: float | None = None
    event: Literal["new", "grown", "withdrawn"] = "new"
    at: str = ""
    reason: str = ""
    promised: bool = True
    withheld: tuple[str, ...] = ()

    @property
    def families(self) -> tuple[str, ...]:
        """The families of evidence that speak for it, sorted."""
        return tuple(sorted({each.family for each in self.evidence}))

    def items(self) -> tuple[Item, ...]:
        """Its evidence and counter-evidence. What a detection scored is inference."""
        return (
            *(
                Item(
                    kind="inference", text=each.text, source=f"detection {each.detection}",
                    family=each.family, detection=each.detection, value=each.value,
                    base_rate=each.base_rate,
                )
                for each in self.evidence
            ),
            *(
                Item(kind="counter", text=each.text, source="detection", value=each.value)
                for each in self.counter_evidence
            ),
        )  # fmt: skip


class _Source(msgspec.Struct, frozen=True):
    to: str | None = None


class _Withheld(msgspec.Struct, frozen=True):
    segment: str


class _Promise(msgspec.Struct, frozen=True):
    withheld: tuple[_Withheld, ...] = ()


class _Report(msgspec.Struct, frozen=True):
    format: str
    campaigns: tuple[Finding, ...]
    source: _Source = _Source()
    promise: _Promise = _Promise()
    review: tuple[Finding, ...] = ()


def digest_of(finding: Finding) -> str:
    """SHA-256 of what it says; the same finding is recognised by it."""
    return hashlib.sha256(msgspec.json.encode(finding, order="sorted")).hexdigest()


def read_findings(path: Path, *, review: bool = False) -> tuple[Finding, ...]:
    """The campaigns of a report, with `review` those under review too; or the findings of a watch.

    Raises:
        InputError: the file is neither; says which line or field is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from error
    if path.suffix == ".jsonl":
        return tuple(
            _checked(_decoded(line, Finding, path, number), path, number)
            for number, line in enumerate(data.splitlines(), 1)
            if line.strip()
        )
    report = _decoded(data, _Report, path, None)
    if report.format != _FORMAT:
        raise InputError(f"the format is {report.format!r}, and this reads {_FORMAT}", path=path)
    withheld = tuple(each.segment for each in report.promise.withheld)
    chosen = [(each, True) for each in report.campaigns]
    chosen += [(each, False) for each in report.review] if review else []
    return tuple(
        _checked(
            msgspec.structs.replace(
                each, promised=promised, withheld=withheld,
                at=each.at or report.source.to or each.last_seen,
            ),
            path,
            None,
        )
        for each, promised in chosen
    )  # fmt: skip


def _decoded(data: bytes, kind: type[T], path: Path, line: int | None) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{error}; give campaigns.json of a scan, or findings.jsonl of a watch",
            path=path,
            line=line,
        ) from error


def _checked(finding: Finding, path: Path, line: int | None) -> Finding:
    if flaw := flaw_of(finding):
        raise InputError(flaw, path=path, line=line)
    return finding


def flaw_of(finding: Finding) -> str | None:
    """Why no case can be opened for a finding, whoever gives it; None where one can."""
    numbers = [finding.score, *(each.value for each in finding.evidence)]
    numbers += [each.base_rate for each in finding.evidence if each.base_rate is not None]
    numbers += [each.value for each in finding.counter_evidence if each.value is not None]
    numbers += [each for each in (finding.level, finding.log10_e) if each is not None]
    if not finding.id or not finding.accounts or not all(map(math.isfinite, numbers)):
        return f"the campaign {finding.id!r} has no id, no accounts, or a number that is none"
    if finding.id.startswith(OF_EMERGENCIES):
        return f"{finding.id}: so only the cases are called that an emergency opened"
    if len(set(finding.accounts)) < len(finding.accounts):
        return f"{finding.id} names an account twice"
    if wrong := next((n for n in (finding.id, *finding.accounts) if not _is_storable(n)), None):
        return f"{wrong[:80]!r} is no name that can be stored"
    for at in (finding.first_seen, finding.last_seen, finding.at or finding.last_seen):
        if not _is_time(at):
            return f"{finding.id}: {at[:80]!r} is no time such as 2026-09-01T00:00:00Z"
    return None


def _is_storable(name: str) -> bool:
    """Whether a name has a length, and no half of a surrogate pair and no NUL, which databases do
    not take."""
    return 0 < len(name) <= _LONGEST_NAME and not _UNSTORABLE.search(name)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).year >= 1970
    except ValueError:
        return False
