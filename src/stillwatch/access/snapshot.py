"""One moment of the store in memory: who a secret speaks for, and which actions are on them.

A snapshot never changes, so that a request is decided on one state of things. The next one is made
from the last by :func:`next_snapshot`, which reads only the rows that changed in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from sqlalchemy import Connection

from stillwatch.access.actions import Action
from stillwatch.access.callers import read_callers
from stillwatch.access.database import Version
from stillwatch.access.enforcement import read_actions
from stillwatch.access.facts import Caller
from stillwatch.access.schema import ACTIONS, SECRETS
from stillwatch.access.secret import LONGEST

__all__ = ["Snapshot", "next_snapshot"]

_Subject = tuple[str, str]
#: callers that changed one by one, before they are copied into the mass of the others: copying
#: 100,000 takes milliseconds in which no request is served, and the memory of both
_MOST_RECENT = 1_000


class Snapshot:
    """Keys and actions as they were at `version`; lookups do no I/O and cannot fail."""

    __slots__ = ("_actions", "_callers", "_recent", "version")

    def __init__(
        self,
        version: Version,
        callers: Mapping[bytes, Caller],
        recent: Mapping[bytes, Caller],
        actions: Mapping[_Subject, tuple[Action, ...]],
    ) -> None:
        """`recent` wins over `callers`, which several snapshots share."""
        self.version = version
        self._callers = callers
        self._recent = recent
        self._actions = actions

    def caller_of(self, secret: str) -> Caller | None:
        """Whom a secret speaks for, or ``None`` for one that nobody registered.

        Expired and revoked ones are found too: `expires_at` and `revoked_at` say so.
        """
        if len(secret) > LONGEST:
            return None
        digest = sha256(secret.encode("utf-8", "surrogatepass")).digest()
        return self._recent.get(digest) or self._callers.get(digest)

    def actions_on(self, caller: Caller, at: float) -> tuple[Action, ...]:
        """What is in force at a time on the key, account, cluster or org of a caller.

        The clock of whoever wrote an action does not count, so that one that is ahead of ours
        delays nothing.
        """
        actions = self._actions
        if not actions:
            return ()
        found: tuple[Action, ...] = ()
        for subject in (
            ("account", caller.account),
            ("cluster", caller.cluster or caller.account),
            ("key", caller.key_id),
            ("org", caller.org or ""),
        ):
            if on_subject := actions.get(subject):
                found += tuple(action for action in on_subject if at < action.expires_at)
        return found

    def __len__(self) -> int:
        """Secrets that are known."""
        return len(self._callers.keys() | self._recent.keys())


def next_snapshot(
    connection: Connection, last: Snapshot | None, version: Version, at: float
) -> Snapshot:
    """The store at `version`, which the connection sees; `at` is the time, for what has ended.

    Everything is read when there is no last snapshot, rows were deleted since, or the store is
    another one.
    """
    if last is None or _begins_anew(last.version, version):
        lasting = read_actions(connection, ACTIONS.c.undone_at.is_(None), ACTIONS.c.expires_at > at)
        in_force = _with({}, (action for _, action in lasting), at)
        return Snapshot(version, dict(read_callers(connection)), {}, in_force)
    since = last.version.changes
    callers, recent, actions = last._callers, last._recent, last._actions
    if changed := dict(read_callers(connection, SECRETS.c.version > since)):
        recent = {**recent, **changed}
    if len(recent) > _MOST_RECENT:
        callers, recent = {**callers, **recent}, {}
    if touched := [action for _, action in read_actions(connection, ACTIONS.c.version > since)]:
        actions = _with(actions, touched, at)
    return Snapshot(version, callers, recent, actions)


def _begins_anew(last: Version, now: Version) -> bool:
    return (
        now.place != last.place or now.changes < last.changes or now.removed > last.changes
    )  # fmt: skip


def _with(
    actions: Mapping[_Subject, tuple[Action, ...]], touched: Iterable[Action], at: float
) -> dict[_Subject, tuple[Action, ...]]:
    """The same with other versions of some actions, and without those that have ended."""
    changed: dict[_Subject, dict[str, Action]] = {}
    for action in touched:
        subject = (action.subject_kind, action.subject)
        if subject not in changed:
            changed[subject] = {each.id: each for each in actions.get(subject, ())}
        changed[subject][action.id] = action
    merged = {**actions, **{subject: tuple(each.values()) for subject, each in changed.items()}}
    return {
        subject: lasting
        for subject, each in merged.items()
        if (lasting := tuple(a for a in each if a.undone_at is None and at < a.expires_at))
    }
