"""`stillwatch mark detect`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus
from stillwatch.watermark import (
    GLOBAL,
    Detection,
    GreenListMark,
    GumbelMark,
    KeyRing,
    Mark,
    TokenizerFile,
    TournamentMark,
    Vocabulary,
    detect_many,
)
from stillwatch.watermark.gumbel import scheme_under
from stillwatch.watermark.prf import DEFAULT, NAMES
from stillwatch.watermark.token_files import Tokenised, read_tokens

__all__ = ["detect"]

_SCHEMES: dict[str, type[GumbelMark] | type[GreenListMark] | type[TournamentMark]] = {
    "gumbel": GumbelMark,
    "green-list": GreenListMark,
    "tournament": TournamentMark,
}
_HEADS = ("text", "cluster", "scored", "log10 p", "corrected", "rank", "")


@click.command()
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
@click.option(
    "--prf", type=click.Choice(list(NAMES)), default=DEFAULT, show_default=True,
    help="The keyed function: vLLM's, ours, or SGLang's.",
)  # fmt: skip
@click.option(
    "--tokenizer", "tokenizer_file", type=click.Path(path_type=Path, dir_okay=False),
    help="The tokenizer.json of the model that was marked; makes tokens of plain text.",
)  # fmt: skip
@click.option(
    "--written-by", "other_file", type=click.Path(path_type=Path, dir_okay=False),
    help="The tokenizer.json of the tokens in TEXTS, if they are another model's.",
)  # fmt: skip
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
    named = [*clusters, *(line.strip() for line in cluster_file or () if line.strip())]
    named += [GLOBAL] if everybody else []
    if not named:
        raise click.UsageError("name what to look for: --cluster, --clusters or --global")
    ring = (
        KeyRing.from_environment(epoch, tenant=tenant)
        if key_file is None
        else KeyRing.from_file(key_file, epoch, tenant=tenant)
    )
    derived = scheme_under(prf) if scheme == "gumbel" else scheme
    marks: list[Mark] = [
        _SCHEMES[scheme](ring.key(name, derived), context=context, prf=prf)
        for name in dict.fromkeys(named)
    ]
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
