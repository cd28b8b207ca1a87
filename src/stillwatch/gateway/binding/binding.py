"""Issuing wrappers, and taking them back: which of those that come back came from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from stillwatch.access import Caller, Replay
from stillwatch.exchange import Message
from stillwatch.gateway.binding.key import BindingKey
from stillwatch.gateway.binding.wrapper import PREFIX, Opened, Said, seal, unseal
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.dialects.opaque import Bind, Opaque
from stillwatch.gateway.dialects.prefixes import prefix_of
from stillwatch.sketches import SketchKey

__all__ = ["MOST", "Binding", "Owner", "Returned"]

#: Blocks of one request that are looked at; a request with more is refused, since each costs some
#: ten microseconds in which nobody else is served.
MOST: Final = 4096
_INSTRUCTIONS: Final = ("system", "developer")


class Owner(NamedTuple):
    """To whom, and for what, opaque texts are issued in one request. `at` is in seconds, UTC."""

    caller: Caller
    model: str
    messages: Sequence[Message] | None
    at: float


class Returned(NamedTuple):
    """What the opaque texts of a request tell. `replayed_from` is the digest, as exchanges have it,
    of the other account that one of them was issued to; ``None`` if there is none."""

    kind: Replay = Replay.NONE
    replayed_from: int | None = None


class Binding:
    """The binding of one gateway.

    Args:
        keys: to open wrappers with; the first makes them.
        links: the key of the digests of exchanges, so that a replay can be joined with the
            exchanges of the account that it came from.
        longest: seconds for which a wrapper is good.
        issues: whether texts are wrapped; otherwise they pass as they are, and wrappers that come
            back are still opened.
    """

    def __init__(
        self,
        keys: Sequence[BindingKey],
        links: SketchKey,
        *,
        longest: float,
        issues: bool = True,
    ) -> None:
        self._writing = keys[0]
        self._keys = {key.id: key for key in reversed(keys)}
        self._links, self._longest, self._issues = links, longest, issues

    def issuing(self, owner: Owner) -> Bind | None:
        """What wraps the opaque texts of the answer to a request; ``None``: they pass."""
        if not self._issues:
            return None
        said: Said | None = None

        def bind(text: str) -> str:
            nonlocal said
            if said is None:  # most answers hold none
                link = self._links.digest("account", owner.caller.account)
                said = _said(self._writing, owner, link)
            return seal(self._writing, said, text)

        return bind

    def take_back(self, held: Sequence[Opaque], owner: Owner) -> Returned:
        """Put the upstream's own texts in the place of wrappers, and judge where they came from.

        What cannot be opened stays as it is: the upstream will not take it for its own.

        Raises:
            UnreadableError: there are more than :data:`MOST`.
        """
        if len(held) > MOST:
            raise UnreadableError(f"more than {MOST} reasoning blocks", "messages")
        returned = Returned()
        here: dict[bytes, Said] = {}
        for each in held:
            opened = unseal(self._keys, each.text)
            if opened is None:
                kind = Replay.FORGED if each.text.startswith(PREFIX) else Replay.FOREIGN
                returned = max(returned, Returned(kind), key=_weight)
                continue
            each.put(opened.text)
            if (said := here.get(opened.key.id)) is None:
                said = here[opened.key.id] = _said(opened.key, owner, 0)
            returned = max(returned, self._judged(opened, said), key=_weight)
        return returned

    def _judged(self, opened: Opened, here: Said) -> Returned:
        there = opened.said
        if there.account != here.account:
            if not (there.in_org and here.in_org):
                kind = Replay.OTHER_ACCOUNT
            elif there.org == here.org:
                kind = Replay.SAME_ORG
            else:
                kind = Replay.OTHER_ORG
            return Returned(kind, there.link)
        if there.model != here.model:
            return Returned(Replay.OTHER_MODEL)
        if there.conversation != here.conversation:
            return Returned(Replay.OTHER_CONVERSATION)
        return Returned(Replay.EXPIRED if here.at - there.at > self._longest else Replay.SAME)


def _weight(returned: Returned) -> Replay:
    return returned.kind


def _said(key: BindingKey, owner: Owner, link: int) -> Said:
    caller = owner.caller
    return Said(
        account=key.digest("account", caller.account),
        org=key.digest("org", caller.org or ""),
        conversation=key.digest("conversation", str(_beginning(owner.messages))),
        model=key.digest("model", owner.model),
        at=int(owner.at),
        link=link,
        in_org=bool(caller.org),
    )


def _beginning(messages: Sequence[Message] | None) -> int:
    """What a conversation is known by: its first turn, which outlasts resumption, a fork of a later
    turn, and instructions that hold the time of the day."""
    for message in messages or ():
        if message.role not in _INSTRUCTIONS:
            return prefix_of((message,))
    return 0
