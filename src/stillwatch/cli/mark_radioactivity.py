"""`stillwatch mark radioactivity register|test`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar, get_args

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
    clusters_named,
    mark_of,
    ring_of,
)  # fmt: skip
from stillwatch.cli.mark_served import read_sketch
from stillwatch.cli.stored import print_rows
from stillwatch.errors import ExitStatus, InputError, KeyFileError, OutputError
from stillwatch.key_files import MINIMUM_BYTES, create_key_file, read_key_file
from stillwatch.provenance import Plan, Registration, TextSet
from stillwatch.provenance.radioactivity import Outcome, closed_test, open_test
from stillwatch.provenance.radioactivity.recorded import (
    RecordedSuspect,
    read_texts,
)
from stillwatch.provenance.registration import Weighting
from stillwatch.watermark import KeyRing, Mark, ServedSketch
from stillwatch.watermark.answer_files import read_answers

__all__ = ["radioactivity"]

_HEADS = ("texts", "cluster", "windows", "log10 p", "corrected", "rank", "")
_FOLDER = click.Path(path_type=Path, file_okay=False)

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def radioactivity() -> None:
    """Whether a model was trained on text that carries a key.

    First `register` the plan, and publish its digest; then query the suspect, record what it says,
    and `test` the record. What a key that is found shows, and what not: docs/radioactivity.md.
    """


def _about_marks_and_texts(decorated: Command) -> Command:
    """The options that both steps take: of what they are about."""
    for option in reversed((
        KEY_FILE, EPOCH, TENANT, CLUSTER, CLUSTERS, GLOBAL_TOO, SCHEME, CONTEXT, PRF,
        click.option(
            "--texts", type=FILE, multiple=True,
            help="Texts (or prompts) in which no key took part; may be repeated.",
        ),
        click.option(
            "--served-texts", type=FILE, multiple=True,
            help="Texts that may carry any of the keys; may be repeated.",
        ),
        click.option(
            "--served", "sketches", type=_FOLDER,
            help="A folder of sketches of what each cluster was served (`mark served`).",
        ),
        click.option("--salt", type=FILE, required=True, help="The file of the salt."),
    )):  # fmt: skip
        decorated = option(decorated)
    return decorated


@radioactivity.command()
@click.argument("file", type=FILE)
@_about_marks_and_texts
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
    sketches: Path | None,
    **about: Any,
) -> None:
    """Write the plan of a test to FILE and print its digest, before the suspect is asked anything.

    Nothing in FILE shows a key or a cluster. The salt is made where there is none: keep it with the
    keys. With --served the statistic is that of what was served.

    \b
    Example:
      stillwatch mark radioactivity register plan.json --salt plan.salt --statistic open \\
        --reference base-7b --vocabulary 128256 --texts fresh.jsonl \\
        --key-file mark.key --epoch 2026-11 --cluster c-812 --global
    """
    ring, marks = _marks(**{k: about[k] for k in about if k not in ("texts", "served_texts")})
    texts = _texts(about["texts"], about["served_texts"], marks)
    filters = _sketches(sketches, ring, marks)
    try:
        plan = Plan(
            statistic="open" if statistic == "open" else "closed-served" if filters else "closed",
            alpha=alpha, reference=reference, decoys=decoys, seed=seed, weighting=weighting,
            kept=kept, cap=cap, answers=answers, vocabulary=vocabulary,
            served=tuple(sketch.digest() for sketch in filters),
        )  # fmt: skip
        registration = Registration.of(plan, marks, texts, salt=_salt(salt))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    registration.write(file)
    click.echo(registration.digest())


@radioactivity.command()
@click.option("--registration", "plan_file", type=FILE, required=True, help="The plan.")
@_about_marks_and_texts
@click.option("--evidence", type=_FOLDER, help="Recorded probabilities: a folder of .npz shards.")
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
    ring, marks = _marks(**{k: about[k] for k in about if k not in ("texts", "served_texts")})
    texts = _texts(about["texts"], about["served_texts"], marks)
    filters = _sketches(sketches, ring, marks)
    if not salt.exists():
        raise KeyFileError("there is no such file", path=salt)
    secret = _salt(salt)
    try:
        if transcripts is not None:
            outcomes = closed_test(
                list(read_answers(transcripts)), registration, marks, texts, salt=secret,
                served=filters, round_trip=round_trip,
            )  # fmt: skip
        else:
            if plan.vocabulary is None:
                raise InputError("names no vocabulary", path=plan_file)
            folder = evidence if evidence is not None else Path()
            outcomes = open_test(
                RecordedSuspect(folder, "suspect", plan.vocabulary), registration, marks, texts,
                salt=secret,
                reference=None if plan.reference is None
                else RecordedSuspect(folder, "reference", plan.vocabulary),
            )  # fmt: skip
    except ValueError as error:
        raise InputError(f"is not the plan of this test: {error}", path=plan_file) from error
    if as_json:
        for each in outcomes:
            click.echo(msgspec.json.encode(_said(each)))
    else:
        print_rows(_HEADS, map(_line, outcomes))
    found = any(each.found for each in outcomes)
    return ExitStatus.CAMPAIGNS_FOUND if found else ExitStatus.NOTHING_FOUND


def _marks(
    key_file: Path | None,
    epoch: str,
    tenant: str,
    clusters: tuple[str, ...],
    cluster_file: TextIO | None,
    everybody: bool,
    scheme: str,
    context: int,
    prf: str,
) -> tuple[KeyRing, list[Mark]]:
    named = clusters_named(clusters, cluster_file, everybody=everybody)
    ring = ring_of(key_file, epoch, tenant)
    return ring, [mark_of(ring, name, scheme, context, prf) for name in named]


def _texts(fresh: tuple[Path, ...], served: tuple[Path, ...], marks: list[Mark]) -> list[TextSet]:
    if not fresh and not served:
        raise click.UsageError("name what the suspect is shown: --texts or --served-texts")
    carried = [mark.key.cluster for mark in marks]
    return [*map(read_texts, fresh), *(read_texts(path, served_to=carried) for path in served)]


def _sketches(folder: Path | None, ring: KeyRing, marks: list[Mark]) -> list[ServedSketch]:
    if folder is None:
        return []
    return [read_sketch(folder, ring, mark.key.cluster) for mark in marks]


def _salt(path: Path) -> bytes:
    """The salt at `path`, made where there is none."""
    try:
        if not path.exists():
            create_key_file(path, secrets.token_bytes(MINIMUM_BYTES))
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror}", path=path) from error
    return read_key_file(path, "the salt")


def _said(outcome: Outcome) -> dict[str, Any]:
    mark = outcome.mark
    return {
        "texts": outcome.texts,
        "cluster": mark.key.cluster,
        "epoch": mark.key.epoch,
        "scheme": mark.scheme,
        "context": mark.context,
        "statistic": outcome.statistic,
        "windows": outcome.windows,
        "pairs": outcome.pairs,
        "log10_p": outcome.log10_p,
        "log10_p_approximate": outcome.log10_p_approximate,
        "corrected_log10_p": outcome.corrected_log10_p,
        "decoy_rank": outcome.decoy_rank,
        "decoys": outcome.decoys,
        "found": outcome.found,
        "abstained": outcome.abstained,
        "registration": outcome.registration,
    }


def _line(outcome: Outcome) -> tuple[str, ...]:
    shown = (outcome.log10_p, outcome.corrected_log10_p)
    p = ("-" if x is None else f"{x:.2f}" for x in shown)
    rank = "-" if outcome.decoy_rank is None else f"{outcome.decoy_rank:,}/{outcome.decoys + 1:,}"
    word = outcome.abstained or ("found" if outcome.found else "")
    return outcome.texts, outcome.mark.key.cluster, f"{outcome.windows:,}", *p, rank, word
