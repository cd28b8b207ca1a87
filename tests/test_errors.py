"""The tree of errors: stable codes, exit statuses, and the page that lists them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stillwatch import errors
from stillwatch.errors import ExitStatus, StillwatchError

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
SOURCE = Path(errors.__file__).parent
ERROR = r"^class (\w+Error)\(\w+\)"


def tree(root: type[StillwatchError] = StillwatchError) -> list[type[StillwatchError]]:
    """`root` and all its descendants that stand in errors.py."""
    below = [e for child in root.__subclasses__() for e in tree(child)]
    return [e for e in (root, *below) if e.__module__ == errors.__name__]


def test_every_code_belongs_to_one_error() -> None:
    codes = [e.code for e in tree()]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"SW[0-9]{3}", code) for code in codes)


def test_every_error_states_its_own_code() -> None:
    assert all("code" in vars(e) for e in tree())


def test_every_error_is_public_and_says_when_it_is_raised() -> None:
    assert {e.__name__ for e in tree()} | {"ExitStatus"} == set(errors.__all__)
    assert all(e.__doc__ for e in tree())


def test_every_error_that_a_room_shows_lives_in_the_one_tree() -> None:
    """A room that shows an error of its own would escape the codes and the page."""
    strays = [
        f"{path.relative_to(SOURCE)}: {name}"
        for room in SOURCE.glob("*/__init__.py")
        for path in room.parent.rglob("*.py")
        for name in re.findall(ERROR, path.read_text(), re.MULTILINE)
        if name in room.read_text()
    ]
    assert strays == []


def test_the_page_lists_every_code_with_its_name_and_exit_status() -> None:
    rows = re.findall(r"^\| (SW\d{3}) \| `(\w+)` \| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted((e.code, e.__name__, str(e.exit_status)) for e in tree())


def test_the_page_lists_every_exit_status() -> None:
    listed = set(re.findall(r"^\| (\d+) \| ", PAGE.read_text(), re.MULTILINE))
    assert listed == {str(v) for k, v in vars(ExitStatus).items() if k.isupper()}


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({}, "broken"),
        ({"path": "log.jsonl"}, "log.jsonl: broken"),
        ({"path": Path("log.jsonl"), "line": 7}, "log.jsonl:7: broken"),
    ],
)
def test_a_message_starts_with_the_place(where: dict[str, object], message: str) -> None:
    assert str(StillwatchError("broken", **where)) == message  # type: ignore[arg-type]
