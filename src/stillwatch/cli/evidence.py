"""`stillwatch evidence seal|verify`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from stillwatch.cli.evidence_seal import seal
from stillwatch.cli.keyed_inputs import FILE, FOLDER
from stillwatch.errors import InputError, OutputError
from stillwatch.ledger import read_public_key
from stillwatch.ledger.timestamps import read_roots
from stillwatch.provenance import read_transcripts
from stillwatch.provenance.bundle import EVIDENCE, Outside, Verified, VerifiedPart, dated
from stillwatch.provenance.bundle import verify as verified
from stillwatch.provenance.bundle.files import write_file
from stillwatch.provenance.refusals import read_labels

__all__ = ["command"]


@click.group()
def command() -> None:
    """Evidence about a suspect, sealed so that others can check it without trusting you.

    What a bundle shows, and what not, stands on the first page of its report and in
    docs/evidence.md.
    """


command.add_command(seal)


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--key", type=FILE, metavar="PUB", help="The public key of who sealed it, PEM.")
@click.option("--ledger-key", type=FILE, metavar="PUB", help="The public key of the ledger, PEM.")
@click.option(
    "--authority", type=FILE, metavar="ROOTS",
    help="Certificates of the authority that time-stamped the plans, PEM.",
)  # fmt: skip
@click.option(
    "--record", "records", type=FILE, multiple=True,
    help="Answers that are not in the bundle, to compute from them again; may be repeated.",
)  # fmt: skip
@click.option(
    "--prompts", type=FILE, multiple=True, help="Prompts or pairs that are not in the bundle."
)
@click.option(
    "--shards", type=FOLDER, multiple=True,
    help="Recorded probabilities that are not in the bundle, a folder of .npz; may be repeated.",
)  # fmt: skip
@click.option("--labels", type=FILE, help="Labels that people gave, if refusals were sealed so.")
@click.option(
    "--report", "page", type=FILE, metavar="FILE",
    help="Write the report that this program makes of what is sealed to a new file.",
)  # fmt: skip
def verify(
    folder: Path,
    key: Path | None,
    ledger_key: Path | None,
    authority: Path | None,
    records: tuple[Path, ...],
    prompts: tuple[Path, ...],
    shards: tuple[Path, ...],
    labels: Path | None,
    page: Path | None,
) -> None:
    """Find out whether the bundle in FOLDER is as it was sealed, and whether its results hold.

    Nothing but FOLDER, and what you name, is read. Where keys were opened, or answers are there,
    the results are computed again; else what of them follows from what is there.

    \b
    Exit status: 0 sound, 4 tampered with (and how), 2 unreadable.

    \b
    Example:
      stillwatch evidence verify bundle --key signer.pub --ledger-key ledger.pub
    """
    read = {each.digest: each for each in map(read_transcripts, records)}
    found = verified(
        folder,
        None if key is None else read_public_key(key),
        ledger_key=None if ledger_key is None else read_public_key(ledger_key),
        roots=None if authority is None else read_roots(authority),
        outside=Outside(read, prompts, None if labels is None else read_labels(labels), shards),
    )
    click.echo("sound: plans, records and results are as sealed")
    for part in found.parts:
        for line in _about(part, found.code, ledger_given=ledger_key is not None):
            click.echo(f"{part.part.kind}: {line}")
    for line in _about_all(found, given=key is not None):
        click.echo(line)
    if page is not None:
        _write(found, page)


def _write(found: Verified, path: Path) -> None:
    if found.page is None:
        raise InputError("no report can be made of what another release sealed", path=path)
    try:
        write_file(path, found.page)
    except FileExistsError:
        raise OutputError("is there already", path=path) from None
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", path=path) from error


def _about(found: VerifiedPart, code: str, *, ledger_given: bool) -> Iterator[str]:
    part, evidence = found.part, found.part.label == EVIDENCE
    if not evidence:
        yield part.label
    number = f"{found.found} found" if evidence else "done"
    if found.source is not None:
        yield f"computed again from {found.source}: {number}"
    elif evidence:
        yield f"the keys are not opened: the results were not computed again; they say {number}"
    else:
        yield "not computed again: the answers are not at hand (--record, --prompts)"
    if part.registration is None:
        yield "there is no plan: prompts, error rate and controls may be chosen after a look"
        return
    if found.program not in (None, code):
        yield (
            f"the plan is for the program {str(found.program)[:16]}…, and the results were "
            f"computed by {code[:16]}…, which was not fixed beforehand"
        )
    if found.head is None:
        yield "the plan stands on no ledger: nothing but the signer's word dates it"
        return
    yield f"the plan {str(part.registration)[:16]}… is under the head signed at {found.head.at}"
    if found.stamped is not None:
        yield f"which was time-stamped at {found.stamped:%Y-%m-%dT%H:%M:%SZ}"
    elif found.head.timestamp is not None:
        yield "which carries a time stamp; name its --authority to check it"
    yield dated(found.entry_at, found.stamped, found.first_at)
    if not ledger_given:
        yield f"signed with the key {found.head.key}; is it the ledger's? (--ledger-key)"


def _about_all(found: Verified, *, given: bool) -> Iterator[str]:
    if not given:
        yield f"sealed with the key {found.signer}; is it the one you were given? (--key)"
    if not found.same_code:
        yield "sealed with another release of this program than the one that checks"
    if not found.same_page:
        yield (
            "report.html IS NOT CHECKED: this release makes another of what is sealed; do not go "
            "by it, and have the one of this release written: --report FILE"
        )
