"""`stillwatch provenance record`: ask a model behind an address, and keep its answers."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.provenance import AddressSuspect, ask
from stillwatch.provenance.questions import BUILT_IN, read_questions

__all__ = ["record"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("address")
@click.argument("file", type=_FILE)
@click.option("--model", required=True, help="The model's name, as the server knows it.")
@click.option(
    "--prompts", type=_FILE, required=True,
    help=f"A file of prompts or mirrored pairs, or a set of ours: {', '.join(BUILT_IN)}.",
)  # fmt: skip
@click.option(
    "--key", envvar="STILLWATCH_SUSPECT_KEY", show_envvar=True,
    help="The bearer token. Rather in the variable: others can read a command line.",
)  # fmt: skip
@click.option("--system", help="A system message.")
@click.option("--temperature", type=float, default=0.0, show_default=True)
@click.option("--max-tokens", type=click.IntRange(1), default=512, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option("--timeout", type=float, default=120.0, show_default=True, help="Seconds an answer.")
def record(
    address: str,
    file: Path,
    model: str,
    prompts: Path,
    key: str | None,
    system: str | None,
    temperature: float,
    max_tokens: int,
    workers: int,
    timeout: float,
) -> None:
    """Ask the OpenAI-compatible server at ADDRESS, and record its answers in FILE.

    FILE is for its owner only and holds text, harmful answers included. An answer is on the disk
    before its line counts; run the same command again after a failure, and nothing is asked twice.

    \b
    Example:
      stillwatch provenance record https://host/v1 suspect.jsonl --model m-7b --prompts refusals
    """
    suspect = AddressSuspect(
        address, model, key, temperature=temperature, max_tokens=max_tokens, system=system,
        timeout=timeout,
    )  # fmt: skip
    said = ask(suspect, read_questions(prompts), file, model=model, workers=workers)
    click.echo(f"{file}: {len(said.answers):,} answers of {model}, SHA-256 {said.digest}", err=True)
