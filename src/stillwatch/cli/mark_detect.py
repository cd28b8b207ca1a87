"""`stillwatch mark detect`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

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
    VOCABULARY,
    clusters_named,
    mark_of,
    ring_of,
)  # fmt: skip
from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus
from stillwatch.watermark import Detection, TokenizerFile, Vocabulary, detect_many
from stillwatch.watermark.token_files import Tokenised, read_tokens

__all__ = ["detect"]

_HEADS = ("text", "cluster", "scored", "log10 p", "corrected", "rank", "")


@click.command()
@click.argument("texts", type=FILE)
@KEY_FILE
@EPOCH
@TENANT
@CLUSTER
@CLUSTERS
@GLOBAL_TOO
@SCHEME
@CONTEXT
@PRF
@click.option(
    "--tokenizer", "tokenizer_file", type=FILE,
    help="The tokenizer.json of the model that was marked; makes tokens of plain text.",
)  # fmt: skip
@click.option(
    "--written-by", "other_file", type=FILE,
    help="The tokenizer.json of the tokens in TEXTS, if they are another model's.",
)  # fmt: skip
@VOCABULARY
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
    prf: str,
    tokenizer_file: Path | None,
    other_file: Path | None,
    vocabulary: int | None,
    decoys: int,
    alpha: float,
    as_json: bool,
) -> int:
    """Look for the marks of clusters in TEXTS, one text a line.

    A line is a JSON array of token ids, or an object with `tokens` or `text`, and perhaps `id`. The
    tokens must be those of the model that was marked; of plain text, and of tokens of another
    model, --tokenizer makes them (and what is shown as kept is the share of characters that they
    stand for). Text that went through decoding loses some windows, never more. P-values are exact,
    and corrected (Holm) over all texts and marks together; the rank is that among the decoys, 1
    the highest.

    \b
    Exit status: 0 nothing found, 3 a mark found, 2 unreadable input.

    \b
    Examples:
      stillwatch mark detect texts.jsonl --key-file mark.key --epoch 2026-11 --cluster c-812
      stillwatch mark detect texts.jsonl --key-file mark.key --epoch 2026-11 --clusters all.txt
      stillwatch mark detect plain.jsonl --tokenizer tokenizer.json --epoch 2026-11 --global
    """
    named = clusters_named(clusters, cluster_file, everybody=everybody)
    ring = ring_of(key_file, epoch, tenant)
    marks = [mark_of(ring, name, scheme, context, prf) for name in named]
    if other_file is not None and tokenizer_file is None:
        raise click.UsageError("--written-by needs --tokenizer, the model's own")
    tokenizer = None if tokenizer_file is None else TokenizerFile(tokenizer_file)
    other = None if other_file is None else TokenizerFile(other_file)
    read = list(read_tokens(texts, tokenizer, written_by=other))
    size = None if vocabulary is None else Vocabulary(vocabulary)
    rows = detect_many([text.tokens for text in read], marks, decoys=decoys, vocabulary=size)
    said = [_said(text, each, alpha) for text, row in zip(read, rows, strict=True) for each in row]
    if as_json:
        for each in said:
            click.echo(msgspec.json.encode(each))
    else:
        print_rows(_HEADS, map(_line, said))
    found = any(each["found"] for each in said)
    return ExitStatus.CAMPAIGNS_FOUND if found else ExitStatus.NOTHING_FOUND


def _said(text: Tokenised, detection: Detection, alpha: float) -> dict[str, Any]:
    mark, corrected = detection.mark, detection.corrected_log10_p
    return {
        "text": text.name,
        "kept": text.kept,
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
    if said["kept"] is not None and said["kept"] < 1:
        word = f"{word} (kept {said['kept']:.1%})".strip()
    return said["text"], said["cluster"], f"{said['scored']:,}", *p, rank, word
