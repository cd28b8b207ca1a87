"""A folder that looks whole is whole, and readable wordings are clauses."""

from pathlib import Path

import pytest

from stillwatch.campaigns.outputs import output_folder
from stillwatch.campaigns.templates import CellUse, templates
from stillwatch.errors import OutputError


def test_nothing_is_visible_until_everything_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with output_folder(out, force=False) as folder:
        (folder / "report.html").write_text("whole")
        assert not out.exists()
    assert (out / "report.html").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_the_old_folder_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("old")

    def fails() -> None:
        with output_folder(out, force=True) as folder:
            (folder / "report.html").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (out / "report.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_force_replaces_what_is_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "stale.html").write_text("old")
    with output_folder(out, force=True) as folder:
        (folder / "report.html").write_text("new")
    assert [path.name for path in out.iterdir()] == ["report.html"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with (
        pytest.raises(OutputError, match="is a file"),
        output_folder(tmp_path / "out", force=True),
    ):
        pass


def test_overlapping_windows_are_read_as_one_clause() -> None:
    words = {1: "show the full chain of", 2: "the full chain of thought", 3: "rate it on a scale"}
    uses = {1: CellUse(9, 1, 30), 2: CellUse(9, 0, 28), 3: CellUse(7, 0, 40)}
    first, second = templates(uses, words)
    assert (first.words, first.exchanges) == ("rate it on a scale", 40)
    assert (second.words, second.members, second.others) == ("show the full chain of thought", 9, 1)


def test_a_cell_without_words_is_left_out() -> None:
    assert templates({1: CellUse(9, 0, 9)}, {}) == ()
