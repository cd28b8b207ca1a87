"""Hits become actions if the operator's rules say so, and end with what caused them.

One sender is never enough: so many independent senders tell the same, or our own cases confirm it.
A wording is also that of honest users, and acts on accounts of upheld cases alone.
Automation slows and narrows, nothing else (design, law 8), and not accounts that people cleared, or
that are registered for a purpose. What is retracted, out of date, or of a member who was removed
ends here; what other indicators still carry, and what people decided, stays.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from stillwatch.access.actions import Action
from stillwatch.access.enforcement import end_action, put_action, read_actions
from stillwatch.access.schema import ACTIONS
from stillwatch.cases.outbox import put_entry
from stillwatch.intel.received.erasure import forget
from stillwatch.intel.received.grounds import Grounds, last_until
from stillwatch.intel.received.live import Support
from stillwatch.intel.received.rules import BlockRules
from stillwatch.intel.received.schema import BLOCKS, HITS

__all__ = ["Applied", "Block", "apply_blocks", "end_unsupported", "read_blocks"]

_BY = "received indicators"
_AT_ONCE = 500


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """An action that hits caused, with the indicators that it knows. Times are seconds, UTC."""

    action: str
    account: str
    pattern: str
    indicators: tuple[str, ...]
    created_at: int
    expires_at: int
    ended_at: int | None
    ended_why: str | None


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What was done: actions `made` and `ended`, and accounts left alone, by reason."""

    made: tuple[str, ...]
    ended: tuple[str, ...]
    held_back: dict[str, int]


def apply_blocks(connection: Connection, version: int, rules: BlockRules, now: int) -> Applied:
    """End and forget what nothing carries any more, then act on hits as `rules` say."""
    grounds = Grounds(connection, now)
    ended = _end_unsupported(connection, version, grounds, now)
    forget(connection, set(grounds.told), now)
    if rules.measure is None:
        return Applied(made=(), ended=tuple(ended), held_back={})
    standing, undone = _standing(connection, now), _undone(connection)
    held: dict[str, int] = {}
    made = []
    for hit in _hits(connection):
        if (hit.account, hit.pattern) in standing:
            continue
        carried = grounds.carried(hit.pattern, rules.trust)
        confirmed = rules.confirmed and grounds.confirmed(hit.pattern)
        enough = len(carried.senders) >= rules.senders
        why = grounds.against(hit.pattern, hit.account, hit.kind, rules.trust)
        if not why and hit.account in undone:
            why = "people ended such an action on the account"
        elif not why and not enough and not confirmed:
            why = f"fewer than {rules.senders} senders, and no case of ours confirms it"
        if why:
            held[why] = held.get(why, 0) + 1
            continue
        needed = rules.senders if enough else 0
        made.append(_act(connection, version, rules, hit, carried.carrying, needed, now))
    body = {"measure": rules.measure, "because": "received indicators"}
    _record(connection, now, "actions", made, body)
    return Applied(made=tuple(made), ended=tuple(ended), held_back=held)


def end_unsupported(connection: Connection, version: int, now: int) -> list[str]:
    """End the blocks that no live indicator carries any more, in a transaction; their actions."""
    there = select(BLOCKS.c.action).where(BLOCKS.c.ended_at.is_(None))
    if connection.execute(there.limit(1)).first() is None:
        return []
    return _end_unsupported(connection, version, Grounds(connection, now), now)


