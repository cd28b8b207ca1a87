"""`stillwatch provenance plan|test`: keyed tests of a suspect."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from stillwatch.cli.keyed_inputs import (
    FILE,
    FOLDER,
    about_keys,
    answers_of,
    keyed,
    make_salt,
    models,
    read_salt,
)
from stillwatch.cli.stored import JSON, print_rows
from stillwatch.errors import ExitStatus
from stillwatch.provenance import (
    Plan,
    Probes,
    Registration,
    code_digest,
    read_transcripts,
)
from stillwatch.provenance.bundle.words import upwards
from stillwatch.provenance.committing import commit_plan
from stillwatch.provenance.keyed import KeyedOutcome, keyed_test, reference_name
from stillwatch.provenance.registration import Statistic

__all__ = ["plan", "test"]

_STATISTICS: Final[dict[str, Statistic]] = {
    "majority": "keyed-majority", "rank": "keyed-rank", "shares": "keyed-shares",
}  # fmt: skip
_HEADS = ("model", "epoch", "cluster", "contexts", "hits", "log10 p", "corrected", "rank", "")


@click.command()
@click.argument("file", type=FILE)
@about_keys
@click.option(
    "--statistic", type=click.Choice(["majority", "rank", "shares"]), default="majority",
    show_default=True,
    help="What is taken first in a context; first or second; or how often, for a diluted student.",
)  # fmt: skip
@click.option(
    "--reference", type=FILE, metavar="TRANSCRIPTS",
    help="Judge habits by this control's answers, such as the suspect's base (shares).",
)  # fmt: skip
@click.option("--alpha", type=float, default=0.001, show_default=True, help="What counts as found.")
@click.option(
    "--suspects", type=click.IntRange(1), default=1, show_default=True,
    help="How many suspects may be tested by this plan.",
)  # fmt: skip
@click.option(
    "--any-time", is_flag=True, help="Test again and again while answers come in (e-values)."
)
@click.option(
    "--contexts", type=click.IntRange(1), default=16, show_default=True,
    help="Distinct contexts below which nothing is said.",
)  # fmt: skip
@click.option(
    "--sightings", type=click.IntRange(1), default=2, show_default=True,
    help="Sightings below which a context does not count.",
)  # fmt: skip
@click.option("--exclude", multiple=True, help="A kind of choice that does not count.")
@click.option("--decoys", type=click.IntRange(0), default=200, show_default=True,
              help="Random keys beside.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random keys.")
@click.option("--generator", help="What wrote the probes, with its version or digest.")
@click.option("--state", type=FOLDER, metavar="DIR", help="Put it on the ledger in this folder.")
@click.option("--by", default="stillwatch provenance plan", help="Who says so, on the ledger.")
@click.option("--timestamp", metavar="ADDRESS", help="Have the head time-stamped (RFC 3161).")
def plan(
    file: Path,
    salt: Path,
    statistic: str,
    reference: Path | None,
    alpha: float,
    suspects: int,
    any_time: bool,
    contexts: int,
    sightings: int,
    exclude: tuple[str, ...],
    decoys: int,
    seed: int,
    generator: str | None,
    state: Path | None,
    by: str,
    timestamp: str | None,
    **about: Any,
) -> None:
    """Write the plan of a test to FILE and print its digest, before anything is released or asked.

    FILE shows neither a key nor a cluster; probes and salt stay with you until the test. With
    --state the digest goes on the ledger, and a head is signed over it: give that away.

    \b
    Example:
      stillwatch provenance plan plan.json --probes probes.jsonl --salt plan.salt \\
        --key-file mark.key --epoch 2026-11 --cluster c-812 --suspects 3 --state state
    """
    if timestamp is not None and state is None:
        raise click.UsageError("--timestamp is of a head of the ledger: name its --state")
    about_these = keyed(**about)
    try:
        settled = Plan(
            statistic=_STATISTICS[statistic], reference=_named(reference, about_these.probes),
            alpha=alpha, suspects=suspects, looks="any" if any_time else "one", least=contexts,
            sightings=sightings, exclusions=exclude, decoys=decoys, seed=seed,
            generator=generator, code=code_digest(),
        )  # fmt: skip
        registration = Registration.of(
            settled, about_these.marks, [about_these.probes.text_set()], salt=make_salt(salt)
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    registration.write(file)
    click.echo(registration.digest())
    if state is not None:
        committed = commit_plan(registration, state, by=by, authority=timestamp)
        click.echo(
            f"entry {committed.proof.index} of the ledger {committed.head.ledger}, under the head "
            f"signed at {committed.head.at}",
            err=True,
        )


def _named(reference: Path | None, probes: Probes) -> str | None:
    if reference is None:
        return None
    said = read_transcripts(reference)
    return reference_name(said.model, said.answers, probes)


@click.command()
@click.option("--registration", "plan_file", type=FILE, required=True, help="The plan.")
@about_keys
@models
@JSON
def test(
    plan_file: Path,
    salt: Path,
    suspects: tuple[Path, ...],
    controls: tuple[Path, ...],
    other_code: bool,
    as_json: bool,
    **about: Any,
) -> int:
    """Test what suspects were recorded to answer, by a plan that was made before.

    Keys, probes and salt must be those of the plan. P-values are corrected (Holm) over keys,
    epochs, and as many suspects as the plan allows; the rank is that among random keys, 1 the
    highest. Where the plan has a reference, it is one of the controls.

    \b
    Exit status: 0 nothing found, 3 a key found, 2 unreadable input or another plan.

    \b
    Example:
      stillwatch provenance test --registration plan.json --probes probes.jsonl \\
        --salt plan.salt --key-file mark.key --epoch 2026-11 --cluster c-812 \\
        --suspect suspect.jsonl --control other-a.jsonl --control other-b.jsonl
    """
    registration, about_these = Registration.read(plan_file), keyed(**about)
    outcomes = keyed_test(
        {name: read_transcripts(path).answers for name, path in answers_of(suspects).items()},
        registration, about_these.marks, about_these.probes, about_these.reader,
        salt=read_salt(salt), other_code=other_code,
        controls={
            name: read_transcripts(path).answers for name, path in answers_of(controls).items()
        },
    )  # fmt: skip
    _print(outcomes, as_json)
    found = any(each.found for each in outcomes if each.role == "suspect")
    return ExitStatus.CAMPAIGNS_FOUND if found else ExitStatus.NOTHING_FOUND


def _print(outcomes: Iterable[KeyedOutcome], as_json: bool) -> None:
    if as_json:
        for each in outcomes:
            click.echo(msgspec.json.encode(each.said()))
    else:
        print_rows(_HEADS, map(_line, outcomes))


def _line(outcome: KeyedOutcome) -> tuple[str, ...]:
    key = outcome.mark.key
    shown = (outcome.log10_p, outcome.corrected_log10_p)
    p = ("-" if x is None else f"{upwards(x):.2f}" for x in shown)
    rank = "-" if outcome.decoy_rank is None else f"{outcome.decoy_rank:,}/{outcome.decoys + 1:,}"
    hits = "-" if outcome.hits is None else f"{outcome.hits:,}"
    word = outcome.abstained or ("found" if outcome.found else "")
    name = outcome.model if outcome.role == "suspect" else f"{outcome.model} (control)"
    return name, key.epoch, key.cluster, f"{outcome.contexts:,}", hits, *p, rank, word
