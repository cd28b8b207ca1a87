"""Logs that grow, rotate and appear → their new units, in the order of time, each once.

Files are merged by the time of their next exchange, so that the logs of several servers, and files
in a row, come in the order in which things happened. The order is a function of what the files
hold and of the places from which reading starts: whoever stops and goes on reads the same.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from pathlib import Path

from stillwatch.errors import InputError, UnknownFormatError
from stillwatch.sources.finding import find_present
from stillwatch.sources.lines import is_gzip
from stillwatch.sources.log import Source
from stillwatch.sources.opening import format_named, recognised
from stillwatch.sources.remarks import Remarks
from stillwatch.sources.rows import Context
from stillwatch.sources.units import Place, Unit, identify, print_before, units

__all__ = ["Follower"]

#: device, number, size and time of change of a file
_State = tuple[int, int, int, int]


@dataclass
class _File:
    """A file with something new; ``position`` and ``number`` are those of the last unit given."""

    identity: str
    path: Path
    source: Source
    place: Place
    state: _State
    position: int
    number: int


class Follower:
    """Follows the files that `patterns` name: files, folders, globs.

    Args:
        places: how far files were read before, by identity.
        format: "auto", or the name of the only format that is read.
        settled: the format that earlier files had, "" for none.

    Attributes:
        format: the format of what was read, "" before the first file.
        remarks: what was noticed about rows.
        moved: places of files that are somewhere else now; whoever keeps places takes them.
        lost: what could not be read any more, for a person; likewise.
    """

    def __init__(
        self,
        patterns: Sequence[str | Path],
        places: Mapping[str, Place],
        *,
        format: str = "auto",  # noqa: A002
        settled: str = "",
    ) -> None:
        self._patterns = tuple(patterns)
        self._places = dict(places)
        self._forced = format_named(format)
        self.format = settled
        self.remarks = Remarks()
        self.moved: dict[str, Place] = {}
        self._open: dict[str, _File] = {}
        self._sources: dict[tuple[str, Path], Source] = {}
        self._done: dict[Path, _State] = {}
        self.lost: list[str] = []

    def check(self) -> None:
        """Refuse a source that cannot be meant.

        Raises:
            InputError: a pattern names nothing, and is neither a glob nor in a folder that exists.
        """
        for pattern in map(Path, self._patterns):
            if not (pattern.exists() or glob.has_magic(str(pattern)) or pattern.parent.is_dir()):
                raise InputError("there is no such file, nor its folder", path=pattern)

    def poll(self, now: int) -> Iterator[tuple[str, Unit]]:
        """What is new in all files, as (identity of the file, unit); ends when all is read.

        Args:
            now: µs since 1970; a row a day later than that is refused.

        Raises:
            InputError: a file cannot be read, or was changed before the place that was reached.
            UnknownFormatError: a file is in no known format, or in another one than the rest.
        """
        context = Context(self.remarks, now)
        heap: list[tuple[int, str, _File, Unit | None, Iterator[Unit]]] = []
        for file in self._changed():
            first = next(units(file.source, file.place, context), None)
            if first is None:
                self._done[file.path] = file.state
            else:  # opened again when its time has come: there may be thousands
                heappush(heap, (_key(first), str(file.path), file, None, iter(())))
        while heap:
            _, name, file, unit, rest = heappop(heap)
            if unit is None:
                self.remarks.path = name
                rest = units(file.source, file.place, context)
                unit = next(rest, None)
                self._open[file.identity] = file
            while unit is not None:
                self.remarks.path = name
                file.position, file.number = unit.position, unit.number
                yield file.identity, unit
                unit = next(rest, None)
                if unit is not None and heap and (_key(unit), name) > heap[0][:2]:
                    heappush(heap, (_key(unit), name, file, unit, rest))
                    break
            else:
                self._done[file.path] = file.state

    def place(self, identity: str) -> Place:
        """How far the file was read, to be kept with what was read of it."""
        place = self._reached(identity)
        assert place is not None, identity
        if not identity.startswith("lines:"):
            return place
        path = Path(place.path)
        try:
            same = identify(path) == identity  # it may have been rotated since
            return replace(place, before=print_before(path, place.position) if same else "")
        except InputError:
            return replace(place, before="")

    def path(self, identity: str) -> str:
        """Where the file was met last."""
        place = self._reached(identity)
        return "" if place is None else place.path

    def left_over(self) -> list[str]:
        """What was met and not read, for a person: files and last lines that are not whole."""
        found: list[str] = []
        for path in find_present(self._patterns):
            size = path.stat().st_size
            identity = identify(path) if size else None
            if size and identity is None:
                found.append(f"{path}: is not whole yet, and waits")
            elif identity is not None and identity.startswith("lines:"):
                place = self._reached(identity) or Place(str(path))
                if place.position < size and not is_gzip(path):
                    found.append(f"{path}: its last line has no end yet, and waits")
        return found

    def _reached(self, identity: str) -> Place | None:
        """How far a file was read, in this poll or before it."""
        file = self._open.get(identity)
        if file is None:
            return self._places.get(identity)
        return replace(file.place, position=file.position, number=file.number)

    def _changed(self) -> list[_File]:
        """The files with something new, each identity once."""
        for file in self._open.values():
            reached = replace(file.place, position=file.position, number=file.number)
            self._places[file.identity] = reached
        self._open = {}
        found: dict[str, list[Path]] = {}
        here: dict[Path, str] = {}
        for path in find_present(self._patterns):
            state = _state(path)
            if state is not None and state[2] and self._done.get(path) != state:
                identity = identify(path)
                if identity is not None:
                    here[path] = identity
                    found.setdefault(identity, []).append(path)
        for identity, path in self._rotated(here):
            found.setdefault(identity, []).append(path)
        made = (self._file(identity, paths) for identity, paths in found.items())
        return [each for each in made if each is not None]

    def _file(self, identity: str, paths: Sequence[Path]) -> _File | None:
        """Of copies the one that was read before, else the first."""
        place = self._reached(identity) or Place(str(paths[0]))
        own = Path(place.path)
        path = own if own in paths else paths[0]
        state = _state(path)
        if state is None:
            return None
        if place.before and print_before(path, place.position) not in ("", place.before):
            if path != own and own.exists() and identify(own) == identity:
                return None  # a copy that is being made
            raise InputError(
                f"was changed before byte {place.position:,}, up to which it was read; a log may "
                "grow or be replaced, but not be rewritten: give what it holds now another name "
                "and another first line, or begin a new state",
                path=path,
            )
        if path != own:
            place = replace(place, path=str(path))
            self.moved[identity] = self._places[identity] = place
        source = self._source(identity, path)
        return None if source is None else _File(
            identity, path, source, place, state, place.position, place.number
        )  # fmt: skip

    def _rotated(self, here: Mapping[Path, str]) -> Iterator[tuple[str, Path]]:
        """Files that stood at a named path before, and may have grown until they were moved."""
        for path in map(Path, self._patterns):
            if path.is_dir() or (path.exists() and path not in here):
                continue
            missing = {
                identity
                for identity, place in self._places.items()
                if place.path == str(path) and identity != here.get(path)
            }
            if not missing:
                continue
            for beside in sorted(path.parent.glob(glob.escape(path.name) + "*")):
                if beside != path and beside.is_file() and (name := identify(beside)) in missing:
                    missing.discard(name)
                    yield name, beside
            if path in here:  # else it may be between a rotation and the next line
                for identity in missing:
                    place = self._places[identity]
                    self.lost.append(
                        f"{path}: was replaced, and the file before it is gone; what was written "
                        f"to that after {place.position:,} bytes was not read"
                    )
                    self.moved[identity] = self._places[identity] = replace(place, path="")

    def _source(self, identity: str, path: Path) -> Source | None:
        known = self._sources.get((identity, path))
        if known is not None:
            return known
        try:
            found = recognised(path, self._forced)
        except UnknownFormatError:
            if not self.format or self._forced is not None:
                raise
            found = recognised(path, format_named(self.format))
        if found is None:
            return None
        name, source = found
        if self.format and name != self.format:
            raise UnknownFormatError(
                f"is a log of format '{name}', but '{self.format}' was read before: watch each "
                "with a state of its own, or force one with --format",
                path=path,
            )
        self.format = name
        self._sources[identity, path] = source
        return source


def _key(unit: Unit) -> int:
    return unit.exchanges[0].at if unit.exchanges else 0


def _state(path: Path) -> _State | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns
