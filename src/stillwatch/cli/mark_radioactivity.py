"""`stillwatch mark radioactivity register|test`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from stillwatch.cli.keyed_inputs import FILE, FOLDER, make_salt, read_salt
from stillwatch.cli.radioactivity_inputs import (
    about_marks_and_texts,
    marks_of,
    sketches_of,
    texts_of,
)
from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus, InputError
from stillwatch.provenance import Plan, Registration
from stillwatch.provenance.committing import commit_plan
from stillwatch.provenance.radioactivity import Outcome, closed_test, open_test
from stillwatch.provenance.radioactivity.recorded import RecordedSuspect
from stillwatch.provenance.registration import Weighting
from stillwatch.watermark.answer_files import read_answers

__all__ = ["radioactivity"]

_HEADS = ("texts", "cluster", "windows", "log10 p", "corrected", "rank", "")


@click.group()
def radioactivity() -> None:
    """Whether a model was trained on text that carries a key.

    First `register` the plan, and publish its digest; then query the suspect, record what it says,
    and `test` the record. What a key that is found shows, and what not: docs/radioactivity.md.
    """


@radioactivity.command()
@click.argument("file", type=FILE)
@about_marks_and_texts
@click.option(
    "--statistic", type=click.Choice(["open", "closed"]), required=True,
    help="Whether probabilities will be recorded, or text alone.",
)  # fmt: skip
@click.option("--reference", help="The name and digest of the model that is subtracted (open).")
@click.option("--vocabulary", type=click.IntRange(1), required=True, help="Tokens of the teacher.")
@click.option("--alpha", type=float, default=0.001, show_default=True, help="What counts as found.")
@click.option("--decoys", type=int, default=1_000, show_default=True, help="Random keys beside.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random keys.")
@click.option(
    "--weighting", type=click.Choice(get_args(Weighting)), default="difference", show_default=True,
    help="How differences to the reference count (open).",
)  # fmt: skip
@click.option("--kept", type=int, default=64, show_default=True, help="Tokens a context (open).")
@click.option("--cap", type=float, default=0.1, show_default=True, help="Largest weight (open).")
@click.option("--answers", type=int, default=1, show_default=True, help="A prompt (closed).")
@click.option("--state", type=FOLDER, metavar="DIR", help="Put it on the ledger in this folder.")
@click.option("--by", default="stillwatch mark radioactivity register",
              help="Who says so, on the ledger.")  # fmt: skip
@click.option("--timestamp", metavar="ADDRESS", help="Have the head time-stamped (RFC 3161).")
def register(
    file: Path,
    statistic: str,
    reference: str | None,
    vocabulary: int,
    alpha: float,
    decoys: int,
    seed: int,
    weighting: Weighting,
    kept: int,
    cap: float,
    answers: int,
    salt: Path,
    texts: tuple[Path, ...],
    served_texts: tuple[Path, ...],
    sketches: Path | None,
    state: Path | None,
    by: str,
    timestamp: str | None,
    **about: Any,
) -> None:
    """Write the plan of a test to FILE and print its digest, before the suspect is asked anything.

    Nothing in FILE shows a key or a cluster. The salt is made where there is none: keep it with the
    keys. With --served the statistic is that of what was served. With --state the digest goes on
    the ledger, and a head is signed over it: give that away.

    \b
    Example:
      stillwatch mark radioactivity register plan.json --salt plan.salt --statistic open \\
        --reference base-7b --vocabulary 128256 --texts fresh.jsonl \\
        --key-file mark.key --epoch 2026-11 --cluster c-812 --global
    """
    if timestamp is not None and state is None:
        raise click.UsageError("--timestamp is of a head of the ledger: name its --state")
    ring, marks = marks_of(**about)
    sets = texts_of(texts, served_texts, marks)
    filters = sketches_of(sketches, ring, marks)
    try:
        plan = Plan(
            statistic="open" if statistic == "open" else "closed-served" if filters else "closed",
            alpha=alpha, reference=reference, decoys=decoys, seed=seed, weighting=weighting,
            kept=kept, cap=cap, answers=answers, vocabulary=vocabulary,
            served=tuple(sketch.digest() for sketch in filters),
        )  # fmt: skip
        registration = Registration.of(plan, marks, sets, salt=make_salt(salt))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    registration.write(file)
    click.echo(registration.digest())
    if state is not None:
        commit_plan(registration, state, by=by, authority=timestamp)


@radioactivity.command()
@click.option("--registration", "plan_file", type=FILE, required=True, help="The plan.")
@about_marks_and_texts
@click.option("--evidence", type=FOLDER, help="Recorded probabilities: a folder of .npz shards.")
@click.option("--transcripts", type=FILE, help="Recorded answers: JSON lines.")
@click.option(
    "--round-trip", type=click.FloatRange(0, 1),
    help="The share of answers that are the same text when tokenized again.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a mark and set of texts.")
def test(
    plan_file: Path,
    evidence: Path | None,
    transcripts: Path | None,
    round_trip: float | None,
    as_json: bool,
    salt: Path,
    texts: tuple[Path, ...],
    served_texts: tuple[Path, ...],
    sketches: Path | None,
    **about: Any,
) -> int:
    """Test what a suspect was recorded to say, by a plan that was registered before.

    Keys, texts and salt must be those of the plan. P-values are bounds, corrected (Holm) over all
    keys and texts; the rank is that among the decoys, 1 the highest.

    \b
    Exit status: 0 nothing found, 3 a key found, 2 unreadable input or another plan.

    \b
    Example:
      stillwatch mark radioactivity test --registration plan.json --salt plan.salt \\
        --evidence recorded --texts fresh.jsonl \\
        --key-file mark.key --epoch 2026-11 --cluster c-812 --global
    """
    if (evidence is None) == (transcripts is None):
        raise click.UsageError("give what was recorded: --evidence or --transcripts")
    registration = Registration.read(plan_file)
    plan = registration.plan
    ring, marks = marks_of(**about)
    sets = texts_of(texts, served_texts, marks)
    filters = sketches_of(sketches, ring, marks)
    secret = read_salt(salt)
    try:
        if transcripts is not None:
            outcomes = closed_test(
                list(read_answers(transcripts)), registration, marks, sets, salt=secret,
                served=filters, round_trip=round_trip,
            )  # fmt: skip
        else:
            if plan.vocabulary is None:
                raise InputError("names no vocabulary", path=plan_file)
            folder = evidence if evidence is not None else Path()
            outcomes = open_test(
                RecordedSuspect(folder, "suspect", plan.vocabulary), registration, marks, sets,
                salt=secret,
                reference=None if plan.reference is None
                else RecordedSuspect(folder, "reference", plan.vocabulary),
            )  # fmt: skip
    except ValueError as error:
        raise InputError(f"is not the plan of this test: {error}", path=plan_file) from error
    if as_json:
        for each in outcomes:
            click.echo(msgspec.json.encode(each.said()))
    else:
        print_rows(_HEADS, map(_line, outcomes))
    found = any(each.found for each in outcomes)
    return ExitStatus.CAMPAIGNS_FOUND if found else ExitStatus.NOTHING_FOUND


def _line(outcome: Outcome) -> tuple[str, ...]:
    shown = (outcome.log10_p, outcome.corrected_log10_p)
    p = ("-" if x is None else f"{x:.2f}" for x in shown)
    rank = "-" if outcome.decoy_rank is None else f"{outcome.decoy_rank:,}/{outcome.decoys + 1:,}"
    word = outcome.abstained or ("found" if outcome.found else "")
    return outcome.texts, outcome.mark.key.cluster, f"{outcome.windows:,}", *p, rank, word
