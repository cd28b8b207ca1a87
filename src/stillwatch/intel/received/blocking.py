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
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, insert, select, update

from stillwatch.access.actions import LONGEST_DAYS, MOST_SECONDS, Action
from stillwatch.access.enforcement import end_action, put_action, read_actions
from stillwatch.access.narrowing import narrowing
from stillwatch.access.schema import ACTIONS
from stillwatch.cases.outbox import put_entry
from stillwatch.cases.standing import standings
from stillwatch.errors import InputError, SettingsError
from stillwatch.intel.crowds import is_crowd
from stillwatch.intel.matching.indicators import WORDING, indicator_of
from stillwatch.intel.received.erasure import forget
from stillwatch.intel.received.live import Support, supports
from stillwatch.intel.received.outcomes import read_verdicts
from stillwatch.intel.received.reputation import distrusted, read_reputations
from stillwatch.intel.received.schema import BLOCKS, HITS, OBJECTS
from stillwatch.settings import Section, read_settings

__all__ = [
    "Applied",
    "Block",
    "BlockRules",
    "apply_blocks",
    "end_unsupported",
    "read_block_rules",
    "read_blocks",
]

_DAY = 86_400
_BY = "received indicators"
_AT_ONCE = 500
#: independent senders that are needed at least: one alone never acts
LEAST_SENDERS = 2


class BlockRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator lets indicators do. `lasting` is in seconds, at most 90 days.

    Attributes:
        measure: ``slow`` by `seconds`, or ``narrow`` to `surface`; None does nothing.
        senders: independent senders that must tell the same, 2 at least.
        confirmed: whether a pattern that our own cases confirm needs no second sender.
        trust: senders that are right less often than this, beyond doubt, do not count.
        message: for the owner of an account.
    """

    measure: Literal["slow", "narrow"] | None = None
    seconds: float | None = None
    surface: dict[str, Any] | None = None
    lasting: int = 7 * _DAY
    senders: int = 2
    confirmed: bool = True
    trust: float = 0.5
    message: str = "Use of your account resembles use that others told us of. Write to us."


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


def read_block_rules(path: Path | None) -> BlockRules:
    """The section ``intel.blocking`` of the settings; without it nothing is ever done.

    Raises:
        SettingsError: a key or value that nobody understands, or that automation must not do.
    """
    settings = read_settings(path)
    section = settings.section("intel").section("blocking")
    if not list(section):
        return BlockRules()
    usual = BlockRules()
    surface = section.section("surface")
    rules = BlockRules(
        measure=_measure(section),
        seconds=section.take("seconds", float) if "seconds" in section else None,
        surface={key: surface.take(key, object) for key in surface} or None,
        lasting=_between(section, "lasting_days", 1, LONGEST_DAYS, 7) * _DAY,
        senders=_between(section, "senders", LEAST_SENDERS, 100, usual.senders),
        confirmed=section.take("confirmed", bool, usual.confirmed),
        trust=section.take("trust", float, usual.trust),
        message=section.take("message", str, usual.message),
    )
    section.finish()
    if (rules.seconds is not None) != (rules.measure == "slow"):
        raise _wrong(section, "seconds", "is needed to slow, and for nothing else")
    if rules.seconds is not None and not 0 < rules.seconds <= MOST_SECONDS:
        raise _wrong(section, "seconds", f"must be above 0 and at most {MOST_SECONDS:g}")
    if (rules.surface is not None) != (rules.measure == "narrow"):
        raise _wrong(section, "surface", "is needed to narrow, and for nothing else")
    if rules.surface is not None:
        try:
            narrowing(rules.surface)
        except InputError as error:
            raise _wrong(section, "surface", str(error)) from error
    if not 0 <= rules.trust <= 1:
        raise _wrong(section, "trust", "must be 0 to 1")
    if not 0 < len(rules.message.strip()) <= 2_000:
        raise _wrong(section, "message", "must say something, in 2,000 characters at most")
    return rules


def apply_blocks(connection: Connection, version: int, rules: BlockRules, now: int) -> Applied:
    """End and forget what nothing carries any more, then act on hits as `rules` say."""
    ended = end_unsupported(connection, version, now)
    told = supports(connection, now)
    forget(connection, set(told), now)
    if rules.measure is None:
        return Applied(made=(), ended=tuple(ended), held_back={})
    verdicts = read_verdicts(connection)
    bad = distrusted(read_reputations(connection, told, verdicts), rules.trust)
    standing = {
        (row.account, row.pattern)
        for row in connection.execute(
            select(BLOCKS.c.account, BLOCKS.c.pattern).where(
                BLOCKS.c.ended_at.is_(None), BLOCKS.c.expires_at > now
            )
        )
    }
    people = standings(connection, sorted(set().union(*verdicts.met.values())), now)
    held: dict[str, int] = {}
    made = []
    for hit in _hits(connection):
        if (hit.account, hit.pattern) in standing:
            continue
        carrying = [each for each in told.get(hit.pattern, ()) if each.sender not in bad]
        senders = {each.sender for each in carrying}
        confirmed = rules.confirmed and verdicts.of(hit.pattern) == "confirmed"
        known = people.get(hit.account)
        why = (
            "nobody tells it any more, or nobody who is trusted" if not carrying
            else "a crowd meets it here" if _is_crowd(connection, hit, carrying)
            else "people cleared the account" if hit.account in verdicts.dismissed
            else "the account is allow-listed or registered for a purpose"
            if known is not None and (known.allowed or known.purposes)
            else "only its wording was told, which honest users of a tool send too"
            if hit.kind == WORDING and hit.account not in verdicts.upheld
            else f"fewer than {rules.senders} senders, and no case of ours confirms it"
            if len(senders) < rules.senders and not confirmed
            else ""
        )  # fmt: skip
        if why:
            held[why] = held.get(why, 0) + 1
            continue
        needed = rules.senders if len(senders) >= rules.senders else 0
        made.append(_act(connection, version, rules, hit, carrying, needed, now))
    for start in range(0, len(made), _AT_ONCE):
        some = made[start : start + _AT_ONCE]
        body = {"measure": rules.measure, "actions": some, "because": "received indicators"}
        put_entry(connection, kind="action", at=now, by=_BY, body=body)
    return Applied(made=tuple(made), ended=tuple(ended), held_back=held)


def end_unsupported(connection: Connection, version: int, now: int) -> list[str]:
    """End the blocks that no live indicator carries any more, in a transaction; their actions."""
    open_blocks = list(
        connection.execute(
            select(BLOCKS).where(BLOCKS.c.ended_at.is_(None)).order_by(BLOCKS.c.action)
        ).mappings()
    )
    if not open_blocks:
        return []
    told = supports(connection, now)
    verdicts = read_verdicts(connection)
    reputations = read_reputations(connection, told, verdicts)
    ended = []
    for block in open_blocks:
        bad = distrusted(reputations, block["share"])
        senders = {each.sender for each in told.get(block["pattern"], ()) if each.sender not in bad}
        confirmed = verdicts.of(block["pattern"]) == "confirmed"
        why = (
            "it ended by itself" if block["expires_at"] <= now
            else "nobody tells it any more" if not senders
            else "people cleared the account" if block["account"] in verdicts.dismissed
            else "no case of ours holds the account any more"
            if block["kind"] == WORDING and block["account"] not in verdicts.upheld
            else "too few senders are left" if len(senders) < block["needed"] and not confirmed
            else "no case of ours confirms it any more" if not block["needed"] and not confirmed
            else ""
        )  # fmt: skip
        if not why:
            continue
        if _undo(connection, version, block["action"], now):
            ended.append(block["action"])
        connection.execute(
            update(BLOCKS)
            .where(BLOCKS.c.action == block["action"])
            .values(ended_at=now, ended_why=why)
        )
    for start in range(0, len(ended), _AT_ONCE):
        body = {"ended": ended[start : start + _AT_ONCE], "because": "received indicators"}
        put_entry(connection, kind="action", at=now, by=_BY, body=body)
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
    accounts: int
    of: int


def _hits(connection: Connection) -> list[_Hit]:
    rows = connection.execute(
        select(HITS.c.pattern, HITS.c.account, HITS.c.kind, HITS.c.accounts, HITS.c.of).order_by(
            HITS.c.pattern, HITS.c.account
        )
    )
    return [_Hit(*row) for row in rows]


def _is_crowd(connection: Connection, hit: _Hit, carrying: Sequence[Support]) -> bool:
    """Whether more accounts meet it here than its senders tell of, or than one effort has."""
    claimed = []
    for each in carrying:
        body = connection.execute(
            select(OBJECTS.c.body).where(
                OBJECTS.c.sender == each.sender, OBJECTS.c.id == each.id, OBJECTS.c.newest
            )
        ).scalar_one()
        told = indicator_of(json.loads(body))
        claimed += [told.accounts] if told.accounts is not None else []
    return is_crowd(hit.accounts, hit.of, max(claimed, default=None))


def _act(
    connection: Connection, version: int, rules: BlockRules, hit: _Hit,
    carrying: Sequence[Support], needed: int, now: int,
) -> str:  # fmt: skip
    assert rules.measure is not None
    until = min(now + rules.lasting, max(each.valid_until for each in carrying))
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


def _measure(section: Section) -> Literal["slow", "narrow"]:
    name = section.take("measure", str)
    if name == "slow":
        return "slow"
    if name == "narrow":
        return "narrow"
    raise _wrong(section, "measure", "must be slow or narrow: automation does nothing harder")


def _between(section: Section, key: str, least: int, most: int, default: int) -> int:
    value = section.take(key, int, default)
    if not least <= value <= most:
        raise _wrong(section, key, f"must be {least} to {most}, not {value}")
    return value


def _wrong(section: Section, key: str, wanted: str) -> SettingsError:
    message = f"'{section.name}.{key}' {wanted}"
    return SettingsError(message, path=section.path, line=section.line_of(key))
