"""`stillwatch mark keygen|detect`; `radioactivity` has a file of its own."""

from __future__ import annotations

import math
import secrets
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from stillwatch.cli.mark_radioactivity import radioactivity
from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus, OutputError
from stillwatch.key_files import MINIMUM_BYTES, create_key_file
from stillwatch.watermark import (
    GLOBAL,
    Detection,
    GreenListMark,
    GumbelMark,
    KeyRing,
    Mark,
    Vocabulary,
    detect_many,
)
from stillwatch.watermark.token_files import read_tokens

__all__ = ["command"]

_SCHEMES: dict[str, type[GumbelMark] | type[GreenListMark]] = {
    "gumbel": GumbelMark,
    "green-list": GreenListMark,
}
_HEADS = ("text", "cluster", "scored", "log10 p", "corrected", "rank", "")


@click.group()
def command() -> None:
    """Keys of marks, and which marks a text carries.

    A mark found is evidence that a text was written under a key, and of nothing more: marks can be
    removed and forged (docs/watermark.md).
    """


command.add_command(radioactivity)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def keygen(file: Path) -> None:
    """Make a master key of 32 random bytes in FILE, for its owner only.

    All keys of all clusters and epochs are derived from it. Whoever has it can forge every mark;
    without it no mark is ever found again: keep a copy apart.
    """
    try:
        create_key_file(file, secrets.token_bytes(MINIMUM_BYTES))
    except FileExistsError:
        raise OutputError("is there already, and a key is never overwritten", path=file) from None
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror}", path=file) from error
    click.echo(f"{file}: a new master key", err=True)


@command.command()
@click.argument("texts", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The master key; else the variable STILLWATCH_MARK_KEY.",
)
@click.option("--epoch", required=True, help="The epoch of the keys, such as 2026-11.")
@click.option("--tenant", default="", help="The tenant of the keys.")
@click.option(
    "--cluster", "clusters", multiple=True, help="A cluster to look for. May be given often."
)
@click.option(
    "--clusters",
    "cluster_file",
    type=click.File("r"),
    help="A file of clusters to look for, one a line; - is standard input.",
)
@click.option("--global", "everybody", is_flag=True, help="Look for the global key, too.")
@click.option(
    "--scheme", type=click.Choice(list(_SCHEMES)), default="gumbel", show_default=True,
    help="How the text was marked.",
)  # fmt: skip
@click.option(
    "--context", type=click.IntRange(1), default=1, show_default=True, help="Tokens of a context."
)
@click.option("--vocabulary", type=click.IntRange(1), help="Tokens of the model's vocabulary.")
@click.option(
    "--decoys", type=click.IntRange(0), default=1_000, show_default=True,
    help="Random keys that are scored beside.",
)  # fmt: skip
@click.option(
    "--alpha", type=click.FloatRange(0, 1, min_open=True), default=0.001, show_default=True,
    help="What counts as found: a corrected p-value of at most this.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a text and mark.")
def detect(
    texts: Path,
    key_file: Path | None,
    epoch: str,
    tenant: str,
    clusters: tuple[str, ...],
    cluster_file: TextIO | None,
    everybody: bool,
    scheme: str,
    context: int,
    vocabulary: int | None,
    decoys: int,
    alpha: float,
    as_json: bool,
) -> int:
    """Look for the marks of clusters in TEXTS, one text a line.

    A line is a JSON array of token ids, or an object with `tokens` and perhaps `id`; the tokens
    must be those of the tokenizer that the text was written with. P-values are exact, and corrected
    (Holm) over all texts and marks together; the rank is that among the decoys, 1 the highest.

    \b
    Exit status: 0 nothing found, 3 a mark found, 2 unreadable input.

    \b
    Examples:
      stillwatch mark detect texts.jsonl --key-file mark.key --epoch 2026-11 --cluster c-812
      stillwatch mark detect texts.jsonl --key-file mark.key --epoch 2026-11 --clusters all.txt
    """
    named = [*clusters, *(line.strip() for line in cluster_file or () if line.strip())]
    named += [GLOBAL] if everybody else []
    if not named:
        raise click.UsageError("name what to look for: --cluster, --clusters or --global")
    ring = (
        KeyRing.from_environment(epoch, tenant=tenant)
        if key_file is None
        else KeyRing.from_file(key_file, epoch, tenant=tenant)
    )
    marks: list[Mark] = [
        _SCHEMES[scheme](ring.key(name, scheme), context=context) for name in dict.fromkeys(named)
    ]
    read = list(read_tokens(texts))
    size = None if vocabulary is None else Vocabulary(vocabulary)
    rows = detect_many([text.tokens for text in read], marks, decoys=decoys, vocabulary=size)
    said = [
        _said(text.name, each, alpha) for text, row in zip(read, rows, strict=True) for each in row
    ]
    if as_json:
        for each in said:
            click.echo(msgspec.json.encode(each))
    else:
        print_rows(_HEADS, map(_line, said))
    found = any(each["found"] for each in said)
    return ExitStatus.CAMPAIGNS_FOUND if found else ExitStatus.NOTHING_FOUND


def _said(text: str, detection: Detection, alpha: float) -> dict[str, Any]:
    mark, corrected = detection.mark, detection.corrected_log10_p
    return {
        "text": text,
        "cluster": mark.key.cluster,
        "epoch": mark.key.epoch,
        "scheme": mark.scheme,
        "context": mark.context,
        "scored": detection.scored,
        "log10_p": detection.log10_p,
        "corrected_log10_p": corrected,
        "decoy_rank": detection.decoy_rank,
        "decoys": detection.decoys,
        "found": corrected is not None and corrected <= math.log10(alpha),
        "abstained": detection.abstained,
    }


def _line(said: dict[str, Any]) -> tuple[str, ...]:
    p = ("-" if x is None else f"{x:.2f}" for x in (said["log10_p"], said["corrected_log10_p"]))
    rank = "-" if said["decoy_rank"] is None else f"{said['decoy_rank']:,}/{said['decoys'] + 1:,}"
    word = said["abstained"] or ("found" if said["found"] else "")
    return said["text"], said["cluster"], f"{said['scored']:,}", *p, rank, word
