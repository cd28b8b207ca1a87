"""`stillwatch keys create|rotate|revoke|list|import`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from stillwatch.access.database import open_database
from stillwatch.access.facts import UNKNOWN, Caller
from stillwatch.access.keys import KeyStore
from stillwatch.access.registration import MOST_KYC_LEVEL, PURPOSES
from stillwatch.cli.clock import DURATION, spoken
from stillwatch.cli.stored import JSON, STATE, print_lines, print_rows
from stillwatch.errors import InputError

__all__ = ["command"]


@click.group()
def command() -> None:
    """Make, rotate, revoke and list the keys that the gateway lets in.

    A key names an account and what was agreed with it. Its secret is shown once, when it is made;
    only a hash of it is stored. Every gateway that uses the same store follows a change within a
    second.
    """


@command.command()
@STATE
@click.option("--account", required=True, help="The smallest billed identity, as logs name it.")
@click.option("--org", help="The contract that the account belongs to.")
@click.option("--tier", default="default", show_default=True, help="Which limits hold.")
@click.option("--level", default="default", show_default=True, help="Which outputs may be asked.")
@click.option(
    "--kyc-level",
    type=click.IntRange(0, MOST_KYC_LEVEL),
    default=0,
    show_default=True,
    help="How much of the customer's identity was verified; 0 nothing.",
)
@click.option(
    "--kyc-country",
    default=UNKNOWN,
    show_default=True,
    metavar="CC",
    help="The verified country, two capital letters (ISO 3166).",
)
@click.option(
    "--purpose",
    "purposes",
    multiple=True,
    type=click.Choice(list(PURPOSES)),
    help="A registered use. May be given several times.",
)
@click.option("--terms", metavar="VERSION", help="The terms that were accepted, as of now.")
@click.option(
    "--expires", type=DURATION, metavar="90d", help="The key ends after so long; never without."
)
def create(
    state: str,
    account: str,
    org: str | None,
    tier: str,
    level: str,
    kyc_level: int,
    kyc_country: str,
    purposes: tuple[str, ...],
    terms: str | None,
    expires: int | None,
) -> None:
    """Make a key. Its secret, alone on standard output, is not shown again.

    The store is made if there is none. A tier or level that your settings do not name is not
    noticed here; the gateway refuses it.

    \b
    Examples:
      stillwatch keys create --state /var/lib/stillwatch --account acme
      SECRET=$(stillwatch keys create --state state --account lab-7 --org uni \\
        --level full --kyc-level 2 --kyc-country CH --purpose evaluator \\
        --terms 2026-03 --expires 90d)
    """
    with _keys(state, create=True) as keys:
        secret, caller = keys.create(
            account=account,
            org=org,
            tier=tier,
            level=level,
            kyc_level=kyc_level,
            kyc_country=kyc_country,
            purposes=purposes,
            terms_version=terms,
            expires_at=_after(expires),
        )
    _show(secret, f"{caller.key_id}: a new key for {account}, {_ends(caller)}.")


@command.command()
@STATE
@click.argument("key_id")
@click.option(
    "--overlap",
    type=DURATION,
    default="24h",
    show_default=True,
    help="How long the old secret still works.",
)
@click.option(
    "--expires", type=DURATION, metavar="90d", help="The new secret ends after so long; else as "
    "the old one would have.",
)  # fmt: skip
def rotate(state: str, key_id: str, overlap: int, expires: int | None) -> None:
    """Give a key a new secret; the old one still works for a while.

    The key keeps its id, so actions on it stay.

    \b
    Examples:
      stillwatch keys rotate key-4fZk2mXq81LwTb0c --state state
      stillwatch keys rotate key-4fZk2mXq81LwTb0c --state state --overlap 0s
    """
    with _keys(state) as keys:
        secret, caller = keys.rotate(key_id, overlap, expires_at=_after(expires))
    old = spoken(int(time.time()) + overlap)
    _show(secret, f"{key_id}: a new secret, {_ends(caller)}; the old one ends by {old} UTC.")


@command.command()
@STATE
@click.argument("key_id")
def revoke(state: str, key_id: str) -> None:
    """End a key with all of its secrets, at once and for good.

    KEY_ID may be - to read a secret from standard input, such as one that has leaked: an argument
    would stand in the list of processes and in the shell's history.

    \b
    Examples:
      stillwatch keys revoke key-4fZk2mXq81LwTb0c --state state
      stillwatch keys revoke - --state state < leaked.txt
    """
    with _keys(state) as keys:
        if key_id == "-":
            found = keys.find(sys.stdin.readline().strip())
            if found is None:
                raise InputError("no key has this secret; give the secret alone, on one line")
            key_id = found.key_id
        caller = keys.revoke(key_id)
    click.echo(f"{key_id} of {caller.account}: revoked {spoken(caller.revoked_at)} UTC", err=True)


@command.command("list")
@STATE
@click.option("--account", help="Only the keys of this account.")
@JSON
def list_(state: str, account: str | None, as_json: bool) -> None:
    """Show all keys, also those that have ended. A key in rotation has a line for each secret.

    \b
    Examples:
      stillwatch keys list --state state
      stillwatch keys list --state state --account acme --json
    """
    now = time.time()
    with _keys(state) as keys:
        callers = keys.list(account)
        if as_json:
            print_lines(callers)
            return
        print_rows(
            ("KEY", "ACCOUNT", "ORG", "CLUSTER", "TIER", "LEVEL", "KYC", "PURPOSES", "TERMS",
             "CREATED", "EXPIRES", "STATE"),
            (_row(caller, now) for caller in callers),
        )  # fmt: skip


@command.command("import")
@STATE
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
def import_(state: str, path: Path) -> None:
    """Take keys that were made elsewhere, so that customers keep their secrets. All or none.

    FILE holds a JSON object a line: "sha256" (hexadecimal, of the whole secret), "account", and
    any field that `keys list --json` shows. Secrets must be random and have 128 bits or more: a
    fast hash protects no others. Nothing checks that here, for nobody sees them.

    \b
    Example:
      stillwatch keys import keys.jsonl --state state
    """
    with _keys(state, create=True) as keys:
        count = keys.import_file(path)
    click.echo(f"{count:,} keys taken from {path}", err=True)


@contextmanager
def _keys(state: str, *, create: bool = False) -> Iterator[KeyStore]:
    database = open_database(state, create=create)
    try:
        yield KeyStore(database)
    finally:
        database.close()


def _show(secret: str, words: str) -> None:
    click.echo(words + " Keep the secret; it is shown only now:", err=True)
    click.echo(secret)


def _after(seconds: int | None) -> int | None:
    return None if seconds is None else int(time.time()) + seconds


def _ends(caller: Caller) -> str:
    if caller.expires_at is None:
        return "which never expires"
    return f"which expires on {spoken(caller.expires_at)} UTC"


def _row(caller: Caller, now: float) -> tuple[str, ...]:
    ended = caller.expires_at is not None and caller.expires_at <= now
    return (
        caller.key_id,
        caller.account,
        caller.org or "-",
        "-" if caller.cluster in (None, caller.account) else str(caller.cluster),
        caller.tier,
        caller.level,
        f"{caller.kyc_level} {caller.kyc_country}",
        ",".join(caller.purposes) or "-",
        caller.terms_version or "-",
        spoken(caller.created_at),
        spoken(caller.expires_at),
        "revoked" if caller.revoked_at is not None else "expired" if ended else "valid",
    )
