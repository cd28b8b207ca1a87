"""Families that send what real users said (tier T4): relay, later replay, relay over a pool.

They use the writers of innocent kinds: by content they are what they pretend to be. What remains
is who sends it: many users behind each account, no pauses, conversations that change accounts.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.exchange import Message
from stillwatch.lab.traffic.arrivals import Turns, Volume
from stillwatch.lab.traffic.attacks.family import Family
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.kinds.answers import answer, phrase
from stillwatch.lab.traffic.kinds.coding import HARNESS_TOOLS, coding_turn, harness_prompt
from stillwatch.lab.traffic.kinds.kind import Kind, Supply
from stillwatch.lab.traffic.request import Desk, Request, tokens
from stillwatch.lab.traffic.scenario import Tier
from stillwatch.lab.traffic.talks import Talks
from stillwatch.lab.traffic.wording import pick

__all__ = ["RELAY", "REPLAY", "SCATTER"]

_UNUSED = Volume(1.0, 1.0, 1.0)
_POOLS = {
    "chat": Supply(0.5, 2),
    "code": Supply(0.35, 3, optional=True),
    "languages": Supply(0.15, 2, optional=True),
}


def _relay(desk: Desk) -> Iterator[Request]:
    """Users of the attacker's own service, passed on as they come: strangers under each account."""
    return _users(desk, desk.effort.talks or Talks(desk.lengths))


def _users(desk: Desk, talks: Talks) -> Iterator[Request]:
    rng = desk.rng
    for thread in desk.threads:
        # what a user is, follows from the conversation: it may come through another account next
        codes = thread % 5 < 2 and "code" in desk.stocks
        harness = thread % len(HARNESS_TOOLS)
        talk = talks.open(thread)
        if codes:
            system, tools = harness_prompt(harness), HARNESS_TOOLS[harness]
            shared = tokens(system) + 90 * len(tools)
            text, composed, role = coding_turn(desk, not talk.messages)
            reply = f"{pick(rng, tools)}({phrase(rng, text, 2)!r})"
        else:
            system, tools, shared, role = None, None, 0, "user"
            foreign = thread % 5 == 2
            text, composed = desk.take(*("languages", "chat") if foreign else ("chat",))
            reply = answer(rng, text)
        yield Request(
            text,
            history=talk.messages,
            system=system,
            tools=tools,
            completion=reply,
            composed=composed,
            context=shared + talk.tokens,
            shared=shared,
            thread=thread,
            role=role,
            finish="tool_calls" if codes else None,
        )
        talk.add(text, reply, role)
        talks.close(thread)


def _replay(desk: Desk) -> Iterator[Request]:
    """Sessions of the past: earlier turns stand in the history, answered by another model."""
    rng = desk.rng
    for thread in desk.threads:
        history: list[Message] = []
        size = 0
        for _ in range(int(rng.random() * 3)):
            before = desk.take("chat")[0]
            said = answer(rng, before)
            history += [Message("user", before), Message("assistant", said)]
            size += tokens(before) + tokens(said) + 8
        foreign = rng.random() < 0.12
        text, composed = desk.take(*("languages", "chat") if foreign else ("chat",))
        yield Request(
            text,
            history=tuple(history),
            completion=answer(rng, text),
            composed=composed,
            context=size,
            thread=thread,
        )


RELAY = Family(
    behaviour=Kind(
        name="user_relay",
        about="the attacker's own users, passed on live: several strangers under each account",
        share=0,
        volume=_UNUSED,
        writer=_relay,
        turns=Turns(),
        sites=(Site.HOME, Site.CLOUD, Site.VPN),
        client="harness",
        profile="agent",
        pools=_POOLS,
    ),
    tiers=(Tier.T4,),
)
REPLAY = Family(
    behaviour=Kind(
        name="user_replay",
        about="sessions of the attacker's own users, replayed later with their history",
        share=0,
        volume=_UNUSED,
        writer=_replay,
        sites=(Site.HOME, Site.CLOUD),
        profile="chat",
        pools={"chat": Supply(1.9, 2), "languages": Supply(0.12, 2, optional=True)},
    ),
    tiers=(Tier.T4,),
)
SCATTER = Family(
    behaviour=Kind(
        name="prefix_scatter",
        about="a relay that sends each turn of a conversation through another account of its pool",
        share=0,
        volume=_UNUSED,
        writer=_relay,
        turns=Turns(median=7, log_sd=0.6, longest=20),
        sites=(Site.HOME, Site.CLOUD, Site.VPN),
        client="harness",
        profile="agent",
        pools=_POOLS,
    ),
    tiers=(Tier.T4,),
    scattered=True,
)
