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
    assert (first.words, first.members, first.others) == ("show the full chain of thought", 9, 1)
    assert (second.words, second.exchanges) == ("rate it on a scale", 40)


def test_a_cell_without_words_is_left_out() -> None:
    assert templates({1: CellUse(9, 0, 9)}, {}) == ()


def read(*windows: tuple[str, int]) -> list[str]:
    """The clauses that these windows, each with its number of exchanges, are read as."""
    words = {number: text for number, (text, _) in enumerate(windows)}
    uses = {number: CellUse(9, 0, times) for number, (_, times) in enumerate(windows)}
    return [each.words for each in templates(uses, words)]


def test_overlapping_runs_of_one_clause_are_shown_once() -> None:
    assert read(
        ("then take the cleaner one", 30),
        ("take the cleaner one to", 28),
        ("the cleaner one to the", 27),
        ("one to the end task", 25),
        ("judge by depth and form", 20),
    ) == ["then take the cleaner one to the end task", "judge by depth and form"]


def test_a_variant_of_a_clause_that_is_shown_is_left_out() -> None:
    assert read(
        ("also ones that fail quickly", 40),
        ("even ones that fail item", 30),
        ("rate it on a scale", 20),
    ) == ["also ones that fail quickly", "rate it on a scale"]


def test_a_clause_that_begins_where_another_one_ends_is_left_out() -> None:
    assert read(
        ("detail and put each partial", 40),
        ("each partial finding on a", 10),
        ("to a strict examiner who", 9),
    ) == ["detail and put each partial", "to a strict examiner who"]


def test_the_more_frequent_of_two_ways_on_is_followed_and_a_rare_one_is_not() -> None:
    assert read(
        ("put each partial step on", 50),
        ("each partial step on its", 30),
        ("each partial step on one", 20),
        ("partial step on its own", 4),
    ) == ["put each partial step on its"]


def test_a_run_of_placeholders_is_no_wording() -> None:
    assert read(
        ("▢ ▢ ▢ ▢ ▢", 90),
        ("▢ ▢ of ▢ ▢", 80),
        ("▢ ▢ factors of the number", 70),
        ("line of ▢ ▢ dots", 60),
    ) == ["factors of the number", "line of ▢ dots"]


def test_the_numbers_of_a_clause_hold_for_each_of_its_parts() -> None:
    words = {1: "show the full chain of", 2: "the full chain of thought"}
    (clause,) = templates({1: CellUse(9, 0, 30), 2: CellUse(7, 3, 28)}, words)
    assert (clause.members, clause.others, clause.exchanges) == (7, 3, 28)


def test_a_script_without_spaces_is_read_by_characters() -> None:
    assert read(("请逐步写出完整的", 30), ("逐步写出完整的推", 29), ("步写出完整的推理", 28)) == [
        "请逐步写出完整的推理"
    ]


def test_a_window_that_overlaps_itself_ends() -> None:
    assert read(("go on and go on", 9), ("on and go on and", 9)) == ["go on and go on and"]
