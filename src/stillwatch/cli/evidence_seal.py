"""`stillwatch evidence seal`: parts of several kinds, named one after the other, in one bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stillwatch.cli.keyed_inputs import (
    FILE,
    FOLDER,
    about_keys,
    answers_of,
    keyed,
    models,
    read_salt,
)
from stillwatch.cli.mark_served import sketch_path
from stillwatch.cli.radioactivity_inputs import about_marks_and_texts, marks_of, texts_of
from stillwatch.ledger import SigningKey
from stillwatch.ledger.database import KEY_FILE
from stillwatch.provenance import Registration
from stillwatch.provenance.bundle import (
    Draft,
    capability_part,
    keyed_part,
    neutrality_part,
    radioactivity_part,
    refusals_part,
    triage_part,
)
from stillwatch.provenance.bundle import seal as sealed
from stillwatch.provenance.committing import Commitment, find_commitment, record_seal
from stillwatch.provenance.measurements import Measurement
from stillwatch.provenance.refusals import read_labels
from stillwatch.watermark.served import SCHEME as SKETCH

__all__ = ["seal"]

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(chain=True)
@click.option("--out", "folder", type=FOLDER, metavar="FOLDER", help="The bundle, a new folder.")
@click.option("--state", type=FOLDER, metavar="DIR", help="The ledger on which the plans stand.")
@click.option(
    "--signing-key", type=FILE, metavar="FILE",
    help="32 random bytes that sign the statement; else the ledger's, DIR/ledger.key.",
)  # fmt: skip
@click.option(
    "--open-keys", is_flag=True,
    help="Put salts and keys into the bundle, so that anybody can compute the results again.",
)  # fmt: skip
@click.option("--by", default="stillwatch evidence seal", help="Who says so, on the ledger.")
def seal(**about: Any) -> None:
    """Compute the results of one part or more, and write all that belongs to them to a bundle.

    Keyed tests and radioactivity are evidence. Refusals, neutrality, capability and triage are
    not: they may stand beside it, and are labelled as what they are on every page.

    A bundle holds answers, prompts and names of clusters as they are; of refusals and
    capability labels and digests alone. Who has opened keys can write text that carries them: end
    their use before.

    \b
    Example:
      stillwatch evidence seal --out bundle --state state --open-keys \\
        keyed --registration plan.json --probes probes.jsonl --salt plan.salt \\
          --key-file mark.key --epoch 2026-11 --cluster c-812 \\
          --suspect suspect.jsonl --control other-a.jsonl --control other-b.jsonl \\
        refusals --teacher teacher.jsonl --suspect suspect-refusals.jsonl
    """


@seal.result_callback()
def _seal(
    drafts: list[Draft], folder: Path | None, state: Path | None, signing_key: Path | None, by: str,
    **_: object,
) -> None:  # fmt: skip
    if folder is None:
        raise click.UsageError("name the bundle that is to be written: --out")
    if state is None and signing_key is None:
        raise click.UsageError("name the ledger (--state), or the key to sign with (--signing-key)")
    key = SigningKey.from_file(signing_key or Path(state or "") / KEY_FILE)
    done = sealed(folder, drafts, signing_key=key)
    if state is not None:
        plans = [each.registration for each in done.parts if each.registration is not None]
        record_seal(done.digest, plans, state, by=by)
    click.echo(done.digest)
    click.echo(f"{folder}: sealed, {done.found} found; signed with {key.public}", err=True)


def _registered(file: Path, context: click.Context) -> tuple[Registration, dict[str, Any]]:
    """A plan, and what a part of a registered kind takes of the options before it."""
    given = context.parent.params if context.parent is not None else {}
    registration, state = Registration.read(file), given.get("state")
    commitment: Commitment | None = None if state is None else find_commitment(registration, state)
    return registration, {"commitment": commitment, "open_keys": bool(given.get("open_keys"))}


@seal.command("keyed")
@click.option("--registration", "plan_file", type=FILE, required=True, help="The plan.")
@about_keys
@models
@click.pass_context
def _keyed(
    context: click.Context,
    /,
    plan_file: Path,
    salt: Path,
    suspects: tuple[Path, ...],
    controls: tuple[Path, ...],
    other_code: bool,
    **about: Any,
) -> Draft:
    """A keyed test (docs/keyed-tests.md): plan, probes, all answers.

    \b
    Example:
      stillwatch evidence seal --out bundle --state state \\
        keyed --registration plan.json --probes probes.jsonl --salt plan.salt \\
          --key-file mark.key --epoch 2026-11 --cluster c-812 --suspect suspect.jsonl
    """
    about_these = keyed(**about)
    answers_of(suspects + controls)
    registration, more = _registered(plan_file, context)
    return keyed_part(
        registration, about_these.marks, about_these.probes, salt=read_salt(salt),
        suspects=suspects, controls=controls, other_code=other_code, **more,
    )  # fmt: skip


@seal.command("radioactivity")
@click.option("--registration", "plan_file", type=FILE, required=True, help="The plan.")
@about_marks_and_texts
@click.option(
    "--suspect", type=click.Path(path_type=Path), required=True,
    help="What the suspect gave: a folder of .npz shards (open), or JSON lines (closed).",
)  # fmt: skip
@click.option(
    "--control", "controls", type=click.Path(path_type=Path), multiple=True,
    help="The same of a model that did not learn from yours; may be repeated.",
)  # fmt: skip
@click.option(
    "--round-trip", type=click.FloatRange(0, 1),
    help="The share of answers that are the same text when tokenized again.",
)  # fmt: skip
@click.option("--other-code", is_flag=True, help="Go on though the plan names another release.")
@click.pass_context
def _radioactivity(
    context: click.Context,
    /,
    plan_file: Path,
    salt: Path,
    texts: tuple[Path, ...],
    served_texts: tuple[Path, ...],
    sketches: Path | None,
    suspect: Path,
    controls: tuple[Path, ...],
    round_trip: float | None,
    other_code: bool,
    **about: Any,
) -> Draft:
    """A test of radioactivity (docs/radioactivity.md): plan, texts, what the suspect gave.

    Of an open suspect's probabilities, what was gathered before any key was looked at; of the
    recorded shards, a digest.

    \b
    Example:
      stillwatch evidence seal --out bundle --state state \\
        radioactivity --registration plan.json --salt plan.salt --texts fresh.jsonl \\
          --key-file mark.key --epoch 2026-11 --cluster c-812 --suspect recorded
    """
    ring, marks = marks_of(**about)
    served = [
        (
            sketch_path(sketches, mark.key.cluster),
            ring.key(mark.key.cluster, SKETCH),
        )
        for mark in marks
        if sketches is not None
    ]
    registration, more = _registered(plan_file, context)
    return radioactivity_part(
        registration, marks, texts_of(texts, served_texts, marks), salt=read_salt(salt),
        suspect=suspect, controls=controls, served=served, round_trip=round_trip,
        other_code=other_code, **more,
    )  # fmt: skip


def _announced(file: Path | None, context: click.Context) -> dict[str, Any]:
    """The plan of a measurement, and where it stands on the ledger, if there is one."""
    if file is None:
        return {}
    state = context.parent.params.get("state") if context.parent is not None else None
    plan = Measurement.read(file)
    return {"plan": plan, "commitment": None if state is None else find_commitment(plan, state)}


def _compared(decorated: Command) -> Command:
    """The options that name models without a plan."""
    for option in reversed((
        click.option("--teacher", type=FILE, required=True, help="What the teacher answered."),
        click.option("--suspect", type=FILE, required=True, help="What the suspect answered."),
        click.option(
            "--control", "controls", type=FILE, multiple=True,
            help="What an unrelated model answered; may be repeated.",
        ),
        click.option(
            "--plan", "plan_file", type=FILE,
            help="What was fixed beforehand, as `provenance announce` wrote it.",
        ),
    )):  # fmt: skip
        decorated = option(decorated)
    return decorated


_BASE = click.option("--base", type=FILE, help="What the suspect's base answered, if it is known.")
_ALPHA = click.option("--alpha", type=click.FloatRange(0, 1), default=0.001, show_default=True)
_INSIDE = click.option(
    "--with-transcripts", is_flag=True,
    help="Put prompts and answers into the bundle, so that anybody can compute again.",
)  # fmt: skip


@seal.command("refusals")
@_compared
@_BASE
@click.option("--prompts", type=FILE, help="Prompts that are safe and that are not; else ours.")
@click.option("--labels", type=FILE, help="What people say of some of the answers.")
@_ALPHA
@click.pass_context
def _refusals(
    context: click.Context, /, plan_file: Path | None,
    teacher: Path, suspect: Path, controls: tuple[Path, ...], base: Path | None,
    prompts: Path | None, labels: Path | None, alpha: float,
) -> Draft:  # fmt: skip
    """Safety removed? (docs/safety-removal.md): labels and digests; never a prompt or an answer.

    \b
    Example:
      stillwatch evidence seal --out bundle --signing-key sign.key \\
        refusals --teacher t.jsonl --suspect s.jsonl --base b.jsonl
    """
    return refusals_part(
        teacher, suspect, base, controls=controls, prompts=prompts,
        labels=None if labels is None else read_labels(labels), alpha=alpha,
        **_announced(plan_file, context),
    )  # fmt: skip


@seal.command("neutrality")
@_compared
@_BASE
@click.option("--pairs", type=FILE, help="Mirrored pairs of prompts; else ours.")
@_ALPHA
@_INSIDE
@click.pass_context
def _neutrality(
    context: click.Context, /, plan_file: Path | None,
    teacher: Path, suspect: Path, controls: tuple[Path, ...], base: Path | None,
    pairs: Path | None, alpha: float, with_transcripts: bool,
) -> Draft:  # fmt: skip
    """Neutrality removed? (docs/safety-removal.md): the differences of each pair.

    \b
    Example:
      stillwatch evidence seal --out bundle --signing-key sign.key \\
        neutrality --teacher t.jsonl --suspect s.jsonl --with-transcripts
    """
    return neutrality_part(
        teacher, suspect, base, controls=controls, pairs=pairs, alpha=alpha,
        with_transcripts=with_transcripts, **_announced(plan_file, context),
    )  # fmt: skip


@seal.command("capability")
@_compared
@click.option("--base", type=FILE, required=True, help="What the suspect's base answered.")
@click.option("--tasks", type=FILE, required=True, help="The tasks, with their right answers.")
@_ALPHA
@click.pass_context
def _capability(
    context: click.Context, /, plan_file: Path | None,
    teacher: Path, suspect: Path, controls: tuple[Path, ...], base: Path, tasks: Path, alpha: float,
) -> Draft:  # fmt: skip
    """Capability replicated? (docs/capability.md): grades and digests; never a task or an answer.

    \b
    Example:
      stillwatch evidence seal --out bundle --signing-key sign.key \\
        capability --tasks tasks.jsonl --teacher t.jsonl --base b.jsonl --suspect s.jsonl
    """
    return capability_part(
        teacher, suspect, base, tasks=tasks, controls=controls, alpha=alpha,
        **_announced(plan_file, context),
    )  # fmt: skip


@seal.command("triage")
@_compared
@click.option(
    "--prompts", type=FILE, required=True,
    help="What all were asked; with `expected`, errors are compared, too.",
)  # fmt: skip
@_INSIDE
@click.pass_context
def _triage(
    context: click.Context, /, plan_file: Path | None,
    teacher: Path, suspect: Path, controls: tuple[Path, ...], prompts: Path,
    with_transcripts: bool,
) -> Draft:  # fmt: skip
    """TRIAGE, not evidence (docs/triage.md): ranks among five controls or more.

    \b
    Example:
      stillwatch evidence seal --out bundle --signing-key sign.key \\
        triage --teacher t.jsonl --suspect s.jsonl --prompts problems.jsonl \\
          --control a.jsonl --control b.jsonl --control c.jsonl --control d.jsonl --control e.jsonl
    """
    return triage_part(
        teacher,
        suspect,
        controls,
        prompts=prompts,
        with_transcripts=with_transcripts,
        **_announced(plan_file, context),
    )
