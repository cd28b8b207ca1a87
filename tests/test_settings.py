"""The settings file: what is read, and how a mistake in it is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.errors import SettingsError
from stillwatch.settings import Section, read_settings


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def write_and_read(text: str | bytes) -> Section:
        path = tmp_path / "stillwatch.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_settings(path)

    return write_and_read


def test_a_value_is_taken_with_its_type(read: Any) -> None:
    scan = read("scan:\n  accounts: 5\n  share: 2\n  name: demo\n  strict: true\n").section("scan")
    assert scan.take("accounts", int) == 5
    share = scan.take("share", float)
    assert share == 2.0
    assert isinstance(share, float)
    assert scan.take("name", str) == "demo"
    assert scan.take("strict", bool) is True
    scan.finish()


def test_a_missing_value_falls_back_to_its_default(read: Any) -> None:
    assert read("scan: {}\n").section("scan").take("accounts", int, 7) == 7


def test_without_a_file_every_section_is_empty() -> None:
    settings = read_settings(None)
    assert list(settings.section("scan")) == []
    settings.finish()


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_file_has_no_sections(read: Any, text: str) -> None:
    assert list(read(text)) == []


def test_a_byte_order_mark_is_not_part_of_the_first_key(read: Any) -> None:
    assert list(read("\ufeffscan: {}\n")) == ["scan"]


def test_the_country_code_of_norway_stays_a_text(read: Any) -> None:
    access = read("access:\n  places: [NO, SE, ON]\n").section("access")
    assert access.take("places", list) == ["NO", "SE", "ON"]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("12", 12), ("010", 10), ("0o10", 8), ("0xff", 255), ("-3", -3), ("1.5", 1.5),
        ("1e3", 1000.0), (".5", 0.5), ("-.inf", float("-inf")), ("true", True), ("False", False),
        ("yes", "yes"), ("1:30", "1:30"), ("2026-01-02", "2026-01-02"), ("1_000", "1_000"),
        ('"12"', "12"), ("'true'", "true"), ("~", None), ("null", None), ("", None),
    ],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2(read: Any, written: str, means: object) -> None:
    (value,) = read(f"a: [{written}, ]\n" if written else "a: [~]\n").take("a", list)
    assert value == means
    assert type(value) is type(means)


@pytest.mark.parametrize(
    ("text", "take", "message", "line"),
    [
        ("scan:\n  k: five\n", int, "'scan.k' must be a whole number, not 'five'", 2),
        ("scan:\n\n  k: true\n", int, "'scan.k' must be a whole number, not True", 3),
        ("scan:\n  k: 1\n", bool, "'scan.k' must be true or false, not 1", 2),
        ("scan:\n  k: 1\n", str, "'scan.k' must be a text, not 1", 2),
        ("scan:\n  k: x\n", float, "'scan.k' must be a number, not 'x'", 2),
        ("scan:\n  k: {a: 1}\n", list, "'scan.k' must be a list, not a mapping of a", 2),
        ("scan:\n  k:\n", str, "'scan.k' must be a text, but nothing follows it", 2),
        ("scan:\n  other: 1\n", int, "section 'scan' needs 'k'", 2),
    ],
)
def test_a_wrong_type_names_the_key_and_its_line(
    read: Any, text: str, take: type[object], message: str, line: int
) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text).section("scan").take("k", take)
    assert message in str(caught.value)
    assert f"stillwatch.yaml:{line}: " in str(caught.value)
    assert caught.value.line == line


def test_a_section_that_is_no_mapping_is_refused(read: Any) -> None:
    with pytest.raises(SettingsError, match=r":1: 'scan' must be a mapping, not 5"):
        read("scan: 5\n").section("scan")


def test_an_unknown_key_is_refused_with_the_nearest_known_one(read: Any) -> None:
    scan = read("scan:\n  accounts: 5\n  acounts: 6\n").section("scan")
    scan.take("accounts", int)
    with pytest.raises(SettingsError, match=r"yaml:3: .*no setting 'acounts'; did you mean 'acc"):
        scan.finish()


def test_an_unknown_section_is_refused_by_the_whole_file(read: Any) -> None:
    settings = read("scan: {}\n\nscam: {}\n")
    settings.section("scan")
    with pytest.raises(SettingsError, match=r"yaml:3: the file has no setting 'scam'"):
        settings.finish()


def test_the_first_unknown_key_of_the_file_is_the_one_reported(read: Any) -> None:
    with pytest.raises(SettingsError, match=r"yaml:1: .*'zebra'.*knows: nothing"):
        read("zebra: 1\napple: 2\n").finish()


def test_a_key_that_is_set_twice_names_both_lines(read: Any) -> None:
    with pytest.raises(SettingsError, match=r"yaml:4: 'k' is set twice, first on line 2"):
        read("scan:\n  k: 1\n  other: 2\n  k: 3\n")


def test_the_line_of_a_value_can_be_asked_for(read: Any) -> None:
    scan = read("a: 1\nscan:\n  k: 1\n").section("scan")
    assert scan.line_of("k") == 3
    assert scan.line_of("absent") == scan.line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: \xff\n", "not UTF-8"),
        ("- a\n- b\n", ":1: the top of the file must be a mapping"),
        ("!0", ":1: the top of the file must be a mapping"),
        ("9" * 5000, ":1: the top of the file must be a mapping"),
        ("a: 1\nb: [1, 2\n", "not YAML"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("a: \x07\n", "not YAML"),
        ("a: &x {b: *x}\n", r":1: not YAML: anchors and aliases \('x'\)"),
        ("a: 1\nb: *nowhere\n", ":2: not YAML: anchors and aliases"),
        ("a: !!python/object:os.system x\n", ":1: 'a' has a value that cannot be read: tags"),
        ("a: !!int x\n", ":1: 'a' has a value that cannot be read: tags"),
        ("? [1, 2]\n: 3\n", ":1: a key must be a plain word"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: " + "9" * 5000, "'a' has a value that cannot be read"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(read: Any, text: str | bytes, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read(text)


def test_a_missing_file_says_which_option_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.yaml: cannot read .*--settings"):
        read_settings(tmp_path / "absent.yaml")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_is_settings_or_a_settings_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        settings = read_settings(path)
    except SettingsError:
        return
    assert isinstance(settings, Section)
