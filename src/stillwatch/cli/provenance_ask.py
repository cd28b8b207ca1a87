"""`stillwatch provenance ask`: ask a model behind an address, and keep its answers."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.cli.progress import open_progress
from stillwatch.provenance import AddressSuspect, Probes, Registration
from stillwatch.provenance import ask as record
from stillwatch.provenance.questions import BUILT_IN, read_questions

__all__ = ["ask"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--address", required=True, help="Up to and with the version: https://host/v1.")
@click.option("--model", required=True, help="The model's name, as the server knows it.")
@click.option(
    "--prompts", type=_FILE, required=True,
    help=f"Probes, other prompts or mirrored pairs, or a set of ours: {', '.join(BUILT_IN)}.",
)  # fmt: skip
@click.option(
    "--registration", "plan_file", type=_FILE,
    help="The plan of a keyed test: ask nothing, unless these are its probes.",
)  # fmt: skip
@click.option(
    "--key", envvar="STILLWATCH_SUSPECT_KEY", show_envvar=True,
    help="The bearer token. Rather in the variable: others can read a command line.",
)  # fmt: skip
@click.option("--system", help="A system message.")
@click.option(
    "--temperature", type=click.FloatRange(0),
    help="Else 0; 1 where the plan counts shares, which a model that never varies does not show.",
)  # fmt: skip
@click.option("--max-tokens", type=click.IntRange(1), default=512, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=4, show_default=True,
    help="Prompts that are asked at one time.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), default=120.0, show_default=True,
    help="Seconds an answer.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="No progress.")
def ask(
    file: Path,
    address: str,
    model: str,
    prompts: Path,
    plan_file: Path | None,
    key: str | None,
    system: str | None,
    temperature: float | None,
    max_tokens: int,
    workers: int,
    timeout: float,
    quiet: bool,
) -> None:
    """Ask an OpenAI-compatible server, and record in FILE what it answers, and when.

    Keyed tests, safety, neutrality and triage all read such files. FILE is for its owner only and
    holds text, harmful answers included. An answer is on the disk before its line counts; run the
    same command again after a failure, and nothing is asked twice.

    \b
    Example:
      stillwatch provenance ask suspect.jsonl --prompts probes.jsonl --registration plan.json \\
        --address http://127.0.0.1:8000/v1 --model suspect-7b
    """
    shares = False
    if plan_file is not None:
        registration = Registration.read(plan_file)
        Probes.read(prompts).check(registration)
        shares = registration.plan.statistic == "keyed-shares"
    if temperature is None:
        temperature = 1.0 if shares else 0.0
    elif shares and temperature == 0:
        click.echo("the plan counts shares, and at temperature 0 there are hardly any", err=True)
    suspect = AddressSuspect(
        address, model, key, temperature=temperature, max_tokens=max_tokens, system=system,
        timeout=timeout,
    )  # fmt: skip
    questions = read_questions(prompts)
    with open_progress(quiet=quiet) as progress:
        progress.step(f"asking {model} {len(questions):,} prompts", len(questions))
        said = record(
            suspect, questions, file, model=model, workers=workers, asked=suspect.settings,
            advance=progress.advance,
        )  # fmt: skip
    click.echo(f"{file}: {len(said.answers):,} answers of {model}, SHA-256 {said.digest}", err=True)
