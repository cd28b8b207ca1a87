"""The pages: reachable, without dead links, and true about commands and rooms."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from stillwatch.cli.main import COMMANDS

PROJECT = Path(__file__).parents[1]
SOURCE = PROJECT / "src" / "stillwatch"
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
ROOMS = sorted(
    path for path in SOURCE.iterdir()
    if (path / "__init__.py").exists() or (path.suffix == ".py" and "__" not in path.name)
)  # fmt: skip
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """The page without its fenced examples."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def relative_links(page: Path) -> Iterator[Path]:
    for target in LINK.findall(prose(page)):
        if not re.match(r"[a-z]+:|#", target):
            yield (page.parent / target.partition("#")[0]).resolve()


def examples() -> Iterator[tuple[str, str]]:
    """Every line `$ stillwatch …` of a console example, continued lines joined."""
    for page in PAGES:
        for block in re.findall(
            r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL
        ):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("$ stillwatch"):
                    yield page.name, line.removeprefix("$ ")


def complaints(command: str) -> list[str]:
    """What an example asks for that the command line does not have."""
    words = [w.partition("=")[0] for w in shlex.split(command, comments=True)[1:]]
    if not words or words[0].startswith("-"):
        return [w for w in words if w not in ("--help", "-h", "--version")]
    if words[0] not in COMMANDS:
        return [words[0]]
    asked = importlib.import_module(f"stillwatch.cli.{words[0]}").command
    assert isinstance(asked, click.Command)
    while isinstance(asked, click.Group) and not asked.chain and words[1:2]:
        if words[1] not in asked.commands:
            return [words[1]]
        asked, words = asked.commands[words[1]], words[1:]
    named = getattr(asked, "commands", {})
    bad = [] if not named or set(words[1:]) & set(named) else [words[0]]
    options: set[str] = _options(asked)
    for word in words[1:]:  # commands of a chain stand one after the other, each before its options
        if word in named:
            options = _options(named[word])
        elif word.startswith("-") and word not in options:
            bad.append(word)
    return bad


def _options(command: click.Command) -> set[str]:
    return {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert [str(t) for t in relative_links(page) if not t.exists()] == []


def test_every_page_is_linked_from_the_index() -> None:
    index = PROJECT / "docs" / "index.md"
    linked = {index.resolve(), *relative_links(index)}
    assert [p.name for p in (PROJECT / "docs").rglob("*.md") if p.resolve() not in linked] == []


def test_the_readme_leads_to_the_index() -> None:
    assert (PROJECT / "docs" / "index.md").resolve() in relative_links(PROJECT / "README.md")


def test_every_example_names_a_command_and_options_that_exist() -> None:
    assert [(p, c, bad) for p, c in examples() if (bad := complaints(c))] == []


@pytest.mark.parametrize(
    "command",
    [
        "stillwatch brew",
        "stillwatch --brew",
        "stillwatch brew --out x",
        "stillwatch evidence seal --out x",
        "stillwatch evidence seal --out x triage --epoch 1",
        "stillwatch evidence seal --epoch 1 keyed",
    ],
)
def test_an_example_of_a_command_that_does_not_exist_is_noticed(command: str) -> None:
    assert complaints(command) != []


def faces(room: Path) -> list[Path]:
    """The files that show a room's public names: its own, or those of the rooms within it."""
    if room.is_file():
        return [room]
    return sorted(room.glob("*/__init__.py")) or [room / "__init__.py"]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.stem)
def test_every_room_says_what_it_is_and_shows_its_public_names(room: Path) -> None:
    assert ast.get_docstring(
        ast.parse((room / "__init__.py" if room.is_dir() else room).read_text())
    )
    for face in faces(room):
        module = ast.parse(face.read_text())
        assert ast.get_docstring(module), face
        names = {t.id for n in module.body if isinstance(n, ast.Assign)
                 for t in n.targets if isinstance(t, ast.Name)}  # fmt: skip
        assert "__all__" in names, face


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.stem)
def test_every_room_has_its_line_in_the_architecture(room: Path) -> None:
    page = (PROJECT / "docs" / "architecture.md").read_text()
    assert re.search(rf"^\| \d+ \| `{room.stem}` \| ", page, re.MULTILINE)


def test_no_source_file_is_longer_than_400_lines() -> None:
    long = {
        str(path.relative_to(SOURCE)): length
        for path in SOURCE.rglob("*.py")
        if (length := len(path.read_text().splitlines())) > 400
    }
    assert long == {}
