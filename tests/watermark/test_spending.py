"""The record of looks: kept whole, shared by processes, and never silently begun anew."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from stillwatch.errors import EvidenceSpentError, InputError, StorageError
from stillwatch.watermark.spending import Look, Looks, Part, record_look

PARTS: list[Part] = [
    (), ((1, 0),), ((1, 1),), ((2, 0),), ((1, 0), (5, 0)), ((1, 0), (5, 1)), ((1, 1), (5, 0)),
]  # fmt: skip


def overlaps(one: Part, other: Part) -> bool:
    """By what parts are: paths of halves, where another seed cuts across."""
    shared = list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other)))  # noqa: B905
    rest = one[len(shared) :], other[len(shared) :]
    if not rest[0] or not rest[1]:
        return True
    return rest[0][0][0] != rest[1][0][0]


def test_a_second_plan_needs_a_part_that_was_not_seen(tmp_path: Path) -> None:
    for i, (one, other) in enumerate(itertools.product(PARTS, PARTS)):
        looks, file = Looks(), tmp_path / str(i)
        looks.take(Look("e", one, "p"))
        record_look(file, Look("e", one, "p"))
        if overlaps(one, other):
            for take in (looks.take, lambda look, file=file: record_look(file, look)):
                with pytest.raises(EvidenceSpentError, match="under another plan"):
                    take(Look("e", other, "q"))
        else:
            looks.take(Look("e", other, "q"))
            record_look(file, Look("e", other, "q"))
        same_plan = one == other or not overlaps(one, other)
        if same_plan:
            record_look(file, Look("e", one, "p"))
        else:
            with pytest.raises(EvidenceSpentError):
                record_look(file, Look("e", other, "p"))


def test_a_record_keeps_when_each_look_was(tmp_path: Path) -> None:
    file = tmp_path / "looks"
    record_look(file, Look("e", ((1, 0),), "p"))
    written = file.read_text()
    assert written.startswith('{"evidence":"e","part":[[1,0]],"plan":"p","format":')
    assert '"at":"20' in written
    record_look(file, Look("e", ((1, 0),), "p"))
    assert file.read_text() == written


@pytest.mark.parametrize(
    "damage", ["{}\n", "nothing\n", '{"evidence":"e","part":[],"plan":"p"}',
               '{"evidence":"e","part":[],"plan":"p","format":"else/1"}\n']
)  # fmt: skip
def test_a_damaged_record_is_no_empty_one(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "looks"
    file.write_text(damage)
    with pytest.raises(InputError, match="looks:1: "):
        record_look(file, Look("e", (), "p"))
    assert file.read_text() == damage


def test_a_look_that_cannot_be_recorded_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be used: No such file"):
        record_look(tmp_path / "none" / "looks", Look("e", (), "p"))