def _end_unsupported(connection: Connection, version: int, grounds: Grounds, now: int) -> list[str]:
    wanted = select(BLOCKS).where(BLOCKS.c.ended_at.is_(None)).order_by(BLOCKS.c.action)
    ended = []
    for block in list(connection.execute(wanted).mappings()):
        pattern, confirmed = block["pattern"], grounds.confirmed(block["pattern"])
        senders = grounds.carried(pattern, block["share"]).senders
        why = (
            "it ended by itself" if block["expires_at"] <= now
            else grounds.against(pattern, block["account"], block["kind"], block["share"])
        )  # fmt: skip
        if not why and not confirmed and len(senders) < max(block["needed"], 1):
            why = "too few senders are left"
        elif not why and not confirmed and not block["needed"]:
            why = "no case of ours confirms it any more"
        if not why:
            continue
        if _undo(connection, version, block["action"], now):
            ended.append(block["action"])
        connection.execute(
            update(BLOCKS)
            .where(BLOCKS.c.action == block["action"])
            .values(ended_at=now, ended_why=why)
        )
    _record(connection, now, "ended", ended, {"because": "received indicators"})
    return ended


def read_blocks(connection: Connection) -> list[Block]:
    """All blocks, also those that have ended, oldest first."""
    rows = connection.execute(select(BLOCKS).order_by(BLOCKS.c.created_at, BLOCKS.c.action))
    return [
        Block(
            action=row["action"], account=row["account"], pattern=row["pattern"],
            indicators=tuple(json.loads(row["indicators"])), created_at=row["created_at"],
            expires_at=row["expires_at"], ended_at=row["ended_at"], ended_why=row["ended_why"],
        )
        for row in rows.mappings()
    ]  # fmt: skip


class _Hit(msgspec.Struct, frozen=True):
    pattern: str
    account: str
    kind: str


def _hits(connection: Connection) -> list[_Hit]:
    wanted = select(HITS.c.pattern, HITS.c.account, HITS.c.kind)
    rows = connection.execute(wanted.order_by(HITS.c.pattern, HITS.c.account))
    return [_Hit(*row) for row in rows]


def _standing(connection: Connection, now: int) -> set[tuple[str, str]]:
    """Accounts and patterns that something is done about now."""
    wanted = select(BLOCKS.c.account, BLOCKS.c.pattern).where(
        BLOCKS.c.ended_at.is_(None), BLOCKS.c.expires_at > now
    )
    return {(account, pattern) for account, pattern in connection.execute(wanted)}


def _undone(connection: Connection) -> set[str]:
    """Accounts on which people ended an action of ours: they know better than what others tell."""
    wanted = (
        select(BLOCKS.c.account)
        .join(ACTIONS, ACTIONS.c.id == BLOCKS.c.action)
        .where(ACTIONS.c.undone_by.is_not(None), ACTIONS.c.undone_by != _BY)
    )
    return set(connection.execute(wanted).scalars())


def _record(
    connection: Connection, now: int, what: str, actions: Sequence[str], body: dict[str, Any]
) -> None:
    for start in range(0, len(actions), _AT_ONCE):
        some = {what: list(actions[start : start + _AT_ONCE])}
        put_entry(connection, kind="action", at=now, by=_BY, body=body | some)


def _act(
    connection: Connection, version: int, rules: BlockRules, hit: _Hit,
    carrying: Sequence[Support], needed: int, now: int,
) -> str:  # fmt: skip
    assert rules.measure is not None
    until = min(now + rules.lasting, last_until(carrying, needed))
    action = Action(
        id=f"act-{secrets.token_hex(8)}",
        subject_kind="account",
        subject=hit.account,
        kind=rules.measure,
        reason="precaution",
        message=rules.message,
        by=_BY,
        expires_at=until,
        seconds=rules.seconds,
        surface=rules.surface,
    )
    put_action(connection, version, action, now)
    connection.execute(
        insert(BLOCKS).values(
            action=action.id, pattern=hit.pattern, kind=hit.kind, account=hit.account,
            indicators=json.dumps([each.id for each in carrying]), needed=needed,
            share=rules.trust, created_at=now, expires_at=until,
        )
    )  # fmt: skip
    return action.id


def _undo(connection: Connection, version: int, action: str, now: int) -> bool:
    """End an action if it is still in force; people may have ended it before us."""
    for _, found in read_actions(connection, ACTIONS.c.id == action):
        if found.undone_at is None and now < found.expires_at:
            end_action(connection, version, action, _BY, now)
            return True
    return False
