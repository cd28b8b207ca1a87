"""Whatever is in the way of the output folder, or happens to its process, nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stillwatch.campaigns.outputs import output_folder
from stillwatch.errors import OutputError, StorageError


def write(out: Path, text: str, *, force: bool = False) -> None:
    with output_folder(out, force=force) as folder:
        (folder / "report.html").write_text(text)


def test_two_writers_do_not_share_a_folder(tmp_path: Path) -> None:
    with output_folder(tmp_path / "out", force=False) as folder:
        (folder / "report.html").write_text("first")
        with pytest.raises(OutputError, match="another process is writing there"):
            write(tmp_path / "out", "second")
    assert (tmp_path / "out" / "report.html").read_text() == "first"


def test_what_a_killed_process_left_is_no_part_of_the_next_report(tmp_path: Path) -> None:
    left = tmp_path / ".out.partial"
    (left / "work").mkdir(parents=True)
    (left / "campaigns.json").write_text("half")
    write(tmp_path / "out", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_a_report_that_a_kill_caught_between_two_renames_is_put_back(tmp_path: Path) -> None:
    write(tmp_path / ".out.old", "of yesterday")
    with pytest.raises(OutputError, match="--force"):
        write(tmp_path / "out", "of today")
    assert (tmp_path / "out" / "report.html").read_text() == "of yesterday"
    write(tmp_path / "out", "of today", force=True)
    assert (tmp_path / "out" / "report.html").read_text() == "of today"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link", "whole")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "report.html").read_text() == "whole"


def test_the_root_is_a_mount_point_and_refused() -> None:
    with pytest.raises(OutputError, match="mount point"):
        write(Path("/"), "", force=True)


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(StorageError, match=r"/proc/.*cannot be used"):
        write(Path("/proc/nowhere/out"), "")


def test_a_name_that_is_no_text_is_refused_as_engines_cannot_write_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not UTF-8"):
        write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/trouv\xe9")), "")
    assert list(tmp_path.iterdir()) == []
