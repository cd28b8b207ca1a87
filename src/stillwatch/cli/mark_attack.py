"""`stillwatch mark attack NAME TEXTS --out FILE`."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from stillwatch.lab.attacks import (
    CATALOGUE,
    EDITS,
    PARTS,
    Asked,
    attack_named,
    attacked,
    read_texts,
    write_texts,
)

__all__ = ["attack"]

#: where the key of a paraphrasing model is looked for: never on the command line
KEY_VARIABLE = "STILLWATCH_ATTACK_API_KEY"
_FILE = click.Path(path_type=Path, dir_okay=False)
_DEFAULTS = Asked()


def _show(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        for name, entry in CATALOGUE.items():
            click.echo(name)
            about = (f"{entry.does}.", f"Needs: {entry.needs}.", f"Costs: {entry.costs}.")
            for line in about:
                click.echo(click.wrap_text(line[0].upper() + line[1:], 90, "    ", "      "))
            click.echo(f"    By: {entry.by}.")
        context.exit()


@click.command()
@click.argument(
    "name", type=click.Choice([name for name, entry in CATALOGUE.items() if entry.on != "student"])
)
@click.argument("texts", type=_FILE)
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_show,
    help="Say what each attack does, needs and costs, and stop.",
)  # fmt: skip
@click.option("--out", "-o", type=_FILE, required=True, help="Where the changed texts go.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Makes every draw."
)
@click.option(
    "--rate", type=click.FloatRange(0, 1), show_default=str(_DEFAULTS.rate),
    help="edits, synonyms, rewriting, targeted: the share of tokens.",
)  # fmt: skip
@click.option(
    "--kind", "kinds", type=click.Choice(EDITS), multiple=True, show_default="all three",
    help="edits: what is done. May be given often.",
)  # fmt: skip
@click.option(
    "--length", type=click.IntRange(0), show_default=str(_DEFAULTS.length),
    help="truncation: tokens that are kept.",
)  # fmt: skip
@click.option(
    "--part", type=click.Choice(PARTS), show_default=_DEFAULTS.part,
    help="truncation: which tokens are kept.",
)  # fmt: skip
@click.option(
    "--size",
    type=click.IntRange(1),
    show_default=str(_DEFAULTS.size),
    help="chunks: tokens of one.",
)
@click.option(
    "--share", type=click.FloatRange(0, 1), show_default=str(_DEFAULTS.share),
    help="chunks: how many are kept; mixing: how much of what comes out is the text's.",
)  # fmt: skip
@click.option("--shuffled", is_flag=True, default=None, help="chunks: in another order.")
@click.option(
    "--span", type=click.IntRange(1), show_default=str(_DEFAULTS.span),
    help="mixing: tokens of a piece; in plain text it goes on to the end of a sentence.",
)  # fmt: skip
@click.option("--cover", type=_FILE, help="mixing: unmarked texts that it is mixed with.")
@click.option(
    "--clean", type=_FILE,
    help="rewriting, targeted: unmarked texts that the model is counted from; edits: foreign "
    "tokens are drawn from here, not from TEXTS.",
)  # fmt: skip
@click.option(
    "--marked", type=_FILE, show_default="TEXTS",
    help="targeted: texts that the key's preferences are guessed from.",
)  # fmt: skip
@click.option(
    "--width", type=click.IntRange(1), show_default=str(_DEFAULTS.width),
    help="targeted: tokens of a context.",
)  # fmt: skip
@click.option(
    "--strength", type=click.FloatRange(0), show_default=str(_DEFAULTS.strength),
    help="targeted: how many times a guess is taken off the logits.",
)  # fmt: skip
@click.option(
    "--thesaurus", type=_FILE, show_default=str(_DEFAULTS.thesaurus),
    help="synonyms: a file in the form of MyThes.",
)  # fmt: skip
@click.option(
    "--url",
    help="paraphrase: the model's address with its version, such as http://127.0.0.1:8000/v1. Its "
    f"key, if any, is read from {KEY_VARIABLE}.",
)
@click.option("--model", help="paraphrase: the model's name there.")
@click.option(
    "--temperature", type=click.FloatRange(0), show_default=str(_DEFAULTS.temperature),
    help="paraphrase: how freely it writes.",
)  # fmt: skip
def attack(name: str, texts: Path, out: Path, seed: int, **said: Any) -> None:
    """Do to TEXTS what an attacker would do to take their mark off, to measure what is left.

    TEXTS has one text a line: token ids as for `mark detect`, or plain text (a JSON string, or an
    object with `text`). The changed texts are written in the same form; give them to `mark detect`.
    In plain text a token is a word. Paraphrase and synonyms take plain text only.

    \b
    Examples:
      stillwatch mark attack --list
      stillwatch mark attack edits texts.jsonl --rate 0.1 --out edited.jsonl
      stillwatch mark attack mixing texts.jsonl --cover plain.jsonl --share 0.1 --out mixed.jsonl
      stillwatch mark attack targeted texts.jsonl --clean plain.jsonl --out targeted.jsonl
      stillwatch mark attack paraphrase prose.jsonl --url http://127.0.0.1:8000/v1 --model small \\
        --out other.jsonl
    """
    entry = CATALOGUE[name]
    given = {option: value for option, value in said.items() if value not in (None, ())}
    if foreign := [option for option in given if option not in entry.options]:
        raise click.UsageError(f"{name} takes no {', '.join(map(_flag, foreign))}")
    if missing := [option for option in entry.required if option not in given]:
        raise click.UsageError(f"{name} needs {', '.join(map(_flag, missing))}")
    asked = Asked(**given, api_key=os.environ.get(KEY_VARIABLE))
    read = read_texts(texts)
    with ExitStack() as stack:
        try:
            made = attack_named(name, asked, read, stack)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        changed = attacked(read.texts, made, seed=seed)
    write_texts(out, read, changed)
    before, after = (sum(map(_length, some)) for some in (read.texts, changed))
    unit = "characters" if read.field == "text" else "tokens"
    click.echo(
        f"{out}: {len(changed):,} texts, {before:,} {unit} before, {after:,} after", err=True
    )


def _flag(option: str) -> str:
    return {"kinds": "--kind"}.get(option, f"--{option}")


def _length(text: Any) -> int:
    return len(text)
