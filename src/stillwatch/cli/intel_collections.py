"""`stillwatch intel collection|token`: what a TAXII server offers, and to whom."""

from __future__ import annotations

import time

import click

from stillwatch.cli.clock import DURATION, spoken
from stillwatch.cli.intel_options import ROOT
from stillwatch.cli.stored import JSON, STATE, print_lines, print_rows
from stillwatch.intel.store import open_store

__all__ = ["collection", "token"]


@click.group()
def collection() -> None:
    """Collections of the TAXII server: what members publish into and fetch from, and who may."""


@collection.command("add")
@STATE
@click.argument("alias")
@click.option("--title", default="", help="For people; without it ALIAS.")
@click.option("--description", default="", help="What it is for.")
@click.option("--keep", type=DURATION,
              help="Delete objects so long after their end (valid_until, or else when they were "
              "added); without it they are kept.")  # fmt: skip
@ROOT
def collection_add(
    state: str, alias: str, title: str, description: str, keep: int | None, root: str
) -> None:
    """Make a collection, which nobody may use yet. Its id is printed.

    \b
    Example:
      stillwatch intel collection add indicators --keep 90d --state state
    """
    with open_store(state, create=True) as store:
        made = store.collections.add(
            alias, title=title, description=description, root=root, keep=keep
        )
    click.echo(
        f"{alias} in /{root}/; `stillwatch intel collection allow` lets members in", err=True
    )
    click.echo(made.id)


@collection.command("keep")
@STATE
@click.argument("alias")
@click.argument("keep", type=DURATION)
@ROOT
def collection_keep(state: str, alias: str, keep: int, root: str) -> None:
    """Change how long objects are kept beyond their end.

    \b
    Example:
      stillwatch intel collection keep indicators 30d --state state
    """
    with open_store(state) as store:
        store.collections.keep(alias, keep, root=root)


@collection.command("list")
@STATE
@JSON
def collection_list(state: str, as_json: bool) -> None:
    """Show the collections."""
    with open_store(state) as store:
        found = store.collections.all()
    if as_json:
        print_lines(found)
        return
    print_rows(
        ("COLLECTION", "ROOT", "ID", "KEEPS", "LAST ADDED"),
        (
            (
                each.alias, each.root, each.id,
                "for ever" if each.keep is None else f"{each.keep // 86_400}d",
                spoken(each.last // 1_000_000 or None),
            )
            for each in found
        ),
    )  # fmt: skip


@collection.command("sweep")
@STATE
def collection_sweep(state: str) -> None:
    """Delete what has outlived its period now; `serve` does it once an hour."""
    with open_store(state) as store:
        swept = store.sweep()
    click.echo(f"{swept.objects:,} objects and {swept.statuses:,} statuses deleted", err=True)


@collection.command("allow")
@STATE
@click.argument("member")
@click.argument("alias", metavar="COLLECTION")
@click.option("--read", is_flag=True, help="May fetch.")
@click.option("--write", is_flag=True, help="May publish.")
@click.option("--identity", metavar="ID",
              help="MEMBER's STIX identity: objects that name it as their author, and new versions "
              "of them, are then taken from this member alone.")  # fmt: skip
@ROOT
def collection_allow(
    state: str, member: str, alias: str, read: bool, write: bool, identity: str | None, root: str
) -> None:
    """Say what a member may do in a collection, in place of what was said before.

    With neither --read nor --write it may do nothing. It holds from the next request on.

    \b
    Example:
      stillwatch intel collection allow acme indicators --read --write --state state \\
        --identity identity--7c1ddfa1-93b9-4d3c-8a4b-3a5a6d2f9f10
    """
    with open_store(state) as store:
        store.collections.named(alias, root=root)  # before anybody is made
        store.members.add(member, identity)
        store.members.allow(member, alias, read=read, write=write, root=root)


@collection.command("members")
@STATE
@JSON
def collection_members(state: str, as_json: bool) -> None:
    """Show who may do what."""
    with open_store(state) as store:
        members, rights = store.members.members(), store.members.rights()
    if as_json:
        print_lines([*members, *rights])
        return
    rows = []
    for each in members:
        theirs = [right for right in rights if right.member == each.name]
        does = [
            f"/{right.root}/{right.collection}: "
            + " and ".join(["read"] * right.read + ["write"] * right.write)
            for right in theirs
        ]
        rows.append((each.name, each.identity or "-", "; ".join(does) or "nothing"))
    print_rows(("MEMBER", "IDENTITY", "MAY"), rows)


@click.group()
def token() -> None:
    """Tokens of members: made here, shown once, stored as SHA-256."""


@token.command("create")
@STATE
@click.argument("name")
@click.option("--expires", type=DURATION, default="90d", show_default=True, help="It ends.")
def token_create(state: str, name: str, expires: int) -> None:
    """Make a token for a member. Its secret, alone on standard output, is shown once.

    \b
    Example:
      stillwatch intel token create acme --state state
    """
    with open_store(state) as store:
        secret, made = store.members.create_token(name, expires)
    click.echo(f"{made.id} for {name}, until {spoken(made.expires_at)} UTC", err=True)
    click.echo(secret)


@token.command("revoke")
@STATE
@click.argument("token_id", metavar="TOKEN")
def token_revoke(state: str, token_id: str) -> None:
    """End a token now, by its id."""
    with open_store(state) as store:
        found = store.members.revoke_token(token_id)
    click.echo(f"{token_id} of {found.member} is revoked", err=True)


@token.command("list")
@STATE
@JSON
def token_list(state: str, as_json: bool) -> None:
    """Show the tokens, without their secrets."""
    now = time.time()
    with open_store(state) as store:
        found = store.members.tokens()
    if as_json:
        print_lines(found)
        return
    print_rows(
        ("TOKEN", "MEMBER", "ENDS", "STATE"),
        (
            (each.id, each.member, spoken(each.expires_at),
             "revoked" if each.revoked_at is not None
             else "expired" if each.expires_at <= now else "valid")
            for each in found
        ),
    )  # fmt: skip
