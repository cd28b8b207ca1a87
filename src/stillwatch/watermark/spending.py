"""One plan for one evidence: what was looked at, and with which plan, before the next look.

Who may look twice may choose what to have asked. A part of an evidence (the whole, or a half of a
half…) can be looked at under one plan, as often as one likes; a second plan needs a part that was
held out, which shares no window with any part that was looked at.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

from stillwatch.durable import failures, sync_folder
from stillwatch.errors import EvidenceSpentError, InputError

__all__ = ["Look", "Looks", "Part", "record_look"]

#: the way from the whole to a part: the seed of each split, and which half was taken
Part: TypeAlias = tuple[tuple[int, int], ...]

FORMAT = "stillwatch.looks/1"


class Look(msgspec.Struct, frozen=True):
    """One look: the digest of the whole evidence, the part of it, and the digest of the plan."""

    evidence: str
    part: Part
    plan: str
    format: str = FORMAT
    at: str = ""

    def allows(self, other: Look) -> bool:
        """Whether the other look may follow: the same question, or nothing that was seen."""
        if self.evidence != other.evidence:
            return False
        same = self.part == other.part and self.plan == other.plan
        return same or _disjoint(self.part, other.part)


class Looks:
    """The looks at an evidence and all its halves, kept in memory."""

    def __init__(self) -> None:
        self._taken: list[Look] = []

    def take(self, look: Look) -> None:
        """Note a look.

        Raises:
            EvidenceSpentError: another plan has been used on windows of this part.
        """
        _check(self._taken, look, None)
        self._taken.append(look)


def record_look(path: Path, look: Look) -> None:
    """Append the look to the record at `path`, which is about one file of evidence; durable.

    The record says what an honest analyst may still do; deleting it is that analyst's own lie.

    Raises:
        EvidenceSpentError: another plan was used on these windows, or the evidence was another
            when it was looked at: what is added to a file that was looked at is no new evidence.
        InputError: the record is damaged.
        StorageError: it cannot be written.
    """
    with failures(path, "the record"):
        new = not path.exists()
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # goes with the process
            earlier = _read(file, path)
            _check(earlier, look, path)
            if all((e.part, e.plan) != (look.part, look.plan) for e in earlier):
                now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
                dated = msgspec.structs.replace(look, at=now)
                file.write(msgspec.json.encode(dated) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        if new:
            sync_folder(path.parent)


def _check(earlier: list[Look], look: Look, path: Path | None) -> None:
    for before in earlier:
        if before.allows(look):
            continue
        if before.evidence != look.evidence:
            said = "this evidence was looked at when it held something else"
        else:
            said = f"this evidence was looked at under another plan ({before.plan[:16]}…)"
        raise EvidenceSpentError(
            said + "; what was seen cannot choose the next question: ask it of windows that were "
            "held out (a half of a split), or of new evidence",
            path=path,
        )


def _read(file: BinaryIO, path: Path) -> list[Look]:
    file.seek(0)
    found = []
    for number, line in enumerate(file.read().splitlines(keepends=True), 1):
        try:
            look = msgspec.json.decode(line, type=Look)
        except msgspec.DecodeError as error:
            raise InputError(f"is no record of looks: {error}", path=path, line=number) from error
        if look.format != FORMAT or not line.endswith(b"\n"):
            raise InputError(f"is no whole line of {FORMAT}", path=path, line=number)
        found.append(look)
    return found


def _disjoint(one: Part, other: Part) -> bool:
    """Whether two parts share no window: other halves of one split."""
    for (seed, half), (other_seed, other_half) in zip(one, other, strict=False):
        if seed != other_seed:
            return False
        if half != other_half:
            return True
    return False
