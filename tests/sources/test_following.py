"""Logs that grow, rotate and appear: every whole unit once, in the order of time."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from stillwatch.errors import InputError, UnknownFormatError
from stillwatch.exchange import RawExchange
from stillwatch.sources import Follower, NativeWriter, Place

START = 1_767_225_600_000_000
NOW = START + 10**12


def line(seconds: float, account: str = "a", prompt: str = "hello") -> str:
    at = START / 1e6 + seconds
    return json.dumps({"at": at, "account": account, "prompt": prompt}) + "\n"


def follow(source: Path, places: Mapping[str, Place] | None = None, **more: str) -> Follower:
    return Follower([source], places or {}, **more)


def read(follower: Follower) -> list[str]:
    """The accounts of all new exchanges, and refusals as their reasons."""
    units = [unit for _, unit in follower.poll(NOW)]
    return [
        each for unit in units for each in (*(r.account for r in unit.exchanges), *unit.refused)
    ]


def places(follower: Follower) -> dict[str, Place]:
    return {
        identity: follower.place(identity) for identity in {**follower._places, **follower._open}
    }


def append(path: Path, *text: str) -> Path:
    with path.open("a") as file:
        file.write("".join(text))
    return path


def test_what_is_appended_is_read_once(tmp_path: Path) -> None:
    log = append(tmp_path / "log.jsonl", line(1, "a"), line(2, "b"))
    follower = follow(log)
    assert read(follower) == ["a", "b"]
    assert read(follower) == []
    append(log, line(3, "c"))
    assert read(follower) == ["c"]
    append(log, line(4, "d"))
    assert read(follow(log, places(follower))) == ["d"]


def test_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    whole = line(1, "a") + line(2, "b")
    log = append(tmp_path / "log.jsonl", whole[:-5])
    follower = follow(log)
    assert read(follower) == ["a"]
    assert follower.left_over() == [f"{log}: its last line has no end yet, and waits"]
    append(log, whole[-5:])
    assert read(follower) == ["b"]
    assert follower.left_over() == []


def test_a_file_without_a_whole_line_waits(tmp_path: Path) -> None:
    log = append(tmp_path / "log.jsonl", line(1)[:10])
    follower = follow(log)
    assert read(follower) == []
    assert follower.left_over() == [f"{log}: is not whole yet, and waits"]
    append(log, line(1)[10:])
    assert read(follower) == ["a"]


def test_files_that_are_not_there_yet_are_waited_for(tmp_path: Path) -> None:
    follower = follow(tmp_path / "log.jsonl")
    follower.check()
    assert read(follower) == []
    append(tmp_path / "log.jsonl", line(1, "a"))
    assert read(follower) == ["a"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file, nor its folder"):
        follow(tmp_path / "gone" / "log.jsonl").check()


def test_several_files_come_in_the_order_of_time(tmp_path: Path) -> None:
    append(tmp_path / "one.jsonl", line(1, "a"), line(4, "d"), line(5, "e"))
    append(tmp_path / "two.jsonl", line(2, "b"), line(3, "c"), line(6, "f"))
    follower = follow(tmp_path)
    assert read(follower) == list("abcdef")
    append(tmp_path / "three.jsonl", line(0, "z"))
    assert read(follower) == ["z"]


def test_the_order_does_not_depend_on_where_reading_was_interrupted(tmp_path: Path) -> None:
    for name, shift in (("one", 0), ("two", 3), ("three", 7)):
        rows = [line((n * 37 + shift) % 50, f"{name}-{n}") for n in range(20)]
        append(tmp_path / f"{name}.jsonl", *rows)
    whole = read(follow(tmp_path))
    first = follow(tmp_path)
    pieces, poll = [], first.poll(NOW)
    for _, unit in poll:
        pieces += [each.account for each in unit.exchanges]
        if len(pieces) % 7 == 0:
            poll.close()
            break
    assert pieces + read(follow(tmp_path, places(first))) == whole


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_log_that_is_renamed_is_read_to_its_end(
    tmp_path: Path, packed: bool, restarted: bool
) -> None:
    """As logrotate does it: the tail of the old file, which is packed perhaps, and the new one."""
    log = append(tmp_path / "log.jsonl", line(1, "a"))
    follower = follow(log)
    assert read(follower) == ["a"]
    append(log, line(2, "b"))
    old = log.rename(tmp_path / "log.jsonl.1")
    if packed:
        (tmp_path / "log.jsonl.1.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()
    append(log, line(3, "c"))
    if restarted:
        follower = follow(log, places(follower))
    assert read(follower) == ["b", "c"]
    assert follower.left_over() == []
    append(log, line(4, "d"))
    assert read(follower) == ["d"]


def test_a_log_that_is_copied_and_truncated_is_read_to_its_end(tmp_path: Path) -> None:
    log = append(tmp_path / "log.jsonl", line(1, "a"))
    follower = follow(log)
    assert read(follower) == ["a"]
    append(log, line(2, "b"))
    shutil.copy(log, tmp_path / "log.jsonl.1")
    log.write_text("")
    assert read(follower) == []
    append(log, line(3, "c"))
    assert read(follower) == ["b", "c"]


def test_a_copy_beside_a_log_is_not_read_again(tmp_path: Path) -> None:
    log = append(tmp_path / "log.jsonl", line(1, "a"), line(2, "b"))
    follower = follow(tmp_path)
    assert read(follower) == ["a", "b"]
    shutil.copy(log, tmp_path / "copy.jsonl")
    with gzip.open(tmp_path / "packed.jsonl.gz", "wb") as file:
        file.write(log.read_bytes())
    append(log, line(3, "c"))
    assert read(follower) == ["c"]


def test_a_log_whose_old_file_is_gone_says_what_was_not_read(tmp_path: Path) -> None:
    log = append(tmp_path / "log.jsonl", line(1, "a"))
    follower = follow(log)
    assert read(follower) == ["a"]
    log.write_text(line(2, "b"))
    assert read(follower) == ["b"]
    (lost,) = follower.lost
    assert "was replaced, and the file before it is gone" in lost


@pytest.mark.parametrize("change", ["rewritten", "cut"])
def test_a_log_that_was_changed_before_the_place_is_refused(tmp_path: Path, change: str) -> None:
    log = append(tmp_path / "log.jsonl", line(1, "a"), line(2, "b"), line(3, "c"))
    follower = follow(log)
    assert read(follower) == ["a", "b", "c"]
    kept = places(follower)
    third = line(3, "x") if change == "rewritten" else ""
    log.write_text(line(1, "a") + line(2, "b") + third)
    with pytest.raises(InputError, match="was changed before byte"):
        read(follow(log, kept))


def test_bad_lines_are_told_with_their_numbers(tmp_path: Path) -> None:
    log = append(tmp_path / "log.jsonl", line(1, "a"), "{\n", line(2, "b"))
    units = [unit for _, unit in follow(log).poll(NOW)]
    assert [(unit.number, bool(unit.refused)) for unit in units] == [
        (1, False), (2, True), (3, False),
    ]  # fmt: skip


def test_a_damaged_gzip_file_is_told_once(tmp_path: Path) -> None:
    whole = gzip.compress("".join(line(n, f"a-{n}") for n in range(2000)).encode())
    log = tmp_path / "log.jsonl.gz"
    log.write_bytes(whole[:2000] + b"\xff" * 50 + whole[2050:])
    follower = follow(log)
    told = read(follower)
    assert told[0] == "a-0"
    assert "the gzip data is damaged" in told[-1]
    assert read(follow(log, places(follower))) == []


def test_a_gzip_file_that_is_being_written_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl.gz"
    log.write_bytes(gzip.compress((line(1, "a") + line(2, "b")).encode()))
    follower = follow(log)
    assert read(follower) == ["a", "b"]
    with log.open("ab") as file:
        file.write(gzip.compress(line(3, "c").encode()))
    assert read(follower) == ["c"]


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_files_that_are_no_lines_go_on_at_their_rows(tmp_path: Path, kind: str) -> None:
    log = tmp_path / f"log.{kind}"
    if kind == "json":
        log.write_text("[" + ",".join(line(n, f"a-{n}") for n in range(5)) + "]")
    else:
        with NativeWriter(log) as writer:
            rows = [RawExchange(at=START + n, account=f"a-{n}", prompt="x") for n in range(5)]
            writer.write(rows)
    first = follow(tmp_path)
    poll = first.poll(NOW)
    for _ in range(2):
        next(poll)
    poll.close()
    assert read(follow(tmp_path, places(first))) == ["a-2", "a-3", "a-4"]


def test_parquet_that_is_being_written_waits(tmp_path: Path) -> None:
    with NativeWriter(tmp_path / "whole.parquet") as writer:
        writer.write([RawExchange(at=START, account="a", prompt="x")])
    whole = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "whole.parquet").unlink()
    log = tmp_path / "log.parquet"
    log.write_bytes(whole[:-20])
    follower = follow(log)
    assert read(follower) == []
    log.write_bytes(whole)
    assert read(follower) == ["a"]


def test_a_mixture_of_formats_is_refused(tmp_path: Path) -> None:
    append(tmp_path / "log.jsonl", line(1))
    follower = follow(tmp_path)
    assert read(follower) == ["a"]
    payload = {"startTime": 1, "call_type": "completion", "metadata": {}}
    append(tmp_path / "other.jsonl", json.dumps(payload) + "\n")
    with pytest.raises(UnknownFormatError, match="'native' was read before"):
        read(follower)


def test_rubbish_in_a_log_whose_format_is_known_is_told_as_rows(tmp_path: Path) -> None:
    append(tmp_path / "log.jsonl", line(1))
    follower = follow(tmp_path)
    assert read(follower) == ["a"]
    append(tmp_path / "torn.jsonl", 'prompt": "x"}\n')
    (told,) = read(follower)
    assert "JSON" in told
