"""`stillwatch mark served`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click
import numpy as np

from stillwatch.cli.mark_options import CONTEXT, EPOCH, FILE, KEY_FILE, TENANT, ring_of
from stillwatch.errors import InputError
from stillwatch.watermark import KeyRing, ServedSketch
from stillwatch.watermark.answer_files import read_answers
from stillwatch.watermark.served import SCHEME

__all__ = ["read_sketch", "served", "sketch_path"]


@click.command()
@click.argument("answers", type=FILE)
@click.option("--cluster", required=True, help="The cluster that was served these answers.")
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), required=True,
    help="The folder of sketches; that of the cluster is made there, or added to.",
)  # fmt: skip
@KEY_FILE
@EPOCH
@TENANT
@CONTEXT
@click.option(
    "--cells", type=click.IntRange(2), default=1 << 20, show_default=True,
    help="Counters of a row, a power of two, of a new sketch. It has 4 rows of 4 bytes a counter; "
    "twice as many as contexts are served make one wrong yes in 40, eight times as many one in "
    "5,000.",
)  # fmt: skip
def served(
    answers: Path,
    cluster: str,
    folder: Path,
    key_file: Path | None,
    epoch: str,
    tenant: str,
    context: int,
    cells: int,
) -> None:
    """Note which contexts a cluster was served in ANSWERS, without keeping any text.

    A line is {"prompt": [ids], "answer": [ids]}, or the token ids of an answer. What is kept is a
    sketch of keyed hashes, for the test of closed suspects (`mark radioactivity`, --served). The
    same answers given twice are counted twice, which changes no test.

    \b
    Example:
      stillwatch mark served monday.jsonl --cluster c-812 --out sketches \\
        --key-file mark.key --epoch 2026-11
    """
    key = ring_of(key_file, epoch, tenant).key(cluster, SCHEME)
    path = sketch_path(folder, cluster)
    if path.exists():
        sketch = ServedSketch.read(path, key)
        if sketch.context != context:
            raise InputError(f"has contexts of {sketch.context} tokens, not {context}", path=path)
    else:
        try:
            sketch = ServedSketch(key, context, cells=cells)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    for said in read_answers(answers):
        sketch.add(np.concatenate(said), prompt=len(said.prompt))
    folder.mkdir(parents=True, exist_ok=True)
    sketch.write(path)
    click.echo(
        f"{path}: {sketch.texts:,} answers, {sketch.false_positives:.2%} wrong yeses", err=True
    )


def read_sketch(folder: Path, ring: KeyRing, cluster: str) -> ServedSketch:
    """What the cluster was served, from the folder.

    Raises:
        InputError: there is no sketch of it, or it cannot be read.
    """
    return ServedSketch.read(sketch_path(folder, cluster), ring.key(cluster, SCHEME))


def sketch_path(folder: Path, cluster: str) -> Path:
    """Where the sketch of a cluster stands in the folder."""
    return folder / f"{quote(cluster, safe='')}.served"
