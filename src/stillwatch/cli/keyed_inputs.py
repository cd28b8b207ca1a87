"""What the keyed commands take: keys, probes, salt, transcripts; and how they are read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from stillwatch.errors import KeyFileError, OutputError
from stillwatch.key_files import MINIMUM_BYTES, create_key_file, read_key_file
from stillwatch.provenance import Probes, read_transcripts
from stillwatch.provenance.keyed import EnglishReader, KeyedMark
from stillwatch.watermark import GLOBAL, KeyRing

__all__ = [
    "FILE",
    "FOLDER",
    "Keyed",
    "about_keys",
    "answers_of",
    "keyed",
    "make_salt",
    "models",
    "read_salt",
]

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

Command = TypeVar("Command", bound=Callable[..., Any])


class Keyed(NamedTuple):
    """Everything that a plan is about, opened."""

    marks: list[KeyedMark]
    probes: Probes
    reader: EnglishReader


def about_keys(decorated: Command) -> Command:
    """The options that say which keys, probes and salt."""
    for option in reversed((
        click.option(
            "--key-file", type=FILE, help="The master key; else the variable STILLWATCH_MARK_KEY."
        ),
        click.option(
            "--epoch", "epochs", multiple=True, required=True,
            help="An epoch of the keys, such as 2026-11; may be repeated.",
        ),
        click.option("--tenant", default="", help="The tenant of the keys."),
        click.option(
            "--cluster", "clusters", multiple=True, help="A cluster to look for; may be repeated."
        ),
        click.option("--global", "everybody", is_flag=True, help="Look for the global key, too."),
        click.option("--probes", type=FILE, required=True, help="The prompts: JSON lines."),
        click.option("--salt", type=FILE, required=True, help="The file of the salt."),
    )):  # fmt: skip
        decorated = option(decorated)
    return decorated


def keyed(
    key_file: Path | None,
    epochs: tuple[str, ...],
    tenant: str,
    clusters: tuple[str, ...],
    everybody: bool,
    probes: Path,
) -> Keyed:
    """The marks of every cluster in every epoch, and the probes."""
    named = [*dict.fromkeys(clusters), *([GLOBAL] if everybody else [])]
    if not named:
        raise click.UsageError("name what to look for: --cluster or --global")
    found = Probes.read(probes)
    reader = EnglishReader.of(found.canaries)
    try:
        rings = [
            KeyRing.from_environment(epoch, tenant=tenant)
            if key_file is None
            else KeyRing.from_file(key_file, epoch, tenant=tenant)
            for epoch in dict.fromkeys(epochs)
        ]
        marks = [KeyedMark.of(ring, name, reader.name) for ring in rings for name in named]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return Keyed(marks, found, reader)


def make_salt(path: Path) -> bytes:
    """The salt at `path`, made where there is none."""
    try:
        if not path.exists():
            create_key_file(path, secrets.token_bytes(MINIMUM_BYTES))
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror}", path=path) from error
    return read_salt(path)


def read_salt(path: Path) -> bytes:
    """The salt at `path`; a test never makes one."""
    if not path.exists():
        raise KeyFileError("there is no such file", path=path)
    return read_key_file(path, "the salt")


def models(decorated: Command) -> Command:
    """The options that name recorded models."""
    for option in reversed((
        click.option(
            "--suspect", "suspects", type=FILE, multiple=True, required=True,
            help="What a suspect answered, as `ask` records it; may be repeated.",
        ),
        click.option(
            "--control", "controls", type=FILE, multiple=True,
            help="What a model answered that did not learn from yours; may be repeated.",
        ),
        click.option(
            "--other-code", is_flag=True, help="Go on though the plan names another release."
        ),
    )):  # fmt: skip
        decorated = option(decorated)
    return decorated


def answers_of(files: tuple[Path, ...]) -> dict[str, Path]:
    """The files of transcripts by the names of their models, each once."""
    found: dict[str, Path] = {}
    for path in files:
        name = read_transcripts(path).model
        if name in found:
            raise click.UsageError(f"{path} and {found[name]} are both of {name}")
        found[name] = path
    return found
