"""`stillwatch provenance announce`: what will be measured, written down before anybody is asked."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from stillwatch.cli.keyed_inputs import FILE, FOLDER
from stillwatch.provenance.committing import commit_plan
from stillwatch.provenance.measurements import Measured, Measurement

__all__ = ["announce"]


@click.command()
@click.argument("file", type=FILE)
@click.argument("kind", type=click.Choice(get_args(Measured)))
@click.option("--prompts", type=FILE, help="The prompts, pairs or problems; else ours.")
@click.option("--alpha", type=click.FloatRange(0, 1), default=0.001, show_default=True)
@click.option(
    "--control", "controls", multiple=True,
    help="The name of a model that will stand beside the suspect; may be repeated.",
)  # fmt: skip
@click.option("--base", default="", help="The name of the suspect's base, if it will be compared.")
@click.option("--labelled", is_flag=True, help="People's labels of answers will count (refusals).")
@click.option("--state", type=FOLDER, metavar="DIR", help="Put it on the ledger in this folder.")
@click.option("--by", default="stillwatch provenance announce", help="Who says so, on the ledger.")
@click.option("--timestamp", metavar="ADDRESS", help="Have the head time-stamped (RFC 3161).")
def announce(
    file: Path,
    kind: Measured,
    prompts: Path | None,
    alpha: float,
    controls: tuple[str, ...],
    base: str,
    labelled: bool,
    state: Path | None,
    by: str,
    timestamp: str | None,
) -> None:
    """Write to FILE what will be measured (KIND) and print its digest, before anybody is asked.

    Refusals, neutrality and triage have no key to commit to; what could be chosen after a look is
    prompts, error rate, controls, base and labels. FILE goes into a bundle with `evidence seal …
    --plan FILE`.

    \b
    Example:
      stillwatch provenance announce refusals.plan.json refusals --control other-a --state state
    """
    if timestamp is not None and state is None:
        raise click.UsageError("--timestamp is of a head of the ledger: name its --state")
    plan = Measurement.of(
        kind, prompts, alpha=alpha, controls=controls, base=base, labelled=labelled
    )
    plan.write(file)
    click.echo(plan.digest())
    if state is not None:
        commit_plan(plan, state, by=by, authority=timestamp)
