"""`stillwatch evidence seal|verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from stillwatch.ledger import SigningKey, read_public_key
from stillwatch.ledger.database import KEY_FILE
from stillwatch.ledger.timestamps import read_roots
from stillwatch.provenance import Registration
from stillwatch.provenance.bundle import Verified
from stillwatch.provenance.bundle import seal as sealed
from stillwatch.provenance.bundle import verify as verified
from stillwatch.provenance.committing import find_commitment, record_seal

__all__ = ["command"]


@click.group()
def command() -> None:
    """Evidence about a suspect, sealed so that others can check it without trusting you.

    What a bundle shows, and what not, stands on the first page of its report and in
    docs/evidence.md.
    """


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--registration", "plan_file", type=FILE, required=True, help="The plan.")
@about_keys
@models
@click.option("--state", type=FOLDER, metavar="DIR", help="The ledger on which the plan stands.")
@click.option(
    "--signing-key", type=FILE, metavar="FILE",
    help="32 random bytes that sign the statement; else the ledger's, DIR/ledger.key.",
)  # fmt: skip
@click.option(
    "--open-keys",
    is_flag=True,
    help="Put salt and keys into the bundle, so that anybody can compute the results again.",
)
@click.option("--by", default="stillwatch evidence seal", help="Who says so, on the ledger.")
def seal(
    folder: Path,
    plan_file: Path,
    salt: Path,
    suspects: tuple[Path, ...],
    controls: tuple[Path, ...],
    other_code: bool,
    state: Path | None,
    signing_key: Path | None,
    open_keys: bool,
    by: str,
    **about: Any,
) -> None:
    """Test recorded answers by a plan, and write all that belongs to it to FOLDER, signed.

    The bundle holds the answers, prompts and names of clusters as they are. Who has opened keys can
    write text that carries them: end their use before you open them.

    \b
    Example:
      stillwatch evidence seal bundle --registration plan.json --probes probes.jsonl \\
        --salt plan.salt --key-file mark.key --epoch 2026-11 --cluster c-812 --state state \\
        --suspect suspect.jsonl --control other-a.jsonl --control other-b.jsonl --open-keys
    """
    if state is None and signing_key is None:
        raise click.UsageError("name the ledger (--state), or the key to sign with (--signing-key)")
    registration, about_these = Registration.read(plan_file), keyed(**about)
    answers_of(suspects + controls)
    key = SigningKey.from_file(signing_key or Path(state or "") / KEY_FILE)
    done = sealed(
        folder, registration, about_these.marks, about_these.probes, salt=read_salt(salt),
        suspects=suspects, controls=controls, signing_key=key,
        commitment=None if state is None else find_commitment(registration, state),
        open_keys=open_keys, other_code=other_code,
    )  # fmt: skip
    if state is not None:
        record_seal(done.digest, registration, state, by=by)
    click.echo(done.digest)
    found = sum(each.found for each in done.outcomes if each.role == "suspect")
    click.echo(f"{folder}: sealed, {found} found; signed with {key.public}", err=True)


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--key", type=FILE, metavar="PUB", help="The public key of who sealed it, PEM.")
@click.option("--ledger-key", type=FILE, metavar="PUB", help="The public key of the ledger, PEM.")
@click.option(
    "--authority", type=FILE, metavar="ROOTS",
    help="Certificates of the authority that time-stamped the plan, PEM.",
)  # fmt: skip
def verify(folder: Path, key: Path | None, ledger_key: Path | None, authority: Path | None) -> None:
    """Find out whether the bundle in FOLDER is as it was sealed, and whether its results hold.

    Nothing but FOLDER is read. Where keys were opened, the results are computed again.

    \b
    Exit status: 0 sound, 4 tampered with (and how), 2 unreadable.

    \b
    Example:
      stillwatch evidence verify bundle --key signer.pub --ledger-key ledger.pub
    """
    found = verified(
        folder,
        None if key is None else read_public_key(key),
        ledger_key=None if ledger_key is None else read_public_key(ledger_key),
        roots=None if authority is None else read_roots(authority),
    )
    for line in _lines(found, given=key is not None, ledger_given=ledger_key is not None):
        click.echo(line)


def _lines(found: Verified, *, given: bool, ledger_given: bool) -> list[str]:
    said = [
        f"sound: the plan {found.registration[:16]}…, its records and its results are as sealed"
    ]
    if found.outcomes is None:
        said.append("the keys are not opened: the results were not computed again")
    else:
        number = sum(each.found for each in found.outcomes if each.role == "suspect")
        said.append(f"computed again: {len(found.outcomes)} results, {number} found")
    if found.head is None:
        said.append("the plan stands on no ledger: nothing but the signer's word dates it")
    else:
        said.append(f"the plan is under the ledger's head signed at {found.head.at}")
        if found.stamped is not None:
            said.append(f"which was time-stamped at {found.stamped:%Y-%m-%dT%H:%M:%SZ}")
        elif found.head.timestamp is not None:
            said.append("which carries a time stamp; name its --authority to check it")
        if not ledger_given:
            said.append(f"signed with the key {found.head.key}; is it the ledger's? (--ledger-key)")
    if not given:
        said.append(f"sealed with the key {found.signer}; is it the one you were given? (--key)")
    if not found.same_code:
        said.append("sealed with another release of this program than the one that checks")
    return said
