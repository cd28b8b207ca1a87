"""What the commands about radioactivity take: marks, texts, sketches; and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from stillwatch.cli.mark_options import (
    CLUSTER,
    CLUSTERS,
    CONTEXT,
    EPOCH,
    FILE,
    GLOBAL_TOO,
    KEY_FILE,
    PRF,
    SCHEME,
    TENANT,
    clusters_named,
    mark_of,
    ring_of,
)  # fmt: skip
from stillwatch.cli.mark_served import read_sketch
from stillwatch.provenance import TextSet
from stillwatch.provenance.radioactivity.recorded import read_texts
from stillwatch.watermark import KeyRing, Mark, ServedSketch

__all__ = ["about_marks_and_texts", "marks_of", "sketches_of", "texts_of"]

_FOLDER = click.Path(path_type=Path, file_okay=False)

Command = TypeVar("Command", bound=Callable[..., Any])


def about_marks_and_texts(decorated: Command) -> Command:
    """The options that say which keys, texts, sketches and salt."""
    for option in reversed((
        KEY_FILE, EPOCH, TENANT, CLUSTER, CLUSTERS, GLOBAL_TOO, SCHEME, CONTEXT, PRF,
        click.option(
            "--texts", type=FILE, multiple=True,
            help="Texts (or prompts) in which no key took part; may be repeated.",
        ),
        click.option(
            "--served-texts", type=FILE, multiple=True,
            help="Texts that may carry any of the keys; may be repeated.",
        ),
        click.option(
            "--served", "sketches", type=_FOLDER,
            help="A folder of sketches of what each cluster was served (`mark served`).",
        ),
        click.option("--salt", type=FILE, required=True, help="The file of the salt."),
    )):  # fmt: skip
        decorated = option(decorated)
    return decorated


def marks_of(
    key_file: Path | None,
    epoch: str,
    tenant: str,
    clusters: tuple[str, ...],
    cluster_file: TextIO | None,
    everybody: bool,
    scheme: str,
    context: int,
    prf: str,
) -> tuple[KeyRing, list[Mark]]:
    """The keys of the epoch, and the marks of the clusters."""
    named = clusters_named(clusters, cluster_file, everybody=everybody)
    ring = ring_of(key_file, epoch, tenant)
    return ring, [mark_of(ring, name, scheme, context, prf) for name in named]


def texts_of(fresh: tuple[Path, ...], served: tuple[Path, ...], marks: list[Mark]) -> list[TextSet]:
    """The sets of texts; those that were served may carry any of the keys."""
    if not fresh and not served:
        raise click.UsageError("name what the suspect is shown: --texts or --served-texts")
    carried = [mark.key.cluster for mark in marks]
    return [*map(read_texts, fresh), *(read_texts(path, served_to=carried) for path in served)]


def sketches_of(folder: Path | None, ring: KeyRing, marks: list[Mark]) -> list[ServedSketch]:
    """A sketch of what was served under each mark, or none at all."""
    if folder is None:
        return []
    return [read_sketch(folder, ring, mark.key.cluster) for mark in marks]
